"""Kaiming's variance from a normal without tails."""

from torch import Generator, Tensor
from torch.nn import Module

from phase2.card import Card
from phase2.nn.init import STD_CUT_AT_2, kaiming_std, trunc_normal_
from phase2.nn.initial.recipe import fill_weights

CARD = Card(
    "init",
    "truncated_normal",
    label="truncated normal",
    definition="as Kaiming, cut at two standard deviations and scaled back to the same variance",
    order=4,
)


def truncated_normal(model: Module, *, generator: Generator, batch: Tensor) -> dict[str, float]:
    """Kaiming's variance 2 / fan_in without the tails: a normal cut off at 2 of its own σ, as in TensorFlow.

    The cut takes 23% of the variance, so σ = sqrt(2 / fan_in) / 0.8796.
    """

    def fill(weight: Tensor) -> Tensor:
        sigma = kaiming_std(weight, 0, "fan_in", "relu") / STD_CUT_AT_2
        return trunc_normal_(weight, std=sigma, a=-2 * sigma, b=2 * sigma, generator=generator)

    return fill_weights(model, fill)
