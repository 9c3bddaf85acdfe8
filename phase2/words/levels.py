"""Levels of factors as a reader sees them: printed form, order, combinations. Imports no matplotlib."""

from itertools import product

import numpy as np
import pandas as pd

from phase2.words.labels import none_of, place, word

NONE = "none"  # the level of a factor at which there is none of it
SEPARATOR = " · "  # between the levels of a combination; N(0, 1) has a comma of its own


def label(value: object) -> str:
    """The printed form of a level or a factor; an unknown name as it is, but for a number that a column of
    words has spelt out: 1.0 is 1.
    """
    number = _number(value)
    return f"{number:g}" if number is not None else word(str(value)) or str(value)


def term_label(term: str) -> str:
    """The printed form of a variance term.

    >>> term_label("activation:init")
    'activation × initialization'
    """
    return " × ".join(label(factor) for factor in term.split(":"))


def printed(values: pd.Series) -> pd.Series:
    """A factor's levels as ordered categorical labels: known names in their order, numbers by size, others as they
    appear.

    A level that is not a word says whose it is: `depth 4`, `peepholes` or `no peepholes`.
    """
    levels = sorted(values.unique(), key=_place)
    names = {level: _printed(str(values.name), level) for level in levels}
    return pd.Series(pd.Categorical(values.map(names), list(names.values())), values.index)


def _printed(factor: str, level: object) -> str:
    if isinstance(level, (bool, np.bool_)):
        return label(factor) if level else f"no {label(factor)}"
    if _number(level) is not None:
        return f"{label(factor)} {label(level)}"
    return none_of(factor) if level == NONE else label(level)


def _place(level: object) -> tuple[int, float]:
    number = _number(level)
    return place(str(level)), 0.0 if number is None else number


def _number(level: object) -> float | None:
    """The number that a level is or spells; None for a word."""
    try:
        return None if isinstance(level, str) and level.lower().strip("+-") in ("nan", "inf") else float(level)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def crossed(table: pd.DataFrame, factors: list[str]) -> pd.Series:
    """The combination of `factors` in each row as one ordered categorical, `""` if there are none."""
    if not factors:
        return pd.Series(pd.Categorical([""] * len(table), [""]), table.index)
    parts = [printed(table[factor]) for factor in factors]
    joined = pd.Series([SEPARATOR.join(row) for row in zip(*parts, strict=True)], table.index, dtype=object)
    possible = (SEPARATOR.join(row) for row in product(*(part.cat.categories for part in parts)))
    seen = set(joined)
    return pd.Series(pd.Categorical(joined, [name for name in possible if name in seen]), table.index)


def faceted(table: pd.DataFrame, factors: list[str]) -> pd.DataFrame:
    """`table` with columns `row`, `column`, `panel`: the first factor, the second, and all others crossed."""
    return table.assign(
        row=crossed(table, factors[:1]),
        column=crossed(table, factors[1:2]),
        panel=crossed(table, factors[2:]),
    )


def facets(table: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """The names of all rows, columns and panels of a faceted table, in order."""
    rows, columns, panels = (list(table[name].cat.categories) for name in ("row", "column", "panel"))
    return rows, columns, panels
