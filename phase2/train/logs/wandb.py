"""Logs for Weights & Biases: online after `wandb login`, or offline with WANDB_MODE=offline and `wandb sync` later."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from phase2.card import Card
from phase2.errors import UserError
from phase2.files import write_text
from phase2.train.logs.logger import About, Logger

CARD = Card("logger", "Wandb", label="Weights & Biases", definition="a run for each cell, which goes on", order=3)
ID = "wandb_id.txt"


class Wandb(Logger):
    """A run for each training: an attempt that goes on goes on with the run, by the id in its folder.

    Its steps only grow: what an attempt logs again, W&B has already, and leaves out.
    """

    def __init__(self, folder: Path, about: About, step: int):
        try:
            import wandb
        except ImportError:
            raise UserError(
                "the logger wandb needs a package: pip install wandb, or take it out of compute.logs"
            ) from None
        if step == 0 or not (folder / ID).exists():
            write_text(folder / ID, uuid4().hex[:12])
        try:
            self.run = wandb.init(
                project="phase2",
                group=about.run,
                name=about.name,
                id=(folder / ID).read_text(encoding="utf-8"),
                resume="allow",
                dir=str(folder),
                config=dict(about.settings),
                reinit="create_new",  # lanes are runs side by side
            )
        except wandb.Error as error:
            raise UserError(
                f"Weights & Biases refuses a run ({error}): wandb login, or WANDB_MODE=offline before the command"
            ) from None

    def log(self, table: str, step: int, values: Mapping[str, float]) -> None:
        self.run.log({f"{table}/{name}": value for name, value in values.items()}, step=step)

    def close(self) -> None:
        self.run.finish()
