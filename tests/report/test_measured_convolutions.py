"""The sentences on depth and size of convolutional networks: the right numbers, and other sentences for others."""

from itertools import product

import numpy as np
import pytest
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

AXES = ["model", "depth", "seed"]


def responses(plain=2.0, deeper=0.5, fading=0.1, models=("cifar_resnet", "plain"), depths=(8, 20), seeds=SEEDS):
    """Responses of 1 in the shallow residual network, `plain` times as strong without shortcuts and `deeper` times in
    deeper ones; the first layer's gradient is `fading` of the last one's without shortcuts, and equal to it with them.
    """
    values = []
    for model, depth, seed, when in product(models, depths, seeds, ("start", "middle", "end")):
        std = (plain if model == "plain" else 1.0) * (deeper if depth == max(depths) else 1.0)
        first = fading if model == "plain" else 1.0
        values += [
            (model, depth, seed, when, layer, std * spread, gradient, 3.0)
            for layer, spread, gradient in ((1, 0.5, first), (2, 1.0, 2.0), (3, 1.5, 1.0))
        ]
    return rows([*AXES, "when", "layer", "std", "gradient_norm", "weight_norm"], *values)


def responded(table):
    return said("layer_responses", {"responses": table})


def test_responses_of_plain_and_deeper_networks_are_compared():
    measured, text = responded(responses())
    assert r"12 networks of the study \texttt{plain\_or\_residual} were measured" in measured
    assert "on 500 images of those they learnt" in measured
    assert (
        r"averaged over the layers, is $1.00 \pm 0.00$ in the residual network of depth 8, $0.50 \pm 0.00$ in the "
        r"residual network of depth 20, $2.00 \pm 0.00$ in the plain network of depth 8 and"
    ) in text
    assert r"respond $2.00 \pm 0.00$ times as strongly at depth 8 and $2.00 \pm 0.00$ times as strongly at" in text
    assert "more strongly in every pair of one depth and seed, as He et al. saw it." in text
    assert (
        r"responds less strongly than one of the shallowest, $0.50 \pm 0.00$ times as strongly, in every seed" in text
    )


def test_other_responses_make_other_sentences():
    text = responded(responses(plain=0.5, deeper=2.0))[1]
    assert "more strongly in no pair of one depth and seed, other than He et al. saw it." in text
    assert r"responds no less strongly than one of the shallowest, $2.00 \pm 0.00$ times as strongly, in every" in text
    mixed = responses()
    mixed.loc[(mixed.seed == 0) & (mixed.model == "plain"), "std"] /= 10
    assert "more strongly in 4 of 6 pairs of one depth and seed, where He et al. saw it in all." in responded(mixed)[1]


def test_the_first_layers_gradient_is_held_against_the_lasts():
    text = responded(responses())[1]
    assert (
        "In the plain network of depth 20 the gradient's norm at the first layer is, against the last, $0.1$ times at "
        "initialization, $0.1$ times half-way and $0.1$ times after training."
    ) in text
    assert (
        "In the residual network of depth 20 the gradient's norm at the first layer is, against the last, $1$ times"
        in text
    )
    dead = responses()
    dead.loc[(dead.model == "plain") & (dead.when == "start"), "gradient_norm"] = 0.0
    assert "against the last, $0.1$ times half-way and $0.1$ times after training." in responded(dead)[1]


def test_one_architecture_one_depth_or_few_seeds_allow_no_comparison():
    assert "He et al." not in responded(responses(models=("cifar_resnet",), depths=(8,)))[1]
    assert "He et al." not in responded(responses(models=("preact_resnet",)))[1]
    text = responded(responses(seeds=(0, 1)))[1]
    assert "$2.00$ times as strongly at depth 20 as those of the residual one." in text
    assert text.endswith(TOO_FEW)


def test_networks_without_a_finite_response_say_nothing():
    assert responded(responses().assign(std=np.nan))[1] == NOTHING


LENET, RESNET = ("LeNet", 5, 62006, 0.001, np.nan), ("CIFAR ResNet", 20, 269722, 0.081, 2.7e5)


def sized(*networks):
    columns = ["network", "depth", "parameters", "gflop", "published_parameters"]
    return said("model_sizes", {"sizes": rows(columns, *networks)})


def test_the_largest_and_the_busiest_network_are_named():
    measured, text = sized(LENET, RESNET, ("ResNet", 18, 11173962, 1.111, np.nan))
    assert "The parameters of 3 networks were counted" in measured
    assert "They have from 62,006 in LeNet-5 to 11,173,962 in ResNet-18." in text
    assert "for each parameter, from 16 in LeNet-5 to 300 in CIFAR ResNet-20 operations." in text


@pytest.mark.parametrize(
    ("parameters", "verdict"),
    [(1727962, "All 2 networks for which"), (1827962, "a number, the count of CIFAR ResNet-110 is another.")],
)
def test_counts_that_are_not_the_published_ones_are_named(parameters, verdict):
    assert verdict in sized(LENET, RESNET, ("CIFAR ResNet", 110, parameters, 0.506, 1.7e6))[1]


def test_without_published_numbers_none_are_compared():
    assert "He et al." not in sized(LENET)[1]
