"""The figure of training dynamics shows the median and the middle half of each level's runs."""

import numpy as np
from synthetic import SMOKE, tables

from phase2.figures.training_dynamics import NORMS, training_dynamics


def test_a_line_is_the_median_of_the_runs_that_finished_and_its_band_the_middle_half_of_them():
    made = tables(SMOKE, seeds=3, epochs=4)
    finished = made["cells"][made["cells"].status == "ok"].id
    curves = made["curves"].assign(grad_norm=lambda rows: rows.loss.where(rows.id.isin(finished), 1e6))
    figure = training_dynamics(cells=made["cells"], curves=curves, score=made["score"])
    training = curves[(curves.split == "train") & curves.id.isin(finished)]
    axes = figure.subfigs[0].axes[1 + list(NORMS).index("grad_norm")]
    for line, band, level in zip(axes.lines, axes.collections, ("relu", "tanh"), strict=True):
        norms = training[training.activation == level].groupby("epoch").grad_norm
        np.testing.assert_allclose(line.get_ydata(), norms.median())
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.max() == norms.quantile(0.75).max()
        assert heights.min() == norms.quantile(0.25).min()
    failed = len(made["cells"]) - len(finished)
    assert [text.get_text() for text in figure.subfigs[0].legends[0].get_texts()] == [f"ReLU ({failed} failed)", "tanh"]


def test_every_factor_with_two_levels_has_its_row_and_legend():
    made = tables({**SMOKE, "init": ["kaiming"]}, seeds=2, epochs=3)
    figure = training_dynamics(cells=made["cells"], curves=made["curves"], score=made["score"])
    assert [band.legends[0].get_title().get_text() for band in figure.subfigs] == ["activation", "schedule"]
