"""The curves by depth: training error dashed and validation error solid, in a panel for each architecture."""

import numpy as np
import pytest
from synthetic import all_diverged, tables
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.figures.depth_curves import depth_curves

pytestmark = pytest.mark.quick

DESK = {"model": ["plain", "cifar_resnet"], "depth": [8, 20]}
FULL = {"model": ["plain", "cifar_resnet"], "depth": [20, 32, 44, 56, 110]}


def draw(made):
    return depth_curves(cells=made["cells"], curves=made["curves"], score=made["score"])


@pytest.mark.parametrize(
    "made",
    [
        tables(FULL, seeds=2, epochs=30),
        tables(DESK, seeds=1, epochs=1),
        tables({"model": ["plain"], "depth": [8], "lr": [0.1, 0.2]}, seeds=2, epochs=3),
        all_diverged(DESK),
    ],
    ids=["full", "one epoch", "another axis", "all diverged"],
)
def test_any_depths_fit_the_page(made):
    figure = draw(made)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)


def test_lines_are_mean_errors_in_percent_and_shades_the_range_of_validation():
    made = tables(DESK, seeds=3, epochs=4)
    figure = draw(made)
    assert [axes.get_title() for axes in figure.axes] == ["plain", "ResNet"]
    for axes, model in zip(figure.axes, DESK["model"], strict=True):
        lines, shades = iter(axes.lines), iter(axes.collections)
        for depth in DESK["depth"]:
            for split, dashes in (("train", "--"), ("val", "-")):
                curves = made["curves"]
                here = curves[(curves.model == model) & (curves.depth == depth) & (curves.split == split)]
                errors = 100 * (1 - here.set_index("step").accuracy)
                line = next(lines)
                np.testing.assert_allclose(line.get_xydata(), errors.groupby("step").mean().reset_index())
                assert line.get_linestyle() == dashes
            heights = next(shades).get_paths()[0].vertices[:, 1]
            assert (heights.min(), heights.max()) == pytest.approx((errors.min(), errors.max()))
        for index, depth in enumerate(DESK["depth"]):  # a star for each, beside the last step
            here = made["cells"][(made["cells"].model == model) & (made["cells"].depth == depth)]
            star = next(line for line in lines if line.get_marker() == "*")
            expected = [here.steps.iloc[0] * (1.03 + 0.03 * index), 100 * (1 - here.train_accuracy.mean())]
            np.testing.assert_allclose(star.get_xydata(), [expected])
            errors = 100 * (1 - here.train_accuracy)
            assert axes.get_ylim()[0] < errors.min() <= errors.max() < axes.get_ylim()[1]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["depth 8", "depth 20", "training", "validation", "after training"]


def test_a_training_error_of_zero_is_on_the_axis():
    made = tables(DESK, seeds=1, epochs=4)
    curves = made["curves"]
    curves.loc[(curves.split == "train") & (curves.epoch == 4), "accuracy"] = 1.0
    axes = draw(made).axes[0]
    assert axes.lines[0].get_ydata()[-1] == 0
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] < 0
