"""The sentences on receptive fields: the right numbers, and other sentences for other results."""

from itertools import product

import numpy as np
import pandas as pd
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

DEPTHS = (2, 8)
TIMES = {"linear": 1.0, "relu": 1.0, "stride": 3.0, "dilation": 2.0, "residual": 0.5}
NETWORKS = {("lenet", 5): (16, 3.0, 2.5), ("vgg", 11): (150, 6.0, 7.0)}


def growth(off=1.0, power=0.5, misfits=(0.06, 0.02), depths=DEPTHS, seeds=SEEDS, times=TIMES):
    """Stacks whose sigma is `off` times what is predicted at depth 2 and grows with `power`."""
    values = []
    for (variant, factor), depth, seed in product(times.items(), depths, seeds):
        predicted = factor * depth**0.5 * (depth if variant == "stride" else 1)
        sigma = off * predicted * (depth / 2) ** (power - 0.5)
        values.append((variant, depth, seed, 2 * depth + 1, sigma, predicted, misfits[depth > 2]))
    return rows(["variant", "depth", "seed", "field", "sigma", "predicted", "misfit"], *values)


def fields(networks=NETWORKS, seeds=SEEDS, spread=0.0):
    """Networks whose sigma goes from the second number to the third, give or take `spread` by seed."""
    values = [
        (*network, seed, when, field, sigma + spread * (seed - 1) * (when == "trained"), sigma / 10)
        for (network, (field, *sigmas)), seed in product(networks.items(), seeds)
        for when, sigma in zip(("start", "trained"), sigmas, strict=True)
    ]
    return rows(["model", "depth", "seed", "when", "field", "sigma", "share"], *values)


def tables(**changed) -> dict[str, pd.DataFrame]:
    return {"growth": growth(), "fields": fields(), "maps": rows(["row"], (0,), (27,))} | changed


def found(**changed) -> str:
    return said("receptive_field", tables(**changed))[1]


def test_what_was_measured_names_the_stacks_the_networks_and_the_quantity():
    measured = said("receptive_field", tables())[0]
    assert measured.startswith("Random stacks of 2 to 16 three-by-three convolutions of 16 channels without padding,")
    assert r"networks of the study \texttt{architectures} before training" in measured
    assert "averaged over 64 images, random or of the test set~" in measured
    one = said("receptive_field", tables(), depths=[4])[0]
    assert one.startswith("Random stacks of 4 three-by-three")


def test_stacks_that_follow_the_theory_are_told_from_those_that_do_not():
    text = found(growth=growth(off=1.02))
    assert r"the $\sigma$ of 10 stacks is off its prediction by 2.0\% of it in the median and by 2.0\% at most" in text
    assert "to the power of $0.50 \\pm 0.00$ for the linear stacks" in text
    assert "residual paths, close to the theory's $0.5$." in text
    text = found(growth=growth(power=0.8))
    assert r"by 51.6\% at most, for the linear stacks at a depth of 8." in text
    assert "$0.80 \\pm 0.00$ for those with ReLU" in text
    assert (
        "that of the linear stacks, those with ReLU, those with dilation and those with residual paths is not" in text
    )


def test_strides_have_no_power_and_their_effect_is_told_beside_the_theorys():
    text = found()
    assert "to the power of" in text
    assert "for those with strides, " not in text.split("At a depth of 8")[0]
    assert "$24.00 \\pm 0.00$ (theory: $24$) for those with strides" in text
    assert "$2.00 \\pm 0.00$ (theory: $2$) for those with dilation" in text
    assert "$0.50 \\pm 0.00$ (theory: $0.5$) for those with residual paths." in text


def test_whether_the_part_falls_and_the_profile_nears_a_gaussian_is_as_the_numbers_say():
    text = found()
    assert r"$\sigma$ falls as a part of the theoretical field, from 28.3\% to 16.6\%, and less of" in text
    assert r"of the same variance, from 6.0\% to 2.0\%." in text
    text = found(growth=growth(power=2.0, misfits=(0.02, 0.06)))
    assert "does not fall as a part" in text
    assert "and no less of the squared gradient" in text


def test_networks_are_told_with_their_fields_before_and_after_training():
    text = found()
    assert r"field inside the image that holds 86\% of the squared gradient go, for LeNet-5 (depth 5), with a" in text
    assert "with a field of 16 pixels, from $3.00 \\pm 0.00$ to $2.50 \\pm 0.00$ pixels" in text
    assert r"and from ($60.00 \pm 0.00$)\% to ($70.00 \pm 0.00$)\%." in text
    assert "A field that is larger than the image is cut by its border" in text
    assert "larger than the image" not in found(maps=rows(["row"], (149,)))


def test_the_verdict_on_training_holds_in_every_seed_or_is_none():
    text = found()
    assert "In every seed, training widens what a unit of VGG (depth 11) uses and narrows what a unit of Le" in text
    text = found(fields=fields(spread=0.7))
    assert "training widens what a unit of VGG (depth 11) uses; of LeNet-5 (depth 5) that depends on the seed." in text
    assert "Whether training widens or narrows what a unit uses depends on the seed." in found(
        fields=fields(spread=3.0)
    )
    text = found(fields=fields(seeds=[0, 1]))
    assert "In every seed" not in text
    assert text.endswith(TOO_FEW)


def test_a_single_depth_or_variant_and_a_study_of_one_network_are_described():
    text = found(growth=growth(depths=(2,), times={"linear": 1.0}))
    assert "With a single depth, how the field grows with it cannot be said." in text
    assert "as a multiple of" not in text
    assert "as a part of the theoretical field" not in text
    one = fields({("lenet", 5): (16, 3.0, 2.5)}).drop(columns=["model", "depth"])
    assert "for the networks, with a field of 16 pixels, from" in found(fields=one)


def test_tables_without_a_finite_number_say_nothing():
    assert found(growth=growth().assign(sigma=np.nan)) == NOTHING
    assert found(fields=fields().assign(sigma=np.nan)) == NOTHING
