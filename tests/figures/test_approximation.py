"""The figure of approximation shows the seeds' geometric means with their range, and two of the fits."""

from itertools import product

import numpy as np
import pandas as pd

from phase2.probe.approximation.draw import approximation


def tables(targets=("sine", "step"), widths=(4, 16, 64), depths=(1, 2), seeds=3):
    grid = product(targets, widths, depths, range(seeds))
    errors = pd.DataFrame(
        [(t, w, d, s, 2.0 ** (s - 1) / w / d) for t, w, d, s in grid],
        columns=["target", "width", "depth", "seed", "sup_error"],
    )
    errors["converged"] = (errors.width > 4) | (errors.seed > 0)
    x = np.linspace(-1, 1, 21)
    fits = [
        pd.DataFrame({"target": t, "width": w, "depth": d, "seed": 0, "x": x, "truth": x, "prediction": x + 1 / w})
        for t, w, d in product(targets, widths, depths)
    ]
    return {"errors": errors, "fits": pd.concat(fits, ignore_index=True)}


def test_lines_are_geometric_means_over_seeds_and_bars_their_range():
    figure = approximation(**tables())
    axes = figure.axes[0]
    for container, depth in zip(axes.containers, (1, 2), strict=True):
        line, _, (bars,) = container
        np.testing.assert_allclose(np.asarray(line.get_xdata(), float), [4, 16, 64])
        np.testing.assert_allclose(np.asarray(line.get_ydata(), float), [1 / (w * depth) for w in (4, 16, 64)])
        spans = [(segment[0, 1], segment[1, 1]) for segment in bars.get_segments()]
        np.testing.assert_allclose(
            np.asarray(spans, float), [(0.5 / (w * depth), 2 / (w * depth)) for w in (4, 16, 64)]
        )


def test_a_cross_is_a_fit_that_was_stopped_before_it_converged():
    made = tables()
    (crosses,) = [line for line in approximation(**made).axes[0].lines if line.get_marker() == "x"]
    stopped = made["errors"].query("target == 'sine' and not converged")
    assert len(stopped) == 2
    np.testing.assert_allclose(crosses.get_ydata(orig=False), stopped.sup_error)


def test_fits_are_of_the_narrowest_and_the_widest_of_the_deepest_networks():
    made = tables()
    figure = approximation(**made)
    below = figure.axes[2]
    assert [line.get_label() for line in below.lines] == ["target", "width 4", "width 64"]
    np.testing.assert_allclose(below.lines[1].get_ydata() - below.lines[0].get_ydata(), 1 / 4)


def test_a_single_width_and_seed_is_drawn():
    figure = approximation(**tables(("sine",), (8,), (1,), seeds=1))
    assert [line.get_label() for line in figure.axes[1].lines] == ["target", "width 8"]
