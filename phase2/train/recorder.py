"""Takes down a training step by step, for loggers: what `history.csv` has no room for."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from phase2 import registry
from phase2.models.counting import operations
from phase2.optim import lane_norms
from phase2.train.logs.csv import last_row
from phase2.train.logs.logger import EPOCHS, STEPS, About, Logger
from phase2.train.precision import HALF
from phase2.train.resizing import size_in
from phase2.train.scheduling import of_each_lane
from phase2.train.utilisation import TRAINING, peak
from phase2.train.watch import Watch

KEPT = 0.98  # of the smoothed loss, by each step
SECONDS = 0.5  # between looks at the device: each makes it wait
CSV = "csv"


class Recorder(Watch):
    """Follows the lanes of a pack, each with its loggers. A context: on leaving it, the loggers are closed.

    Each lane has a folder of its own. CSV is among its loggers whatever `names` says, and the last: a row that is in it
    is with the others too, and a training that goes on finds there how smooth its loss was, and whether its epoch's row
    was written.
    """

    def __init__(self, names: Sequence[str], folders: Sequence[Path], about: Sequence[About]):
        self.names = [*(name for name in dict.fromkeys(names) if name != CSV), CSV]
        self.folders, self.about = folders, about
        self.loggers: list[list[Logger]] = []
        self.smoothed: list[float | None] = []
        self.pending: list[tuple[int, Tensor]] = []  # of steps that nobody looked at: the step, (4, lanes)
        self.before: dict[str, Tensor] = {}  # the weights before an epoch's last step
        self.layers: dict[str, list[str]] = {}

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for logger in self._all():
            logger.close()

    def begin(self, training: Any) -> None:
        state = training.state
        for folder, about in zip(self.folders, self.about, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            made: list[Logger] = []
            self.loggers.append(made)
            for name in self.names:
                made.append(registry.load("logger", name)(folder, about, state.step))
            self.smoothed.append(last_row(folder, STEPS).get("smoothed_loss"))
        for name in training.stack.parameters:
            self.layers.setdefault(name.rpartition(".")[0] or name, []).append(name)
        half = HALF.get(training.recipe.precision, training.dtype)
        self.peak = peak(training.rates.device, half, torch.get_num_threads())
        self.looked, self.rows, self.seen = time.perf_counter(), 0, state.seen
        self._remember(training)

    def step(self, training: Any) -> None:
        state = training.state
        rate = of_each_lane(training.rates, (state.taken - 1).clamp(min=0))
        row = torch.stack([each.double() for each in (training.losses, training.norms, rate, state.alive)])
        self.pending.append((state.step, row))
        self.rows += (state.seen - self.seen) * len(self.folders)
        self.seen = state.seen
        if time.perf_counter() - self.looked >= SECONDS:
            self._look()
        self._remember(training)

    def save(self, training: Any) -> None:
        self._look()
        for logger in self._all():
            logger.flush()

    def epoch(self, training: Any) -> None:
        self._look()
        for lane, folder in enumerate(self.folders):
            written = last_row(folder, EPOCHS).get("step") == training.state.step
            if bool(training.state.alive[lane]) and not written:
                values = self._epoch_row(training, lane)
                for logger in self.loggers[lane]:
                    logger.log(EPOCHS, training.state.step, values)
                    logger.flush()
        self.seen = 0
        self._remember(training)
        self.looked = time.perf_counter()  # validation is no part of a step's pace

    def _look(self) -> None:
        """Has what is pending logged."""
        if not self.pending:
            return
        values = torch.stack([row for _, row in self.pending]).cpu()
        now = time.perf_counter()
        pace = self.rows / (now - self.looked)
        for (step, _), row in zip(self.pending, values, strict=True):
            for lane, (loss, norm, rate, alive) in enumerate(row.T.tolist()):
                if alive:
                    self._log_step(lane, step, loss, norm, rate, pace)
        self.pending, self.rows, self.looked = [], 0, now

    def _log_step(self, lane: int, step: int, loss: float, norm: float, rate: float, pace: float) -> None:
        before = self.smoothed[lane]
        smoothed = loss if before is None else KEPT * before + (1 - KEPT) * loss
        self.smoothed[lane] = smoothed
        values = {"loss": loss, "smoothed_loss": smoothed, "lr": rate, "grad_norm": norm, "samples_per_second": pace}
        for logger in self.loggers[lane]:
            logger.log(STEPS, step, values)

    def _epoch_row(self, training: Any, lane: int) -> dict[str, float]:
        train, val = training.state.history[lane][-2:]
        told = ("epoch", "lr", "grad_norm", "weight_norm", "samples_per_second")
        measured = [name for name in train if name not in (*told, "step", "split")]
        parts = (("train", train), ("val", val))
        rate = _operations(training) * train["samples_per_second"]
        return (
            {name: train[name] for name in told}
            | {"skipped_steps": int(training.state.skipped[lane])}
            | {f"{part}_{name}": row[name] for part, row in parts for name in measured}
            | {"flops_per_second": rate, "peak_flops_per_second": self.peak}
            | {"flop_utilisation": rate / self.peak}
            | self._by_layer(training, lane)
        )

    def _by_layer(self, training: Any, lane: int) -> dict[str, float]:
        """Of each layer the norm of its weights, and how long the epoch's last step was beside them."""
        now = {name: value.detach()[lane : lane + 1] for name, value in training.stack.parameters.items()}
        before = {name: value[lane : lane + 1] for name, value in self.before.items()}
        found = {}
        for layer, names in self.layers.items():
            found[f"weight_norm/{layer}"] = float(lane_norms([now[name] for name in names]))
            found[f"update_ratio/{layer}"] = math.nan  # an attempt was stopped right after that step
            if before:
                step = lane_norms([now[name] - before[name] for name in names])
                found[f"update_ratio/{layer}"] = float(step / lane_norms([before[name] for name in names]))
        return found

    def _remember(self, training: Any) -> None:
        """Keeps the weights if the next step is the last of its epoch."""
        if 0 < len(training.task.train) - training.state.seen <= training.recipe.batch_size:
            self.before = {name: value.detach().clone() for name, value in training.stack.parameters.items()}

    def _all(self) -> list[Logger]:
        return [logger for made in self.loggers for logger in made]


def _operations(training: Any) -> int:
    """Floating-point operations of training on one sample of the epoch that has just ended."""
    shape, size = training.task.train.shape, size_in(training.recipe.sizes, training.state.epoch - 1)
    return TRAINING * operations(training.stack.base, (shape[0], size, size) if size else shape)
