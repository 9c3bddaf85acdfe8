"""The sentences on mean field and BatchNorm's noise: the right numbers, and other sentences for other results."""

from itertools import product

import numpy as np
import pandas as pd
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW


def field(ratios: list[float], chi=(0.5, 0.9, 1.2, 3.0), edges: dict | None = None) -> dict[str, pd.DataFrame]:
    """Variances 5% above their prediction in the first layer and 10% in the second, in four settings."""
    settings, names = list(product(("relu", "tanh"), (0.5, 2.0), (0.0,))), ["activation", "weight_std", "bias_std"]
    variance = [(*net, layer, 1 + 0.05 * layer, 1.0, seed) for net, layer, seed in product(settings, (1, 2), SEEDS)]
    phase = [(*net, x, ratio) for net, x, ratio in zip(settings, chi, ratios, strict=True)]
    boundary = [(activation, 0.0, edge) for activation, edge in (edges or {}).items()]
    return {
        "variance": rows([*names, "layer", "measured", "predicted", "seed"], *variance),
        "phase": rows([*names, "chi", "measured_gradient_ratio"], *phase),
        "boundary": rows(["activation", "bias_std", "weight_std"], *boundary),
    }


def test_mean_field_reports_the_differences_the_signs_and_the_edges():
    measured, text = said("mean_field", field([-1, -1, 1, 1], edges={"relu": 2**0.5, "tanh": 1.0}))
    assert r"with $\sigma_w$ from $0.5$ to $2$ and $\sigma_b$ from $0$ to $0.3$, and 3 seeds in each" in measured
    assert r"is off its prediction by 7.5\% of it in the median, and by 10.0\% at most, in layer 2 with ReLU" in text
    assert "as $\\chi$ against one says in 4 of 4 settings." in text
    assert r"At a $\sigma_b$ of $0$ the edge of chaos is at a $\sigma_w$ of $1.41$ for ReLU and $1$ for tanh." in text


def test_mean_field_says_where_the_signs_disagree_and_what_cannot_be_judged():
    text = said("mean_field", field([1, -1, -1, np.nan], edges={"relu": 2**0.5}))[1]
    assert (
        r"in 1 of 3 settings; in the others $\chi$ is between $0.5$ and $1.2$ (1 more setting cannot be judged" in text
    )
    assert "for ReLU, and there is none for tanh." in text
    text = said("mean_field", field([np.nan] * 4, chi=(2.0, 2.0, 2.0, 2.0)))[1]
    assert "In no setting can the gradient's growth be judged." in text
    assert "No layer of a finite variance lies on the ordered side" in text
    assert "no edge of chaos is found" in text


def noise(power: float, predicted: float, gaussian: float, sizes=(4, 16, 64), seeds=SEEDS) -> dict[str, pd.DataFrame]:
    values = [
        (size, seed, quantity, v := size**power, v * predicted, v * gaussian)
        for size, seed, quantity in product(sizes, seeds, ("normalized", "mean", "std"))
    ]
    return {"noise": rows(["batch_size", "seed", "quantity", "measured", "predicted", "gaussian"], *values)}


def test_noise_that_falls_with_the_inverse_batch_size_is_told_from_noise_that_does_not():
    measured, text = said("batch_noise", noise(-1, 1.02, 0.8))
    assert "3 batch sizes from 4 to 64, 500 draws of each, with 3 seeds" in measured
    assert r"$-1.00 \pm 0.00$ for a normalized value" in text
    assert "close to the theory's $-1$" in text
    assert r"off by 2.0\% at most" in text
    assert r"which is less than the 20.0\% of the Gaussian formula" in text
    text = said("batch_noise", noise(-0.5, 0.7, 0.8))[1]
    assert "is not near the theory's $-1$" in text
    assert "no less than the 20.0" in text


def test_two_seeds_are_too_few_to_judge_the_noise():
    text = said("batch_noise", noise(-0.5, 1, 1, seeds=[0, 1]))[1]
    assert "$-0.50$ for its standard deviation; the theory says $-1$." in text
    assert text.endswith(TOO_FEW)


def test_a_single_batch_size_has_no_slope():
    assert "how the noise falls with it cannot be said" in said("batch_noise", noise(-1, 1, 1, sizes=(16,)))[1]


def test_noise_without_a_finite_number_say_nothing():
    assert said("batch_noise", noise(np.nan, 1, 1))[1] == NOTHING
