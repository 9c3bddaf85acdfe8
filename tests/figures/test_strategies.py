"""The figures that compare strategies: rates, decays, budgets, and the learning curves of the best settings."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from synthetic import all_diverged, tables
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
    made["divergence"].loc[made["divergence"].lr == 0.1, "diverged"] = 1
    axes = draw("lr_sensitivity", made).axes[0]
    final = made["ranking"].query("measure == 'test_accuracy'")
    for index, optimizer in enumerate(["sgd", "adam"]):
        rows = final[final.optimizer == optimizer].sort_values("lr")
        np.testing.assert_allclose(axes.lines[index].get_xydata(), rows[["lr", "mean"]] * [1, 100])
    rings = [c for c in axes.collections if not len(c.get_facecolors()) and len(c.get_edgecolors())]
    best = final[final.optimizer == "sgd"].nlargest(1, "mean")
    np.testing.assert_allclose(rings[0].get_offsets(), best[["lr", "mean"]] * [1, 100])
    crosses = [c for c in axes.collections if len(c.get_offsets()) == 1 and c.get_offsets()[0][0] == 0.1]
    assert any(np.allclose(c.get_edgecolors()[0], to_rgba(PALETTE[0])) and c.get_offsets()[0][1] < 0.2 for c in crosses)


def test_a_map_writes_every_mean_and_joins_the_best_decay_of_each_rate():
    made = tables(GRIDS["decay_map"])
    final = made["ranking"].query("measure == 'test_accuracy' and optimizer == 'adam'")
    grid = final.pivot(index="weight_decay", columns="lr", values="mean")
    axes = draw("decay_map", made).axes[0]
    for text in axes.texts:
        column, row = map(int, text.get_position())
        assert text.get_text() == f"{100 * grid.iat[row, column]:.1f}"
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), grid.to_numpy().argmax(axis=0))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.001", "0.01", "0.1"]


def test_the_best_at_a_budget_is_behind_by_nothing_and_no_one_by_less():
    made = tables({"schedule": ["constant", "cosine", "one_cycle"], "epochs": [2, 8]})
    _, behind = draw("budget_curves", made).axes
    heights = np.array([line.get_ydata() for line in behind.lines], float)
    assert heights.shape == (3, 2)
    np.testing.assert_allclose(heights.max(axis=0), 0, atol=1e-12)


def test_curves_are_those_of_each_levels_best_setting():
    made = tables(GRIDS["best_curves"])
    figure = draw("best_curves", made)
    final = made["ranking"].query("measure == 'test_accuracy'")
    curves, cells = made["curves"][made["curves"].split == "val"], made["cells"]
    for index, optimizer in enumerate(["sgd", "adam"]):
        lr = final[final.optimizer == optimizer].nlargest(1, "mean").lr.iloc[0]
        chosen = cells[(cells.optimizer == optimizer) & (cells.lr == lr)].id
        mean = curves[curves.id.isin(chosen)].groupby("epoch").accuracy.mean()
        np.testing.assert_allclose(figure.axes[1].lines[index].get_ydata(), 100 * mean)
        assert f"learning rate {lr:g}" in figure.legends[0].texts[index].get_text()
