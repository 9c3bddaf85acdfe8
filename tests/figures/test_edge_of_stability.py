"""The figure of the edge of stability shows every descent against two by its rate, and leaves out what explodes."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.edge_of_stability.draw import edge_of_stability

pytestmark = pytest.mark.quick

RATES = (0.02, 0.04, 0.08)


def made_up(rates=RATES, seeds=3, steps=1000, every=20):
    """Loss falls as 1 / step, sharpness rises to 2 / rate."""
    step = np.arange(steps + 1)
    return pd.concat(
        pd.DataFrame(
            {"lr": lr, "seed": seed, "step": step, "loss": (1 + 0.1 * seed) / (1 + step)}
            | {"sharpness": np.where(step % every == 0, np.minimum(20 + 0.1 * step, 2 / lr), np.nan)}
        )
        for lr in rates
        for seed in range(seeds)
    )


def diverged(path, lr, last):
    """`path` with the descents of one rate exploding until step `last`."""
    left = path[(path.lr != lr) | (path.step <= last)].copy()
    left.loc[left.lr == lr, "loss"] *= 10.0 ** left.step[left.lr == lr]
    left.loc[left.lr == lr, "sharpness"] *= 10.0 ** left.step[left.lr == lr]
    return left


@pytest.mark.parametrize(
    "path",
    [made_up(), made_up(rates=[0.1], seeds=1, steps=5, every=1), made_up(rates=[1e-3, 1e-2, 1, 5], steps=40)],
)
def test_any_rates_and_steps_fit_the_page(path):
    before = path.copy()
    figure = edge_of_stability(path=path)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    pd.testing.assert_frame_equal(path, before)


def test_a_column_has_its_rates_losses_and_sharpness_a_line_a_seed_and_two_by_the_rate():
    path = made_up()
    figure = edge_of_stability(path=path)
    assert [axes.get_title() for axes in figure.axes[:3]] == ["rate 0.02", "rate 0.04", "rate 0.08"]
    for upper, lower, lr in zip(figure.axes[:3], figure.axes[3:], RATES, strict=True):
        assert len(upper.lines) == 3
        for seed, (loss, sharpness) in enumerate(zip(upper.lines, lower.lines, strict=False)):
            one = path[(path.lr == lr) & (path.seed == seed)]
            np.testing.assert_allclose(loss.get_ydata(), one.loss)
            np.testing.assert_allclose(sharpness.get_ydata(), one.sharpness.dropna())
            np.testing.assert_allclose(sharpness.get_xdata(), np.arange(0, 1001, 20))
        np.testing.assert_allclose(lower.lines[-1].get_ydata(), 2 / lr)
        assert lower.lines[-1].get_linestyle() == "--"


def test_an_explosion_is_marked_where_it_ends_and_does_not_set_the_scale():
    figure = edge_of_stability(path=diverged(made_up(), 0.08, 30))
    check_every_text_is_inside_and_readable(figure)
    assert figure.axes[0].get_ylim()[1] < 5
    assert figure.axes[3].get_ylim()[1] < 1000
    marks = [line for line in figure.axes[2].lines if line.get_marker() == "x"]
    assert [line.get_xdata().tolist() for line in marks] == [[30]] * 3
    assert not [line for line in figure.axes[0].lines if line.get_marker() == "x"]
