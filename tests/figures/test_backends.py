"""The figure of backends: both curves of each seed, one on the other, and how far the losses are apart."""

import numpy as np
import pytest
from synthetic import SCORES, tables
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.figures.backends import EPSILON, backends


def made_up(apart=1e-6, seeds=2, epochs=5, **axes):
    """Two backends with the same curves, but for a training loss that grows apart from the second epoch on."""
    made = tables({**axes, "backend": ["scratch", "fused"]}, seeds=seeds, epochs=epochs)
    curves = made["curves"]
    keys = [*axes, "seed", "epoch", "split"]
    same = curves[curves.backend == "scratch"].set_index(keys)[["loss", "accuracy"]]
    fused = curves.backend == "fused"
    rows = curves[fused].set_index(keys).index
    curves.loc[fused, ["loss", "accuracy"]] = same.loc[rows].to_numpy()
    later = fused & (curves.epoch > 1) & (curves.split == "train")
    curves.loc[later, "loss"] += apart * 4.0 ** curves.epoch[later]
    return made["cells"], curves


def draw(cells, curves):
    return backends(cells=cells, curves=curves, score=SCORES)


@pytest.mark.parametrize(
    "made",
    [
        made_up(),
        made_up(apart=0.0),
        made_up(apart=0.01, seeds=1, epochs=1),
        made_up(model=["lenet", "plain"], seeds=5),
    ],
    ids=["near", "equal", "one epoch", "two networks"],
)
def test_any_curves_fit_the_page(made):
    figure = draw(*made)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)


def test_both_curves_of_each_seed_are_drawn_and_both_are_seen():
    cells, curves = made_up()
    upper = draw(cells, curves).axes[0]
    validation = curves[curves.split == "val"]
    below, above = upper.lines[:2], upper.lines[2:]
    for name, lines in (("scratch", below), ("fused", above)):
        for seed, line in enumerate(lines):
            one = validation[(validation.backend == name) & (validation.seed == seed)]
            np.testing.assert_allclose(line.get_xydata(), np.c_[one.epoch, 100 * one.accuracy])
    for wide, thin in zip(below, above, strict=True):
        assert wide.get_color() == thin.get_color()
        assert wide.get_linewidth() > 2 * thin.get_linewidth()
        assert wide.get_markersize() > 2 * thin.get_markersize()
        assert (wide.get_marker(), wide.get_markerfacecolor()) != (thin.get_marker(), thin.get_markerfacecolor())
        assert wide.get_zorder() < thin.get_zorder()


def test_differences_of_the_training_loss_are_by_seed_with_zero_on_the_axis():
    cells, curves = made_up()
    lower = draw(cells, curves).axes[1]
    for line in lower.lines:
        np.testing.assert_allclose(line.get_ydata(), [0, *(1e-6 * 4.0**epoch for epoch in range(2, 6))], rtol=1e-6)
    low, high = lower.get_ylim()
    assert low < 0 < 1e-6 * 4**5 < high
    assert 0 in lower.get_yticks()
    places = lower.transData.transform([(1, gap) for gap in (0, 2e-5, 2e-4, 2e-3)])[:, 1]
    np.testing.assert_allclose(places[3] - places[2], places[2] - places[1])  # logarithmic above
    assert places[0] < places[1]


def test_backends_that_never_differ_lie_on_zero():
    lower = draw(*made_up(apart=0.0)).axes[1]
    assert all((line.get_ydata() == 0).all() for line in lower.lines)
    assert lower.get_ylim()[1] <= 2 * EPSILON


def test_a_run_that_diverged_or_a_single_backend_leaves_nothing_to_compare():
    cells, curves = made_up()
    lost = curves[~((curves.backend == "fused") & (curves.seed == 0) & (curves.epoch > 2))]
    assert [len(line.get_ydata()) for line in draw(cells, lost).axes[1].lines] == [2, 5]
    cells, curves = cells[cells.backend == "scratch"], curves[curves.backend == "scratch"]
    figure = draw(cells, curves)
    assert [text.get_text() for text in figure.axes[1].texts] == ["one backend: nothing to compare"]
    check_every_text_is_inside_and_readable(figure)
