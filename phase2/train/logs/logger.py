"""What a logger is: it takes the rows of one cell's training."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEPS, EPOCHS = "steps", "epochs"  # the tables: a row an optimizer step, and a row an epoch


@dataclass(frozen=True)
class About:
    """The training that a logger follows."""

    run: str
    name: str  # study/activation=relu/seed=0
    settings: Mapping[str, Any]  # all that decides the cell


class Logger(ABC):
    """A logger's class, which is made when a training begins or goes on: it logs into `folder`, the cell's own.

    `step` optimizer steps are done then. What an attempt that was stopped logged of later ones is void: they come
    again.
    """

    @abstractmethod
    def __init__(self, folder: Path, about: About, step: int): ...

    @abstractmethod
    def log(self, table: str, step: int, values: Mapping[str, float]) -> None:
        """Takes a row of the table `STEPS` or `EPOCHS`, after `step` optimizer steps; a table's rows have one set of
        names.
        """

    def flush(self) -> None:  # noqa: B027 (not every logger has something to do)
        """Puts what was logged on disk: a checkpoint is written next, from which another attempt may go on."""

    def close(self) -> None:  # noqa: B027
        """Training has ended or was stopped."""
