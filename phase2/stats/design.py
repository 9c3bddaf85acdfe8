"""A balanced factorial design: every combination of levels once a seed, as one array."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from phase2.errors import UserError
from phase2.study.factors import SEED


@dataclass(frozen=True)
class Design:
    """Scores on a full grid. `values` has shape (levels of factor 1, ..., levels of factor k, seeds)."""

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

    def by_level(self, factor: str) -> np.ndarray:
        """Each seed's mean over the other factors, (levels, seeds)."""
        axis = self.factors.index(factor)
        others = tuple(i for i in range(len(self.factors)) if i != axis)
        return self.values.mean(axis=others)


def design(cells: pd.DataFrame, factors: list[str], values: pd.Series) -> Design:
    """Arranges one value a cell on the grid of `factors` and seed; levels keep their order of appearance.

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
    array[places] = values.to_numpy(float)
    return Design(tuple(factors), tuple(levels[:-1]), levels[-1], array)
