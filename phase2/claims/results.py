"""The results that a claim is about: the tables of one study or probe, and what can be asked of them seed by seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from phase2.claims.evidence import Estimate, Verdict, estimate
from phase2.errors import UserError, unknown
from phase2.study.factors import SEED
from phase2.study.score import Score
from phase2.words.labels import word

Draw = Mapping[tuple[Any, ...], tuple[int, ...]]  # of each set of seeds: the places in it that were drawn


@dataclass(frozen=True)
class Results:
    """The tables of a study or a probe by name. `axes` are those of a study, `score` by what its cells are compared;
    `images` are how many it trained on, `steps` how many its shortest trainings made, and `most_steps` its longest.
    """

    name: str
    tables: Mapping[str, pd.DataFrame]
    axes: Mapping[str, list[Any]] = field(default_factory=dict)
    score: Score | None = None
    images: int = 0
    steps: int = 0
    most_steps: int = 0

    def table(self, name: str) -> pd.DataFrame:
        """A table, as a copy: what a claim does to it, no other sees; raises `UserError` for one that there is not."""
        if name not in self.tables:
            raise unknown(f"table of {self.name}", name, self.tables)
        return self.tables[name].copy()

    @cached_property
    def seeds(self) -> list[Any]:
        """The seeds behind the tables."""
        found = [table[SEED] for table in self.tables.values() if SEED in table]
        return sorted(pd.concat(found).unique()) if found else []

    @property
    def cells(self) -> pd.DataFrame:
        """The cells of a study, a row each."""
        return self.table("cells")

    @property
    def test(self) -> str:
        """The column of the cells' scores on the test part."""
        return self._score.test_column

    @property
    def validation(self) -> str:
        """The column of the cells' scores on the validation part."""
        return self._score.column

    @property
    def _score(self) -> Score:
        if self.score is None:
            raise UserError(f"{self.name} has no score: it is no study")
        return self.score

    def rows(self, table: str = "cells", **where: Any) -> pd.DataFrame:
        """The rows of a table in which each of these columns has this value, or one of these; raises `UserError` for a
        column or a value that there is not.
        """
        found = self.table(table)
        for column, value in where.items():
            self._check(column, table)
            values = value if isinstance(value, (list, tuple)) else [value]
            if lacking := set(values) - set(self.tables[table][column]):
                raise UserError(f"{self.name}/{table} has no {column} {', '.join(map(str, lacking))}")
            found = found[found[column].isin(values)]
        return found

    def _check(self, column: str, table: str = "cells") -> None:
        """Raises `UserError`, with the nearest name, for a column that a table has not."""
        if table in self.tables and column not in self.tables[table]:
            raise unknown(f"column of {self.name}/{table}", column, map(str, self.tables[table]))

    def by_seed(self, column: str, table: str = "cells", **where: Any) -> pd.Series:
        """The mean of a column for each seed, over those of its rows that have a number."""
        self._check(column, table)
        rows = self.rows(table, **where)
        values = pd.to_numeric(rows[column], errors="coerce")
        return values.groupby(rows[SEED]).mean().dropna()

    def mean(self, column: str, unit: str = "", table: str = "cells", **where: Any) -> Estimate:
        """The mean of a column over the seeds."""
        return estimate(self.by_seed(column, table, **where), unit)

    def difference(
        self, axis: str, a: Any, b: Any, column: str = "", unit: str = "", table: str = "cells", **where: Any
    ) -> Estimate:
        """By how much a column is larger at level `a` of an axis than at level `b`, within each seed and each
        combination of the other axes, where both have a number. The column of a study is its test score.
        """
        return estimate(self.differences(axis, a, b, column, table, **where), unit or self._points(column))

    def differences(self, axis: str, a: Any, b: Any, column: str = "", table: str = "cells", **where: Any) -> pd.Series:
        """The differences of `difference`, one a seed."""
        column = column or self.test
        self._check(column, table)
        others = [name for name in self._keys(table) if name != axis]
        one, other = (self.rows(table, **{**where, axis: level}) for level in (a, b))
        paired = one[[*others, column]].merge(other[[*others, column]], on=others, suffixes=("_a", "_b"))
        gaps = pd.to_numeric(paired[f"{column}_a"]) - pd.to_numeric(paired[f"{column}_b"])
        return gaps.groupby(paired[SEED]).mean().dropna()

    def powers(self, x: str, y: str, table: str, **where: Any) -> pd.Series:
        """The power of x with which y goes, by least squares of their logarithms, seed by seed."""
        rows = self.rows(table, **where)
        logs = pd.DataFrame({name: np.log(rows[name]) for name in (x, y)}).assign(**{SEED: rows[SEED]})
        return logs.groupby(SEED).apply(lambda of: np.polyfit(of[x], of[y], 1)[0])

    def share_above(self, bound: float, **where: Any) -> Estimate:
        """Which share of these cells has a validation score better than a bound, seed by seed; one that diverged has
        none.
        """
        rows = self.rows(**where)
        worth = self._score.sign * pd.to_numeric(rows[self.validation], errors="coerce")
        return estimate((worth > self._score.sign * bound).groupby(rows[SEED]).mean(), "%")

    def share_finished(self, **where: Any) -> Estimate:
        """Which share of these cells did not diverge, seed by seed."""
        rows = self.rows(**where)
        return estimate((rows["status"] == "ok").groupby(rows[SEED]).mean(), "%")

    def best_level(self, axis: str, **where: Any) -> Any:
        """The level of an axis that is best on validation, by the mean over seeds and the other axes; one at which a
        seed diverged is not.
        """
        self._check(axis)
        rows = self.rows(**where)
        worth = self._score.sign * pd.to_numeric(rows[self.validation], errors="coerce")
        means = worth.groupby(rows[axis]).agg(lambda values: values.mean(skipna=False))
        return means.idxmax()

    def encloses_best(self, axis: str, *places: Mapping[str, Any]) -> Verdict:
        """Whether the best level of an axis of numbers, at each of these levels of the others, has a worse one on
        either side; else why it cannot be said: nothing is known of what lies beyond.
        """
        for where in places:
            levels, best = self.rows(**where)[axis], self.best_level(axis, **where)
            if not levels.min() < best < levels.max():
                end = "largest" if best == levels.max() else "smallest"
                at = ", ".join(f"{word(name) or name} {word(str(level)) or level}" for name, level in where.items())
                return f"the best {word(axis) or axis} at {at} is the {end} tried, {best:g}"
        return True

    def _points(self, column: str) -> str:
        return self._score.points if self.score and column in ("", self.test, self.validation) else ""

    def _keys(self, table: str) -> list[str]:
        """The columns that tell the rows of a table apart: of cells the axes, of a probe's all without decimals."""
        if table == "cells":
            return list(self.axes)
        found = self.table(table)
        return [str(name) for name in found if name == SEED or not pd.api.types.is_float_dtype(found[name])]

    def at_best(self, *over: str) -> "Results":
        """The same with each combination of the other axes at the levels of these that are best on validation, chosen
        by the mean over the seeds of what finished at every one of them.
        """
        for axis in over:
            self._check(axis)
        cells, others = self.cells, [name for name in self.axes if name not in (*over, SEED)]
        if not [*others, *over]:  # there is one setting alone
            return self
        worth = self._score.sign * pd.to_numeric(cells[self.validation], errors="coerce")
        means = cells[[*others, *over]].assign(worth=worth).groupby([*others, *over], sort=False, as_index=False)
        table = means.agg(worth=("worth", lambda values: values.mean(skipna=False)))
        table = table.sort_values("worth", ascending=False, kind="stable", na_position="last")
        best = table.drop_duplicates(others) if others else table.head(1)
        chosen = cells.merge(best[[*others, *over]], on=[*others, *over])
        axes = {name: levels for name, levels in self.axes.items() if name not in over}
        return replace(self, tables={**self.tables, "cells": chosen}, axes=axes)

    def beat_linear(self) -> Verdict:
        """Whether the setting that is best on validation beats the linear baseline there; None if it cannot be said,
        and True of a study that has none.
        """
        if "baseline" not in self.tables or self.score is None:
            return True
        linear = self.rows("baseline", model="logistic")["val_score"].iloc[0]
        best = self.at_best(*[axis for axis in self.axes if axis != SEED])
        return estimate(self._score.sign * (best.by_seed(self.validation) - linear)).above()

    def draw(self, rng: np.random.Generator) -> Draw:
        """As many seeds as there are, drawn with replacement, for each set of seeds that tables are of; in their order,
        since only which ones they are counts.
        """
        known = dict.fromkeys(_seeds_of(table) for table in self.tables.values())
        return {seeds: tuple(sorted(rng.integers(len(seeds), size=len(seeds)).tolist())) for seeds in known if seeds}

    def resampled(self, drawn: Draw) -> "Results":
        """The same results of the seeds that were drawn: the same ones in all tables of the same seeds. What has no
        seed stays.
        """
        return replace(self, tables={name: _resampled(table, drawn) for name, table in self.tables.items()})


def _seeds_of(table: pd.DataFrame) -> tuple[Any, ...]:
    return tuple(sorted(table[SEED].unique())) if SEED in table else ()


def _resampled(table: pd.DataFrame, drawn: Draw) -> pd.DataFrame:
    known = _seeds_of(table)
    if not known:
        return table
    rows = table.groupby(SEED).indices
    parts = [rows[known[place]] for place in drawn[known]]
    seeds = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return table.iloc[np.concatenate(parts)].assign(**{SEED: seeds})
