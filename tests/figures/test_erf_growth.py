"""The figure of random stacks: predictions as lines, measurements as markers, profiles beside their Gaussian."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.receptive_field.erf_growth import erf_growth

VARIANTS = ["linear", "relu", "stride", "dilation", "residual"]


def made_up(variants=VARIANTS, depths=(2, 4, 8, 16), seeds=(0, 1, 2), off=0.1):
    """Sigma is `off` below, at and above its prediction by seed; every other pixel of dilation is unseen."""
    growth, profiles = [], []
    for (n, variant), depth, seed in product(enumerate(variants), depths, seeds):
        predicted, field, axes = (n + 1) * depth**0.5, 8 * depth + 1, (variant, depth, seed)
        sigma = predicted * (1 + off * (seed - 1))
        growth.append((*axes, field, sigma, predicted, 0.1))
        position = np.arange(field) - field // 2
        profile = np.exp(-(position**2) / (2 * predicted**2)) * (position % 2 == 0 if variant == "dilation" else 1)
        profile /= profile.sum()
        profiles += [(*axes, x, 0.9 * part, part) for x, part in zip(position, profile, strict=True)]
    names = ["variant", "depth", "seed"]
    return {
        "growth": pd.DataFrame(growth, columns=[*names, "field", "sigma", "predicted", "misfit"]),
        "profiles": pd.DataFrame(profiles, columns=[*names, "position", "measured", "gaussian"]),
    }


@pytest.fixture(scope="module")
def tables():
    return made_up()


def test_fits_the_page_without_clipped_or_overlapping_text_and_changes_no_table(tables):
    before = {name: table.copy() for name, table in tables.items()}
    figure = erf_growth(**tables)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() < 5
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, tables[name])


def test_lines_are_predictions_and_markers_means_with_their_range(tables):
    sigma = erf_growth(**tables).axes[0]
    for n, container in enumerate(sigma.containers):
        predicted = (n + 1) * np.sqrt([2, 4, 8, 16])
        np.testing.assert_allclose(sigma.lines[2 * n].get_ydata(), predicted)
        markers, _, (bars,) = container.lines
        np.testing.assert_allclose(markers.get_ydata(orig=False), predicted)
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends, predicted[:, None] * [0.9, 1.1])
    assert len(sigma.containers) == len(VARIANTS)
    assert sigma.get_xscale() == sigma.get_yscale() == "log"


def test_the_second_panel_divides_by_the_theoretical_field(tables):
    share = erf_growth(**tables).axes[1]
    np.testing.assert_allclose(share.lines[0].get_ydata(), [depth**0.5 / (8 * depth + 1) for depth in (2, 4, 8, 16)])


def test_profiles_are_those_of_the_least_and_the_largest_depth_scaled_to_the_gaussians_peak(tables):
    panels = erf_growth(**tables).axes[2:]
    assert [axes.get_title() for axes in panels[:5]] == ["linear", "ReLU", "stride", "dilation", "residual"]
    assert [axes.get_ylabel() for axes in panels[::5]] == ["depth 2", "depth 16"]
    for axes in panels:
        gaussian, dots = axes.lines
        assert gaussian.get_ydata().max() == pytest.approx(1)
        assert dots.get_ydata().max() == pytest.approx(0.9)
    sigma = 4.0  # of the linear stack at depth 16
    x, y = panels[5].lines[1].get_data()
    np.testing.assert_allclose(y, 0.9 * np.exp(-(x**2) / (2 * sigma**2)), rtol=1e-6)
    assert abs(x).max() <= 3.5 * sigma


def test_pixels_that_are_not_seen_have_no_dot(tables):
    dots = erf_growth(**tables).axes[2 + 5 + 3].lines[1]
    assert set(dots.get_xdata() % 2) == {0}


@pytest.mark.parametrize(
    "changed", [{"variants": ["relu"]}, {"depths": [3]}, {"seeds": [0]}, {"depths": [1, 2]}, {"variants": ["dilation"]}]
)
def test_the_smallest_tables_are_drawn(changed):
    figure = erf_growth(**made_up(**changed))
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
