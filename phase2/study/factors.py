"""The factors of a study: the axes whose levels are compared. The seed is none, since comparisons are paired by it."""

from collections.abc import Collection, Iterable
from typing import Any

SEED = "seed"
KEYS = ("id", "study", "measure", "rank")  # columns of tables that say which row it is


def factors_of(names: Iterable[Any], before: str | None = None, without: Collection[str] = ()) -> list[str]:
    """The factors among the axes of a study; or, where `before` names its first column of what was found, those among
    the columns of a table. `without` leaves out some that have a place of their own.

    >>> factors_of(["activation", "seed", "lr"], without=["lr"])
    ['activation']
    >>> factors_of(["measure", "rank", "activation", "mean", "low"], before="mean")
    ['activation']
    """
    names = list(names)
    if before is not None:
        names = [name for name in names[: names.index(before)] if name not in KEYS]
    return [name for name in names if name != SEED and name not in without]
