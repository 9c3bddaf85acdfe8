"""The figure of the four implementations shows the tables' means, and how far they have come apart by each step."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from phase2.figures.style import FULL_WIDTH
from phase2.probe.four_ways.draw import FINEST, IMPLEMENTATIONS, four_ways

pytestmark = pytest.mark.quick


def tables(steps=79, seeds=2, apart=1e-5):
    rng = np.random.default_rng(0)
    curves, results = [], []
    for seed in range(seeds):
        loss = 0.4 + 1.9 * np.exp(-np.arange(steps) / 15) + 0.05 * rng.standard_normal(steps)
        for number, name in enumerate(IMPLEMENTATIONS):
            drift = number * apart * np.linspace(0, 1, steps) ** 2
            curves.append(
                pd.DataFrame(
                    {"implementation": name, "seed": seed, "step": np.arange(steps), "loss": loss + (seed + 1) * drift}
                )
            )
            results.append(
                {"implementation": name, "seed": seed, "test_accuracy": 0.8 + 0.01 * number + 0.002 * seed}
                | {"seconds": 0.1, "max_gradient_difference": 1e-16 * number}
            )
    return {"curves": pd.concat(curves, ignore_index=True), "results": pd.DataFrame(results)}


def test_left_are_the_mean_losses_and_right_the_largest_differences_from_numpy():
    made = tables()
    figure = four_ways(**made)
    left, right = figure.axes
    losses = made["curves"].pivot(index=["seed", "step"], columns="implementation", values="loss")
    for line, name in zip(left.lines, IMPLEMENTATIONS, strict=True):
        np.testing.assert_allclose(line.get_ydata(), losses[name].groupby("step").mean())
    for line, name in zip(right.lines, list(IMPLEMENTATIONS)[1:], strict=True):
        apart = (losses[name] - losses["numpy"]).abs().groupby("step").max()
        so_far = np.maximum(np.maximum.accumulate(apart.to_numpy()), FINEST)
        np.testing.assert_allclose(line.get_ydata(orig=False), so_far)
    low, high = right.get_ylim()
    assert low < FINEST < so_far.max() < high < 10 * so_far.max()  # no more of the axis than the lines need
    assert right.get_yscale() == "log"


def test_the_four_are_told_apart_by_colour_line_and_marker_and_named_with_their_accuracy():
    figure = four_ways(**tables())
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in figure.axes[0].lines]
    assert all(len(set(kind)) == 4 for kind in zip(*looks, strict=True))
    assert [look[:1] for look in looks[1:]] == [(line.get_color(),) for line in figure.axes[1].lines]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "NumPy by hand: 80.10%",
        "NumPy tape: 81.10%",
        "torch by hand: 82.10%",
        "torch autograd: 83.10%",
    ]


@pytest.mark.parametrize("made", [tables(), tables(1, 1), tables(apart=0.0), tables(apart=10.0)])
def test_it_is_as_wide_as_the_page_with_readable_text_inside_also_for_one_step_and_no_difference(made):
    before = {name: table.copy() for name, table in made.items()}
    figure = four_ways(**made)
    assert figure.get_size_inches() == pytest.approx([FULL_WIDTH, 2.2])
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    for text in (t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()):
        assert text.get_fontsize() >= 7, text
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -1
    for name, table in made.items():
        pd.testing.assert_frame_equal(table, before[name])
