"""The figure of weight sharing shows each model's accuracy, with its interval, on natural and on permuted pixels."""

import numpy as np
import pandas as pd
import pytest
from synthetic import BASELINE, SCORES, all_diverged, tables
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.figures.sharing import sharing
from phase2.words.levels import label

pytestmark = pytest.mark.quick

GRID = {"model": ["dense", "convolutional", "locally_connected"], "pixels": ["permuted", "natural"]}
SHOWN = ["convolutional", "locally connected", "dense"]


def ranking(grid=GRID, seeds=5):
    made = tables(grid, seeds=seeds)["ranking"]
    drop = {("convolutional", "permuted"): 0.05, ("locally_connected", "permuted"): 0.02}
    shift = [drop.get(key, 0) for key in zip(made.model, made.pixels, strict=True)]
    return made.assign(**{name: made[name] - shift for name in ("mean", "low", "high")})


def test_a_line_joins_a_models_means_and_bars_are_their_intervals():
    made = ranking()
    axes = sharing(ranking=made, baseline=BASELINE, score=SCORES).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["natural", "permuted"]
    final = made[made.measure == "val_accuracy"].set_index(["model", "pixels"])
    for index, model in enumerate(["convolutional", "locally_connected", "dense"]):
        rows = final.loc[[(model, "natural"), (model, "permuted")]] * 1
        x, y = axes.lines[index].get_xydata().T
        np.testing.assert_allclose(y, rows["mean"].astype(float) * 100)
        assert list(np.round(x)) == [0, 1]
        bars = np.array([path.vertices[:, 1] for path in axes.collections[index].get_paths()])
        np.testing.assert_allclose(np.sort(bars), rows[["low", "high"]].astype(float) * 100)


def test_models_are_told_apart_by_colour_marker_and_line_and_stand_side_by_side():
    figure = sharing(ranking=ranking(), baseline=BASELINE.iloc[:0], score=SCORES)
    lines = figure.axes[0].lines
    for look in ("get_color", "get_marker", "get_linestyle"):
        assert len({getattr(line, look)() for line in lines}) == 3
    assert len({round(line.get_xdata()[0], 6) for line in lines}) == 3
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == SHOWN
    assert legend.get_title().get_text() == label("model")


@pytest.mark.parametrize("optimizers", [["adam"], ["sgd", "adam"], ["sgd", "momentum", "nesterov", "adam"]])
def test_other_factors_make_panels_on_one_scale(optimizers):
    made = ranking(GRID | {"optimizer": optimizers})
    figure = sharing(ranking=made, baseline=BASELINE, score=SCORES)
    assert len(figure.axes) == len(optimizers)
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)


@pytest.mark.parametrize(
    "made",
    [
        ranking(),
        ranking(seeds=1),
        ranking({"model": ["dense"], "pixels": ["natural"]}),
        all_diverged(GRID)["ranking"],
    ],
    ids=["whole", "one seed", "one model", "all diverged"],
)
def test_any_study_fits_the_page_and_leaves_its_table_alone(made):
    before = made.copy()
    figure = sharing(ranking=made, baseline=BASELINE, score=SCORES)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(made, before)
