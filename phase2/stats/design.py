"""A balanced factorial design: every combination of levels once a seed, as one array."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from phase2.errors import UserError
from phase2.study.factors import SEED


@dataclass(frozen=True)
class Design:
    """Scores on a full grid. `values` has shape (levels of factor 1, ..., levels of factor k, seeds); a run that failed
    has none: NaN, never a guess.
    """

    factors: tuple[str, ...]
    levels: tuple[tuple, ...]
    seeds: tuple
    values: np.ndarray

    def combinations(self) -> list[tuple]:
        """Every combination of levels, in the order of `values` flattened to (combinations, seeds)."""
        return list(product(*self.levels))

    def by_combination(self) -> np.ndarray:
        """The scores, (combinations, seeds)."""
        return self.values.reshape(-1, len(self.seeds))

    def runs_of(self, factor: str) -> np.ndarray:
        """The scores at each level, (levels, combinations of the other factors, seeds)."""
        axis = self.factors.index(factor)
        return np.moveaxis(self.values, axis, 0).reshape(len(self.levels[axis]), -1, len(self.seeds))

    def by_level(self, factor: str) -> np.ndarray:
        """Each seed's mean over those combinations of the other factors at which every level finished at every seed,
        (levels, seeds): means over different combinations cannot be compared. NaN if there is none.
        """
        runs = self.runs_of(factor)
        common = np.isfinite(runs).all(axis=(0, 2))
        return runs[:, common].mean(axis=1) if common.any() else np.full((len(runs), len(self.seeds)), np.nan)

    def failures(self, factor: str) -> np.ndarray:
        """How many runs failed at each level, (levels,)."""
        return np.isnan(self.runs_of(factor)).sum(axis=(1, 2))

    def difference(self, factor: str, a: object, b: object) -> np.ndarray:
        """What level `a` scores above `b` at each seed, (seeds,): the mean over those combinations of the others at
        which both finished at every seed; NaN if there is none. Of a single combination, NaN at a seed that failed.
        """
        runs, levels = self.runs_of(factor), self.levels[self.factors.index(factor)]
        gaps = runs[levels.index(a)] - runs[levels.index(b)]
        whole = gaps if len(gaps) == 1 else gaps[np.isfinite(gaps).all(axis=1)]
        return whole.mean(axis=0) if len(whole) else np.full(len(self.seeds), np.nan)


def finished(cells: pd.DataFrame, measure: str) -> pd.Series:
    """The cells' values of `measure`, NaN for a run that failed: that diverged, or has no finite value."""
    values = cells[measure].astype(float)
    return values.where(np.isfinite(values) & (cells["status"] == "ok"))


def design(cells: pd.DataFrame, factors: list[str], measure: str) -> Design:
    """Arranges the cells' values of `measure` on the grid of `factors` and seed; levels keep their order of appearance.

    Raises `UserError` if a combination is missing or is there twice: the analysis is of a balanced design.
    """
    axes = [*factors, SEED]
    if cells.empty:
        raise UserError("no cells to analyse: expected one row a training run; run the grid first")
    if repeated := int(cells.duplicated(axes).sum()):
        raise UserError(f"{repeated} cells repeat the same {', '.join(axes)}: expected one row a combination")
    levels = [tuple(cells[axis].unique()) for axis in axes]
    shape = [len(level) for level in levels]
    if missing := int(np.prod(shape)) - len(cells):
        raise UserError(
            f"{missing} of {int(np.prod(shape))} cells of the grid {' x '.join(axes)} are missing: expected "
            "every combination once a seed; run the missing cells (snakemake grid), then analyse again"
        )
    places = tuple(pd.Categorical(cells[axis], level).codes for axis, level in zip(axes, levels, strict=True))
    array = np.empty(shape)
    array[places] = finished(cells, measure).to_numpy(float)
    return Design(tuple(factors), tuple(levels[:-1]), levels[-1], array)
