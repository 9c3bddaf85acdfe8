"""Words and numbers that the sentences on all probes share."""

import math

import numpy as np
import pandas as pd

from phase2.report.conclusions import FEW_SEEDS
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import MISSING, described, escape, plural
from phase2.words.levels import label

ENDS = {"Least": min, "Most": max}
NOTHING = "Nothing finite was measured, so there is nothing to conclude."
TOO_FEW = "There are too few seeds for a spread or a verdict."


def named(level: object) -> str:
    """A level, a method or a score as the reader sees it."""
    return escape(label(level).replace("_", " "))


def dataset(name: str) -> str:
    """A data set with its citation."""
    return described("dataset", name)


def setting(probe: ProbeInputs, say: Say, name: str, noun: str) -> str:
    """An option as a macro: its number, or how many it lists, with the noun."""
    value = get(probe.config, name)
    amount, how = (len(value), f"number of {name}") if isinstance(value, list) else (value, name)
    return say(name, plural(amount, noun), "config", how)


def significant(value: float, digits: int = 3) -> str:
    """A number of any size in math mode, with so many significant digits; a dash if it is missing or infinite."""
    if not math.isfinite(value):
        return MISSING
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"


def mean_of(values: pd.Series, digits: int = 2, unit: str = "") -> str:
    r"""The mean over seeds, a value each; with enough of them \pm their standard deviation."""
    values = values.dropna()
    if values.empty:
        return MISSING
    spread = rf" \pm {values.std():.{digits}f}" if enough(len(values)) else ""
    text = f"${values.mean():.{digits}f}{spread}$"
    return f"({text}){unit}" if spread and unit else f"{text}{unit}"


def percent_of(fractions: pd.Series) -> str:
    """As `mean_of`, in percent."""
    return mean_of(100 * fractions, unit=r"\%")


def enough(seeds: int) -> bool:
    """Whether a spread or a verdict over so many seeds is worth its name."""
    return seeds >= FEW_SEEDS


def reading(seeds: int) -> str:
    """How the numbers of `mean_of` are to be read: the last sentence of a finding that has them."""
    if enough(seeds):
        return r"A number with a $\pm$ is a mean over the seeds and their standard deviation."
    return f"Numbers are means over the seeds. {TOO_FEW}"


def leader(scores: pd.DataFrame) -> tuple[str, int]:
    """The column of the largest mean over the rows (seeds), and in how many rows no other is ahead of it."""
    first = scores.mean().idxmax()
    return str(first), int((scores[first] >= scores.max(axis=1)).sum())


def consistently(hits: int, seeds: int, name: str, table: str, say: Say) -> str:
    """In how many seeds something holds that holds in the mean; nothing if there are too few of them."""
    if not enough(seeds):
        return ""
    if hits == seeds:
        return ", in every seed"
    part = say(f"Seeds {name}", f"{hits} of {seeds}", table, "seeds in which it holds, of all")
    return f", though only in {part} seeds"


def finite(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows whose `columns` are numbers."""
    numbers = table[list(columns)].astype(float).replace([np.inf, -np.inf], np.nan)
    return table.loc[numbers.dropna().index]
