"""The sentences on the edge of stability and on curvature: the right numbers, and other sentences for others."""

from itertools import product

import numpy as np
import pandas as pd
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

STEPS = 100
SIZES = (16, 64, 256)


def descent(lr, seed, settled, steps=STEPS, rough=False, every=20):
    """Sharpness from a quarter of 2 / lr to `settled` of it, half way; a loss that falls, but if it is `rough` rises at
    every other step after the sharpness has come to 2 / lr.
    """
    step = np.arange(steps + 1)
    sharpness = 2 / lr * np.interp(step, [0, STEPS / 2], [0.25, settled])
    zigzag = np.where(rough & (step > 0.6 * STEPS), np.where(step % 2, 0.5, 0.9), 1.0)
    return pd.DataFrame(
        {"lr": lr, "seed": seed, "step": step, "loss": zigzag * 0.99**step}
        | {"sharpness": np.where(step % every == 0, sharpness, np.nan)}
    )


def tables(*descents, growth=2.0):
    path = pd.concat(descents, ignore_index=True)
    spectrum = [
        (lr, seed, when, "trace", 0, 100 * (growth if when == "after" else 1))
        for (lr, seed), one in path.groupby(["lr", "seed"])
        for when in (["before", "after"] if one.step.max() == STEPS else ["before"])
    ]
    return {"path": path, "spectrum": rows(["lr", "seed", "when", "quantity", "rank", "value"], *spectrum)}


def edge(made, rates=(0.02, 0.04), **options):
    return said("edge_of_stability", made, rates=list(rates), steps=STEPS, every=20, **options)


def test_a_rate_that_comes_to_the_edge_is_told_from_one_that_does_not():
    low = [descent(0.02, seed, 0.5) for seed in SEEDS]
    measured, text = edge(tables(*low, *(descent(0.04, seed, 1.02, rough=True) for seed in SEEDS)))
    assert r"at 2 rates $\eta$ from $0.02$ to $0.04$, with 3 seeds" in measured
    assert r"taken by Lanczos' iteration every 20 steps, to hold against $2/\eta$" in measured
    assert (
        r"At $\eta$ = $0.02$ the sharpness is, over the last quarter of the steps, at $0.50 \pm 0.00$ of $2/\eta$, "
        r"below it, after a rise to $2.00 \pm 0.00$ times its least value."
    ) in text
    assert r"at $1.02 \pm 0.00$ of $2/\eta$, at the edge, after a rise to $4.08 \pm 0.00$ times" in text
    assert r"a descent's loss rises at ($50.00 \pm 0.00$)\% of the steps; until then" in text
    assert r"never comes to that, at ($0.00 \pm 0.00$)\%." in text
    assert "Of the descents that come there, all end at a lower loss" in text
    assert r"multiplies the trace of the Hessian by $2.00 \pm 0.00$ at $\eta$ = $0.02$ and" in text


def test_seeds_that_disagree_and_descents_that_diverge_are_counted():
    mixed = [descent(0.02, seed, 1.02 if seed else 0.5) for seed in SEEDS]
    broken = [descent(0.04, 0, 1.0), *(descent(0.04, seed, 1.5, steps=40) for seed in (1, 2))]
    text = edge(tables(*mixed, *broken))[1]
    assert "at the edge in 2 of 3 seeds" in text
    assert "At $\\eta$ = $0.04$, where the descent diverges in 2 of 3 seeds, the sharpness is" in text
    text = edge(tables(*(descent(0.04, seed, 1.5, steps=40) for seed in SEEDS)), rates=[0.04])[1]
    assert "At $\\eta$ = $0.04$ the descent diverges in every seed." in text
    assert "multiplies the trace" not in text


def test_sharpness_that_never_comes_to_the_edge_or_never_rises_is_said_so():
    text = edge(tables(*(descent(0.02, seed, 0.25) for seed in SEEDS)), rates=[0.02])[1]
    assert r"below it, without a clear rise in every seed, at $1.00 \pm 0.00$ times its least value" in text
    assert r"No descent comes to $2/\eta$, and the loss rises at ($0.00 \pm 0.00$)\% of the steps." in text


def test_a_loss_that_ends_higher_is_not_called_lower():
    one = [descent(0.02, seed, 1.02) for seed in SEEDS]
    one[0].loc[one[0].step == STEPS, "loss"] = 5.0
    assert "Of the descents that come there, 2 of 3 end at a lower loss" in edge(tables(*one), rates=[0.02])[1]


def test_two_seeds_are_too_few_for_a_spread():
    text = edge(tables(*(descent(0.02, seed, 1.02) for seed in (0, 1))), rates=[0.02], seeds=[0, 1])[1]
    assert "at $1.02$ of" in text
    assert text.endswith(TOO_FEW)


def networks(sharpness=0.5, noise=-0.25, loss=0.0, sizes=SIZES, seeds=SEEDS):
    """Powers of the batch size, at two rates."""
    grid = product(sizes, (0.02, 0.1), seeds)
    values = [
        (m, lr, seed, m**sharpness / lr, 10 * m**sharpness, 0.4 * m**sharpness, 1.0, 1000 * m**noise, m**loss)
        for m, lr, seed in grid
    ]
    measures = ["sharpness", "trace", "trace_error", "gradient_norm", "noise_scale", "loss"]
    return rows(["batch_size", "lr", "seed", *measures], *values)


def curved(table):
    return said("curvature", {"curvature": table})


def test_exponents_are_reported_with_their_signs():
    measured, text = curved(networks())
    assert r"The loss of 18 networks of the study \texttt{batch\_sizes}" in measured
    assert "on 1,000 images of those they learnt" in measured
    assert r"The trace's standard error is 4.0\% of it in the median." in text
    assert (
        r"with a power of $0.50 \pm 0.00$ for the sharpness, $0.50 \pm 0.00$ for the trace of the Hessian and "
        r"$-0.25 \pm 0.00$ for the noise scale; in every seed it is positive for the sharpness and the trace of the "
        "Hessian and negative for the noise scale."
    ) in text
    assert "The noise scale is between 250 and 500 images, above the batch size that was used in 12 of 18" in text
    assert "equally far trained" not in text


def test_seeds_of_different_signs_and_losses_that_differ_are_said_so():
    table = networks(loss=0.2)
    flipped = table.seed == 1
    table.loc[flipped, "sharpness"] = 1 / table.sharpness[flipped]
    text = curved(table)[1]
    assert "for the sharpness the seeds do not agree on its sign" in text
    assert "The mean loss is $1.74$ at the smallest batch size and $3.03$ at the largest" in text
    assert "not equally far trained" in text


def test_networks_without_a_noise_scale_are_counted():
    table = networks()
    table.loc[:1, "noise_scale"] = np.nan
    assert "(2 more have none: their gradient cannot be told from zero)" in curved(table)[1]
    assert "its noise has no scale" in curved(table.assign(noise_scale=np.nan))[1]


def test_a_single_batch_size_or_two_seeds_allow_no_verdict():
    assert "With a single batch size" in curved(networks(sizes=(16,)))[1]
    assert "With a single batch size" in curved(networks().drop(columns="batch_size"))[1]
    text = curved(networks(seeds=(0, 1)))[1]
    assert "$-0.25$ for the noise scale." in text
    assert text.endswith(TOO_FEW)


def test_networks_without_a_finite_number_say_nothing():
    assert curved(networks().assign(sharpness=np.nan))[1] == NOTHING
