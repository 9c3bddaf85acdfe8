"""The figure of LSUV's convergence shows the table: variances before, distances after, scalings in between."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from phase2.figures.style import FULL_WIDTH, PALETTE
from phase2.nn.initial.lsuv import TOLERANCE
from phase2.probe.lsuv_convergence.draw import lsuv_convergence
from phase2.words.levels import label

ACTIVATIONS = ["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"]


def table(activations=ACTIVATIONS, seeds=3, layers=11, scalings=1, left=1e-7):
    rng = np.random.default_rng(0)
    rows = []
    for activation in activations:
        for seed in range(seeds):
            for layer in range(1, layers + 1):
                count = scalings if layer > 1 else 0
                distances = [*rng.uniform(0.3, 0.6, count), left * rng.uniform(0.5, 2)]
                rows += [(activation, seed, layer, number, 1 - d) for number, d in enumerate(distances)]
    return pd.DataFrame(rows, columns=["activation", "seed", "layer", "iteration", "variance"])


def test_panels_are_the_first_variance_the_last_distance_from_1_and_the_number_of_scalings():
    convergence = table(scalings=2)
    before, distance, scalings = lsuv_convergence(convergence=convergence).axes
    for number, activation in enumerate(ACTIVATIONS):
        groups = convergence[convergence.activation == activation].groupby(["layer", "seed"])
        first, last = groups.variance.first(), groups.variance.last()
        counts = groups.iteration.max()
        for axes, values in ((before, first), (distance, (last - 1).abs()), (scalings, counts)):
            line = axes.lines[number]
            assert (line.get_label(), line.get_color()) == (label(activation), PALETTE[number])
            np.testing.assert_array_equal(line.get_xdata(), range(1, 12))
            np.testing.assert_allclose(line.get_ydata(), values.groupby("layer").mean())
            band = axes.collections[number].get_paths()[0].vertices
            at_five = band[band[:, 0] == 5][:, 1]
            np.testing.assert_allclose([at_five.min(), at_five.max()], [values[5].min(), values[5].max()])


def test_the_order_of_rows_does_not_matter():
    convergence = table(scalings=3)
    one, other = (lsuv_convergence(convergence=made) for made in (convergence, convergence[::-1]))
    for axes, again in zip(one.axes, other.axes, strict=True):
        for line, twin in zip(axes.lines, again.lines, strict=True):
            np.testing.assert_allclose(line.get_ydata(), twin.get_ydata())


def test_the_line_of_the_tolerance_is_lsuvs():
    assert lsuv_convergence(convergence=table()).axes[1].lines[-1].get_ydata()[0] == TOLERANCE


@pytest.mark.parametrize(
    "made",
    [
        table(),
        table(["relu"], seeds=1, layers=1),
        table(seeds=1, left=0.0),
        table(["tanh", "mine"], layers=50, scalings=20, left=5.0),
    ],
)
def test_it_is_as_wide_as_the_page_with_readable_text_inside(made):
    before = made.copy()
    figure = lsuv_convergence(convergence=made)
    assert figure.get_size_inches() == pytest.approx([FULL_WIDTH, 2.2])
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    for text in (t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()):
        assert text.get_fontsize() >= 7, text
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -1
    pd.testing.assert_frame_equal(made, before)
