"""Figures of a study show the score of its task: its name, its unit, and what is better by it."""

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from synthetic import BRIER, SCORE, derived, judged_by, runs
from test_figures_of_any_outcome import GRIDS, OF_STUDIES, study

from phase2.figures.catalog import FIGURES, load
from phase2.study.score import Score

GRID = {"optimizer": ["sgd", "adam"], "lr": [0.001, 0.01, 0.1]}


def made_up(grid, score=BRIER):
    return derived(*judged_by(score, *runs(grid)), list(grid), score)


def draw(name, made):
    return load(name)(**{table: made[table] for table in FIGURES[name].tables})


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


@pytest.mark.parametrize("name", OF_STUDIES)
def test_no_figure_of_another_metric_speaks_of_accuracy_percent_or_nats(name):
    made = study(GRIDS.get(name, GRID | {"schedule": ["constant"]}), score=BRIER)
    figure = draw(name, made)
    told = " ".join([*texts(figure), BRIER.told(FIGURES[name].caption)])
    assert "ccuracy" not in told
    assert "nats" not in told
    assert "points" not in told
    if "score" in FIGURES[name].tables and name not in ("training_dynamics", "divergence"):
        assert "Brier score" in told


@pytest.mark.parametrize("name", OF_STUDIES)
def test_captions_have_no_field_left(name):
    assert "{" not in SCORE.told(FIGURES[name].caption)


def test_the_least_is_the_brightest_where_less_is_better():
    made = made_up(GRID)
    axes = draw("score_heatmap", made).axes[0]
    image = axes.images[0]
    values = np.asarray(image.get_array())
    best = image.to_rgba(values)[np.unravel_index(np.nanargmin(values), values.shape)]
    assert tuple(best) == matplotlib.colormaps["cividis"](1.0)


def test_a_ring_marks_the_rate_of_the_least_mean_where_less_is_better():
    made = made_up(GRID)
    axes = draw("lr_sensitivity", made).axes[0]
    rings = [each for each in axes.collections if not len(each.get_facecolors()) and len(each.get_edgecolors())]
    final = made["ranking"].query("measure == 'val_brier' and optimizer == 'sgd'")
    np.testing.assert_allclose(rings[0].get_offsets()[0], final.nsmallest(1, "mean")[["lr", "mean"]].iloc[0])


def test_nothing_is_below_the_best_at_a_budget_where_less_is_better():
    made = made_up({"schedule": ["constant", "cosine"], "epochs": [2, 8]})
    heights = np.array([line.get_ydata() for line in draw("budget_curves", made).axes[1].lines], float)
    np.testing.assert_allclose(heights.min(axis=0), 0, atol=1e-12)


def test_a_cell_that_diverged_at_once_is_marked_at_the_worse_end():
    def ends(score):
        axes = draw("learning_curves", study(GRID, lived=0, score=score)).axes[0]
        crosses = [each for each in axes.collections if isinstance(each, PathCollection) and len(each.get_offsets())]
        places = [each.get_offset_transform().transform(each.get_offsets()) for each in crosses]
        return [axes.transAxes.inverted().transform(place)[0, 1] for place in places]

    assert ends(SCORE) == pytest.approx([0.0] * 3)
    assert ends(BRIER) == pytest.approx([1.0] * 3)


def test_a_share_in_percent_of_which_less_is_better_is_shown_times_a_hundred():
    wrong = Score("wrong", "wrong answers", unit="%", better="lower", chance=0.9, loss_unit="nats")
    made = made_up(GRID, wrong)
    axes = draw("lr_sensitivity", made).axes[0]
    assert "validation wrong answers (%)" in texts(axes.figure)
    assert axes.lines[0].get_ydata().min() > 1
