"""All that a training is at one moment, so that a killed run resumes to the same bits."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from math import inf
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.files import sha256_text, write_bytes
from phase2.task.task import Metric
from phase2.train.accumulation import Sums
from phase2.train.recipe import Lane, Recipe


class OutOfTime(Exception):
    """A training stopped at its deadline, with its checkpoint on disk: the next attempt goes on from there."""


@dataclass
class State:
    """Where a pack stands. Tensors have shape (lanes,) unless said otherwise; random streams need no saving
    (`phase2.task.seeding`)."""

    alive: Tensor
    diverged_step: Tensor  # -1: has not diverged
    loss_sum: Tensor  # over what was counted in this epoch
    metric_sums: dict[str, Tensor]
    norm_sum: Tensor  # of gradient norms over the steps of this epoch
    taken: Tensor  # optimizer steps, over all epochs
    moved: Tensor  # those of this epoch
    skipped: Tensor  # steps not taken, since float16 did not hold the gradients
    best_value: Tensor  # of the metric that chooses
    best_epoch: Tensor
    best_weights: dict[str, Tensor]  # (lanes, ...)
    epoch: int = 0  # finished epochs
    step: int = 0  # finished batches, over all epochs: optimizer steps, where none is skipped
    seen: int = 0  # rows seen in this epoch
    counted: int = 0  # what losses and metrics of this epoch were taken over
    seconds: float = 0.0  # spent training, over all attempts
    epoch_start: float = 0.0  # what `seconds` was when this epoch began
    history: list[list[dict[str, Any]]] = field(default_factory=list)  # rows of each lane

    @classmethod
    def start(cls, lanes: int, metrics: Sequence[Metric], weights: dict[str, Tensor], device: torch.device) -> "State":
        """The state before the first step."""
        zeros = torch.zeros(lanes, dtype=torch.float64, device=device)
        none = torch.zeros(lanes, dtype=torch.int64, device=device)
        return cls(
            alive=torch.ones(lanes, dtype=torch.bool, device=device),
            diverged_step=torch.full((lanes,), -1, device=device),
            best_value=torch.full((lanes,), -inf if metrics[0].higher_is_better else inf, dtype=torch.float64),
            best_epoch=torch.zeros(lanes, dtype=torch.int64),
            best_weights=weights,
            history=[[] for _ in range(lanes)],
            loss_sum=zeros.clone(),
            metric_sums={metric.name: zeros.clone() for metric in metrics},
            norm_sum=zeros.clone(),
            taken=none.clone(),
            moved=none.clone(),
            skipped=none.clone(),
        )

    def add(self, sums: Sums, norms: Tensor, moved: Tensor) -> None:
        """Counts a step: what its batch measured, the gradients' norms (lanes,), and lanes that it `moved` (lanes,)."""
        self.loss_sum += torch.where(self.alive, sums.losses, 0.0)
        for name, total in sums.metrics.items():
            self.metric_sums[name] += total
        self.norm_sum += torch.where(moved, norms.double(), 0.0)
        self.counted += sums.counted
        self.taken += moved
        self.moved += moved
        self.skipped += self.alive & ~moved

    def new_epoch(self) -> None:
        """Clears what is summed over an epoch."""
        for total in (self.loss_sum, self.norm_sum, self.moved, *self.metric_sums.values()):
            total.zero_()
        self.seen = self.counted = 0


def fingerprint(recipe: Recipe, lanes: list[Lane]) -> str:
    """What tells a training's checkpoints from those of others."""
    return sha256_text(repr((recipe, lanes)))


def save(path: Path, state: State, parts: dict[str, Any]) -> None:
    """Writes an in-progress checkpoint atomically: only tensors and plain values, so it loads with `weights_only`."""
    content = parts | {"state": {f.name: getattr(state, f.name) for f in fields(state)}}
    buffer = io.BytesIO()  # to a file, torch.save hides the reason of a failed write
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def load(path: Path, device: torch.device, of: str) -> tuple[State, dict[str, Any]]:
    """The state that `save` wrote, and the other parts. Nothing in the file is run, and its checksums are compared.

    Raises `UserError` if it is damaged, or its part `of` is another than this training's `fingerprint`.
    """
    try:
        if wrong := ZipFile(path).testzip():  # torch does not look
            raise ValueError(f"{wrong} is not as it was written")
        parts = torch.load(path, weights_only=True, map_location="cpu")
        state, whose = State(**parts.pop("state")), parts.pop("of")
    except Exception as error:
        raise UserError(
            f"the in-progress checkpoint {path} is damaged ({type(error).__name__}): delete it to start again"
        ) from error
    if whose != of:
        raise UserError(
            f"the in-progress checkpoint {path} is of another training: delete it to start this one from its "
            "beginning, or give each a folder of its own"
        )
    for name in ("alive", "diverged_step", "loss_sum", "norm_sum", "taken", "moved", "skipped"):
        setattr(state, name, getattr(state, name).to(device))
    state.metric_sums = {name: total.to(device) for name, total in state.metric_sums.items()}
    return state, parts
