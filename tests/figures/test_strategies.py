"""The figures that compare strategies: rates, decays, budgets, and the learning curves of the best settings."""

import numpy as np
import pytest
from synthetic import BRIER, SCORE, all_diverged, derived, judged_by, runs, tables
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.figures.catalog import FIGURES, load
from phase2.figures.style import PALETTE

RATES = [0.001, 0.01, 0.1]
GRIDS = {
    "lr_sensitivity": {"optimizer": ["sgd", "adam"], "lr": RATES, "init": ["kaiming", "normal_large"]},
    "decay_map": {"optimizer": ["adam", "adamw"], "lr": RATES, "weight_decay": [0.0, 0.01, 0.1]},
    "budget_curves": {"schedule": ["constant", "cosine"], "epochs": [2, 8]},
    "best_curves": {"optimizer": ["sgd", "adam"], "lr": RATES},
}
ALONE = {
    "lr_sensitivity": {"lr": RATES},
    "decay_map": {"lr": [0.1], "weight_decay": [0.0]},
    "budget_curves": {"epochs": [3]},
    "best_curves": {"optimizer": ["sgd"]},
}


def draw(name, made):
    return load(name)(**{table: made[table] for table in FIGURES[name].tables})


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_fits_the_page(name):
    made = tables(GRIDS[name])
    figure = draw(name, made)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 5


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("strange", ["one factor", "one seed", "all diverged"])
def test_small_and_broken_studies_are_drawn_without_a_warning(name, strange):
    made = {
        "one factor": lambda: tables(ALONE[name], seeds=3, epochs=4),
        "one seed": lambda: tables(GRIDS[name], seeds=1, epochs=2),
        "all diverged": lambda: all_diverged(GRIDS[name]),
    }[strange]()
    check_every_text_is_inside_and_readable(draw(name, made))


def test_lines_are_means_by_rate_and_a_ring_marks_the_best():
    made = tables({"optimizer": ["sgd", "adam"], "lr": RATES})
    axes = draw("lr_sensitivity", made).axes[0]
    final = made["ranking"].query("measure == 'val_accuracy'")
    for index, optimizer in enumerate(["sgd", "adam"]):
        rows = final[final.optimizer == optimizer].sort_values("lr")
        np.testing.assert_allclose(axes.lines[index].get_xydata(), rows[["lr", "mean"]] * [1, 100])
    rings = [c for c in axes.collections if not len(c.get_facecolors()) and len(c.get_edgecolors())]
    best = final[final.optimizer == "sgd"].nlargest(1, "mean")
    np.testing.assert_allclose(rings[0].get_offsets(), best[["lr", "mean"]] * [1, 100])
    assert not counts(axes)


def counts(axes):
    """The counts of failed seeds."""
    return [text for text in axes.texts if text.get_text().startswith("×")]


@pytest.mark.parametrize("score", [SCORE, BRIER])
def test_failures_at_a_rate_are_counted_between_the_axis_and_its_numbers(score):
    cells, curves = runs({"optimizer": ["sgd", "adam"], "lr": RATES}, seeds=5)
    lost = (cells.optimizer == "adam") & (cells.lr == 0.1) & (cells.seed < 2)
    cells.loc[lost, "status"] = "diverged"
    if score != SCORE:
        cells, curves = judged_by(score, cells, curves)
    axes = draw("lr_sensitivity", derived(cells, curves, ["optimizer", "lr"], score)).axes[0]
    (count,) = counts(axes)
    assert (count.get_text(), count.get_position()[0], count.get_color()) == ("×2", 0.1, PALETTE[1])
    axes.figure.draw_without_rendering()
    box, numbers = count.get_window_extent(), [tick.get_window_extent() for tick in axes.get_xticklabels()]
    assert max(number.y1 for number in numbers) <= box.y0 < box.y1 < axes.get_window_extent().y0


def test_every_rate_has_a_tick_and_labels_that_would_touch_are_left_out():
    made = tables({"optimizer": ["sgd", "adam"], "lr": [0.02, 0.025, 0.1], "init": ["kaiming", "xavier"]})
    axes = draw("lr_sensitivity", made).axes[0]
    assert list(axes.get_xticks()) == [0.02, 0.025, 0.1]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.02", "", "0.1"]
    assert not len(axes.get_xticks(minor=True))


def test_a_map_writes_every_mean_frames_the_best_and_dots_what_may_be_the_best():
    made = tables(GRIDS["decay_map"], seeds=8)
    final = made["ranking"].query("measure == 'val_accuracy' and optimizer == 'adam'")
    grid, may = (final.pivot(index="weight_decay", columns="lr", values=kind) for kind in ("mean", "may_be_best"))
    axes = draw("decay_map", made).axes[0]
    for text in axes.texts:
        column, row = map(int, text.get_position())
        assert text.get_text() == f"{100 * grid.iat[row, column]:.1f}" + (" •" if may.iat[row, column] else "")
    row, column = np.unravel_index(grid.to_numpy().argmax(), grid.shape)
    assert [patch.get_xy() for patch in axes.patches] == [(column - 0.5, row - 0.5)]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.001", "0.01", "0.1"]


def test_the_best_at_a_budget_is_behind_by_nothing_and_no_one_by_less():
    made = tables({"schedule": ["constant", "cosine", "one_cycle"], "epochs": [2, 8]})
    _, behind = draw("budget_curves", made).axes
    heights = np.array([line.get_ydata() for line in behind.lines], float)
    assert heights.shape == (3, 2)
    np.testing.assert_allclose(heights.min(axis=0), 0, atol=1e-12)


def test_eight_lines_have_eight_colours_markers_and_dashes():
    schedules = ["constant", "step", "cosine", "warm_restarts", "one_cycle", "linear", "exponential", "polynomial"]
    axes = draw("budget_curves", tables({"schedule": schedules, "epochs": [2, 8]}, seeds=2)).axes[0]
    looks = [(line.get_color(), line.get_marker(), str(line._unscaled_dash_pattern)) for line in axes.lines]
    assert [len(set(kind)) for kind in zip(*looks, strict=True)] == [8, 8, 8]


def test_curves_are_those_of_each_levels_best_setting():
    made = tables(GRIDS["best_curves"])
    figure = draw("best_curves", made)
    final = made["ranking"].query("measure == 'val_accuracy'")
    curves, cells = made["curves"][made["curves"].split == "val"], made["cells"]
    for index, optimizer in enumerate(["sgd", "adam"]):
        lr = final[final.optimizer == optimizer].nlargest(1, "mean").lr.iloc[0]
        chosen = cells[(cells.optimizer == optimizer) & (cells.lr == lr)].id
        mean = curves[curves.id.isin(chosen)].groupby("epoch").accuracy.mean()
        np.testing.assert_allclose(figure.axes[1].lines[index].get_ydata(), 100 * mean)
        assert f"learning rate {lr:g}" in figure.legends[0].texts[index].get_text()
