"""Variance through random networks against its mean-field theory, and the edge of chaos."""

from pydantic import Field

from phase2.probe.options import SEEDS, Activations, Probe, Rates, Seeds
from phase2.study.section import Count


class Options(Probe):
    tables = ("variance", "phase", "boundary")
    inputs = ()

    activations: Activations = Field(description="non-linearities")
    weight_stds: Rates = Field(description="sigma_w: weights have variance sigma_w^2 / fan_in")
    bias_stds: Rates = Field(description="sigma_b: biases have variance sigma_b^2")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    seeds: Seeds = Field(description=SEEDS)
