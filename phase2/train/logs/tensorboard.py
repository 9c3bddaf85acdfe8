"""Logs for TensorBoard: `tensorboard --logdir logs`."""

from collections.abc import Mapping
from pathlib import Path

from phase2.card import Card
from phase2.errors import UserError
from phase2.train.logs.logger import About, Logger

CARD = Card("logger", "TensorBoard", label="TensorBoard", definition="event files, scalars by global step", order=2)


class TensorBoard(Logger):
    """Event files. Each attempt has one of its own, which tells readers to leave out what it makes void of others."""

    def __init__(self, folder: Path, about: About, step: int):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(
                f"the logger tensorboard needs a package ({error}): pip install tensorboard, or take it out of "
                "compute.logs"
            ) from None
        if step == 0:
            for path in folder.glob("events.out.tfevents.*"):  # of a training that is replaced
                path.unlink()
        self.writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def log(self, table: str, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(f"{table}/{name}", value, step)

    def flush(self) -> None:
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()
