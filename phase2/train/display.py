"""How a training goes, to look at: a bar on a terminal, elsewhere a plain line an epoch."""

import sys
import time
from itertools import pairwise
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from phase2.train.scheduling import of_each_lane
from phase2.train.watch import Watch

SECONDS = 0.2  # between looks at the device, on a terminal
KEPT = 0.9  # of the shown loss, by each look


class Display(Watch):
    """Shows loss, the task's first metric, learning rate, pace and time left, on standard error.

    Of several lanes their mean over those that have not diverged. A context: on leaving it, the bar goes.
    """

    def __init__(self, name: str):
        self.name, self.bar = name, None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.loss: float | None = None
        self.metric = ""

    def __enter__(self) -> "Display":
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.bar:
            self.bar.stop()

    def begin(self, training: Any) -> None:
        self.first, self.total = training.state.step, len(training.rates)
        if self.first:
            self._say(f"{self.name}: goes on after step {self.first:,} of {self.total:,}")
        if self.bar:
            self.task = self.bar.add_task(self.name, total=self.total, completed=self.first, told="")
        self.began = self.looked = time.monotonic()

    def step(self, training: Any) -> None:
        now = time.monotonic()
        if self.bar and now - self.looked >= SECONDS:
            loss = float(training.losses[training.state.alive].mean())
            self.loss = loss if self.loss is None else KEPT * self.loss + (1 - KEPT) * loss
            self.looked = now
            self.bar.update(self.task, completed=training.state.step, told=self._told(training, self.loss, 1))

    def epoch(self, training: Any) -> None:
        histories = [history[-2:] for history in training.state.history]
        rows = [rows for rows in histories if rows and rows[-1]["epoch"] == training.state.epoch]
        if not rows:
            self._say(f"{self.name}: every lane has diverged")
            return
        metric = training.task.metrics[0].name
        values = [val[metric] for _, val in rows]
        self.metric = f"val {metric} {sum(values) / len(values):.4f}"
        if not self.bar:
            loss = sum(train["loss"] for train, _ in rows) / len(rows)
            self._say(f"{self.name}: {self._told(training, loss, 0)}")

    def _told(self, training: Any, loss: float, begun: int) -> str:
        """A line of figures; `begun` epochs are under way besides those that are finished."""
        state, elapsed = training.state, time.monotonic() - self.began
        done = state.step - self.first
        pace = done * training.recipe.batch_size * len(training.lanes) / elapsed
        left = (self.total - state.step) * elapsed / max(done, 1)
        rates = of_each_lane(training.rates, (state.taken - 1).clamp(min=0))
        lr = float(rates[state.alive].mean())
        epoch = f"epoch {state.epoch + begun}/{training.recipe.epochs}"
        told = [epoch, f"loss {loss:.4f}", self.metric, f"lr {lr:.3g}", f"{pace:,.0f} samples/s", f"{span(left)} left"]
        return "  ".join(filter(None, told))

    def _say(self, line: str) -> None:
        if self.bar:
            self.bar.console.print(line)
        else:
            print(line, file=sys.stderr, flush=True)


def span(seconds: float) -> str:
    """A time as one reads it.

    >>> [span(9.4), span(125), span(7500), span(200000)]
    ['9 s', '2 min 5 s', '2 h 5 min', '2 d 7 h']
    """
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    whole = round(seconds)
    for (large, size), (small, part) in pairwise(units):
        if whole >= size:
            return f"{whole // size} {large} {whole % size // part} {small}"
    return f"{whole} s"
