"""The figures of dropout at inference and of shifted inputs show the tables' numbers."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable, check_tick_labels_do_not_overlap

from phase2.probe.uncertainty.dropout_inference import METHODS, dropout_inference
from phase2.probe.uncertainty.uncertainty_shift import ENTROPIES, SCORES, uncertainty_shift


def inference(rates=(0.0, 0.1, 0.3, 0.5, 0.7), seeds=3):
    random = np.random.default_rng(0)
    table = pd.DataFrame(product(rates, range(seeds), METHODS), columns=["dropout", "seed", "method"])
    drawn = {"accuracy": 0.8, "nll": 0.5, "brier": 0.3, "ece": 0.05, "mean_confidence": 0.8}
    return table.assign(**{name: value * random.uniform(0.9, 1.1, len(table)) for name, value in drawn.items()})


def calibration(rates=(0.0, 0.1, 0.3, 0.5, 0.7), seeds=3):
    """Table `calibration`: bins 1 and 2 are empty, bin 3 has one image a seed."""
    table = pd.DataFrame(
        product(rates, METHODS, range(seeds), range(1, 16)), columns=["dropout", "method", "seed", "bin"]
    )
    middle, full = (table.bin - 0.5) / 15, table.bin > 2
    count = (10 * table.bin * (1 + table.seed)).where(table.bin > 3, 1).where(full, 0)
    accuracy = (0.9 * middle + 0.02 * table.seed).where(full)
    return table.assign(confidence=middle.where(full), accuracy=accuracy, count=count)


def shift(angles=(0, 15, 30, 45, 60, 90), seeds=3):
    random = np.random.default_rng(0)
    kinds = [*(f"{angle:g}" for angle in angles), "unfamiliar"]
    table = pd.DataFrame(product(range(seeds), kinds), columns=["seed", "kind"])
    parts = {name: random.uniform(0.1, 0.5, len(table)) for name in ("expected_entropy", "mutual_information")}
    table = table.assign(accuracy=random.uniform(0.1, 0.9, len(table)), **parts)
    table.loc[table.kind == "unfamiliar", "accuracy"] = np.nan
    return table.assign(predictive_entropy=table.expected_entropy + table.mutual_information)


def detection(largest="90", seeds=3):
    random = np.random.default_rng(0)
    table = pd.DataFrame(product(range(seeds), ["unfamiliar", largest], SCORES), columns=["seed", "kind", "score"])
    return table.assign(auroc=random.uniform(0.6, 0.9, len(table)))


def check_drawing(draw, **tables):
    before = {name: table.copy() for name, table in tables.items()}
    figure = draw(**tables)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


@pytest.mark.parametrize("options", [{}, {"seeds": 1}, {"rates": [0.5], "seeds": 2}])
def test_any_rates_and_seeds_fit_the_page(options):
    check_drawing(dropout_inference, inference=inference(**options), calibration=calibration(**options))


@pytest.mark.parametrize(
    ("angles", "seeds"), [((0, 15, 30, 45, 60, 90), 3), ((0, 180), 1), ((0, -30.5), 2), (range(0, 181, 15), 5)]
)
def test_any_angles_and_seeds_fit_the_page(angles, seeds):
    largest = f"{max(angles, key=abs):g}"
    check_drawing(uncertainty_shift, shift=shift(angles, seeds), detection=detection(largest, seeds))


def test_lines_are_means_over_seeds_with_their_range():
    table = inference()
    figure = dropout_inference(inference=table, calibration=calibration())
    for axes, measure, scale in zip(figure.axes[:3], ["accuracy", "nll", "ece"], [100, 1, 100], strict=True):
        for container, method in zip(axes.containers, METHODS, strict=True):
            line, _, (bars,) = container
            groups = scale * table[table.method == method].set_index("dropout")[measure]
            groups = groups.groupby(level=0)
            np.testing.assert_allclose(line.get_ydata().astype(float), groups.mean())
            lengths = [high - low for (_, low), (_, high) in bars.get_segments()]
            np.testing.assert_allclose(lengths, groups.max() - groups.min())
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["scaling right", "scaling forgotten", "Monte-Carlo"]


def test_reliability_pools_images_of_all_seeds_at_the_rate_nearest_one_half():
    table = calibration(rates=(0.1, 0.45, 0.8))
    table.loc[table.dropout != 0.45, "accuracy"] = 0.0
    axes = dropout_inference(inference=inference(), calibration=table).axes[3]
    assert axes.get_title() == "reliability, rate 0.45"
    diagonal, *lines = axes.lines
    np.testing.assert_allclose(diagonal.get_xdata(), diagonal.get_ydata())
    middle = (np.arange(4, 16) - 0.5) / 15  # bins 1 and 2 are empty, bin 3 has 3 images
    for line in lines:
        np.testing.assert_allclose(line.get_xdata().astype(float), 100 * middle)
        np.testing.assert_allclose(line.get_ydata().astype(float), 90 * middle + 2 * (0 * 1 + 1 * 2 + 2 * 3) / 6)
    assert [len(dots.get_offsets()) for dots in axes.collections] == [36] * 3


def test_entropies_are_means_by_angle_with_the_unfamiliar_data_on_the_same_scale():
    table = shift()
    # as a table comes back from disk, where kinds are text, in any order
    figure = uncertainty_shift(shift=table.sample(frac=1, random_state=0), detection=detection())
    accuracy, turned, other = figure.axes[:3]
    means = table.groupby("kind")[["accuracy", *ENTROPIES]].mean()
    angles = ["0", "15", "30", "45", "60", "90"]
    np.testing.assert_allclose(accuracy.containers[0][0].get_ydata().astype(float), 100 * means.accuracy[angles])
    for index, measure in enumerate(ENTROPIES):
        line = turned.containers[index][0]
        np.testing.assert_allclose(line.get_xdata().astype(float), [float(angle) for angle in angles])
        np.testing.assert_allclose(line.get_ydata().astype(float), means[measure][angles])
        np.testing.assert_allclose(other.containers[index][0].get_ydata().astype(float), means[measure]["unfamiliar"])
    assert turned.get_ylim() == other.get_ylim()


def test_areas_of_each_score_are_a_dot_a_seed_and_a_stroke_at_their_mean_for_both_kinds():
    table = detection()
    figure = uncertainty_shift(shift=shift(), detection=table)
    titles = {axes.get_title(): axes for axes in figure.axes}
    for title, kind in {"AUROC, unfamiliar data": "unfamiliar", "AUROC, turned by 90°": "90"}.items():
        dots, strokes = titles[title].collections[::2], titles[title].collections[1::2]
        for score, seeds, stroke in zip(SCORES, dots, strokes, strict=True):
            areas = table.auroc[(table.kind == kind) & (table.score == score)]
            np.testing.assert_allclose(seeds.get_offsets()[:, 0], areas)
            assert stroke.get_segments()[0][0, 0] == pytest.approx(areas.mean())
    assert titles["AUROC, unfamiliar data"].get_xlim() == titles["AUROC, turned by 90°"].get_xlim()
