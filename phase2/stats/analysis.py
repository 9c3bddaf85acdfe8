"""The statistics of a study: one call from its cells to its tables."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import pandas as pd

from phase2.stats.chosen import chosen
from phase2.stats.design import Design, design
from phase2.stats.divergence import divergence
from phase2.stats.factorial import variance
from phase2.stats.paired import pairs
from phase2.stats.ranking import level_means, ranking
from phase2.study.factors import factors_of
from phase2.study.score import Score


def analyse(cells: pd.DataFrame, factors: list[str], score: Score) -> dict[str, pd.DataFrame]:
    """The tables of a study whose cells are compared by `score`, from one row a cell.

    `factors` are the design's axes in order; `seed` is the block, and is left out of them if named. The first four
    tables hold both of the score's measures, which are of the validation part, and the seed is the unit of inference
    everywhere: n counts the seeds that finished. A run that failed (diverged, or without a finite score) is counted and
    is in no mean. Below five seeds there are ranges (least, most), and neither intervals nor paired tests: NaN.

    - ranking: measure, rank, <factors>, mean, low, high, least, most, n, failed, behind, behind_low, behind_high,
      may_be_best
    - levels: measure, factor, level, mean, low, high, least, most, n, failed
    - pairs: measure, factor, a, b, difference, low, high, least, most, p_t, p_holm, effect, n, failed_a, failed_b
    - variance: measure, term, df, share, omega2, F, p, n, failed
    - divergence: <factors>, cells, diverged, stuck, diverged_fraction, stuck_fraction, first_step,
      median_step
    - chosen: <factors>, val_mean, test_mean, low, high, least, most, n, failed; one row, the best on validation, and
      the only one whose test score is read
    - score: metric, label, unit, better, chance, loss_unit

    Raises `UserError` if cells of the grid are missing or repeated.
    """
    factors = factors_of(factors)
    tables: dict[str, list[pd.DataFrame]] = {"ranking": [], "levels": [], "pairs": [], "variance": []}
    ranked = partial(ranking, score=score)
    makers: dict[str, Callable[[Design], pd.DataFrame]]
    makers = {"ranking": ranked, "levels": level_means, "pairs": pairs, "variance": variance}
    for measure in score.measures:
        grid = design(cells, factors, measure)
        for name, make in makers.items():
            table = make(grid)
            table.insert(0, "measure", measure)
            tables[name].append(table)
    best = chosen(cells, tables["ranking"][0], factors, score)
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    told = {"divergence": divergence(cells, factors, score), "chosen": best, "score": pd.DataFrame([asdict(score)])}
    return joined | told
