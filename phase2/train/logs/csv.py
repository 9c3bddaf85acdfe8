"""Logs as CSV: `steps.csv` and `epochs.csv`, whatever other loggers there are."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from phase2.card import Card
from phase2.files import write_text
from phase2.train.logs.logger import EPOCHS, STEPS, About, Logger

CARD = Card("logger", "Csv", label="CSV files", definition="a row a step, a row an epoch", order=1)


class Csv(Logger):
    """A file a table, its first column the step. What is void is cut off when a training goes on."""

    def __init__(self, folder: Path, about: About, step: int):
        self.folder = folder
        self.files: dict[str, TextIO] = {}
        for table in (STEPS, EPOCHS):
            _cut(path_of(folder, table), step)

    def log(self, table: str, step: int, values: Mapping[str, float]) -> None:
        path = path_of(self.folder, table)
        if table not in self.files:
            new = not path.exists()
            self.files[table] = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115 (closed by close)
            if new:
                csv.writer(self.files[table], lineterminator="\n").writerow(["step", *values])
        csv.writer(self.files[table], lineterminator="\n").writerow([step, *values.values()])

    def flush(self) -> None:
        for file in self.files.values():
            file.flush()

    def close(self) -> None:
        for file in self.files.values():
            file.close()


def path_of(folder: Path, table: str) -> Path:
    """The file of a table."""
    return folder / f"{table}.csv"


def last_row(folder: Path, table: str) -> dict[str, float]:
    """The last row of a table, by column; empty if there is none."""
    try:
        with open(path_of(folder, table), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return {}
    return {name: float(value) for name, value in rows[-1].items()} if rows else {}


def _cut(path: Path, step: int) -> None:
    """Leaves of a file what was whole by a step, and nothing of a training that begins anew."""
    if step == 0 or not path.exists():
        path.unlink(missing_ok=True)
        return
    head, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and int(line.split(",", 1)[0]) <= step]
    write_text(path, "".join([head, *kept]))
