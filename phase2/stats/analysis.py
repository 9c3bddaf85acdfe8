"""The statistics of a study: one call from its cells to its tables."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import pandas as pd

from phase2.stats.design import Design, design
from phase2.stats.divergence import divergence
from phase2.stats.factorial import variance
from phase2.stats.paired import pairs
from phase2.stats.ranking import level_means, ranking
from phase2.stats.score import scored
from phase2.study.factors import factors_of
from phase2.study.score import Score


def analyse(cells: pd.DataFrame, factors: list[str], score: Score) -> dict[str, pd.DataFrame]:
    """The tables of a study whose cells are compared by `score`, from one row a cell.

    `factors` are the design's axes in order; `seed` is the block, and is left out of them if named. The first four
    tables hold both of the score's measures (a diverged cell is scored at chance), and the seed is the unit of
    inference everywhere: n counts seeds.

    - ranking: measure, rank, <factors>, mean, low, high, n, behind, behind_low, behind_high, p_best
    - levels: measure, factor, level, mean, low, high, n
    - pairs: measure, factor, a, b, difference, low, high, p_t, p_holm, p_signflip, effect, n
    - variance: measure, term, df, share, low, high, omega2, F, p
    - divergence: <factors>, cells, diverged, stuck, diverged_fraction, stuck_fraction, first_step,
      median_step
    - score: metric, label, unit, better, chance, loss_unit

    Raises `UserError` if cells of the grid are missing or repeated.
    """
    factors = factors_of(factors)
    tables: dict[str, list[pd.DataFrame]] = {"ranking": [], "levels": [], "pairs": [], "variance": []}
    ranked = partial(ranking, sign=score.sign)
    makers: dict[str, Callable[[Design], pd.DataFrame]]
    makers = {"ranking": ranked, "levels": level_means, "pairs": pairs, "variance": variance}
    for measure in score.measures:
        grid = design(cells, factors, scored(cells, measure, score.chance))
        for name, make in makers.items():
            table = make(grid)
            table.insert(0, "measure", measure)
            tables[name].append(table)
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    return {**joined, "divergence": divergence(cells, factors, score), "score": pd.DataFrame([asdict(score)])}
