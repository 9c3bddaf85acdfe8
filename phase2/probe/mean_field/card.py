"""Variance through random networks against its mean-field theory, and the edge of chaos."""

from pydantic import Field

from phase2.probe.options import SEEDS, Activations, Probe, Rates, Seeds, Sizes
from phase2.study.section import Count


class Options(Probe):
    tables = ("variance", "phase", "boundary")
    inputs = ()
    columns = {
        "weight_std": "sigma_w: weights have variance sigma_w^2 / width",
        "bias_std": "sigma_b",
        "measured": "mean square of the layer's pre-activations",
        "predicted": "the same by theory, from an input of mean square 1",
        "fixed_point": "variance that layers tend to; infinite if they explode",
        "chi": "growth of the squared gradient a layer at the fixed point",
        "predicted_growth": "log(chi) / 2 at the predicted variances, mean over the second half of the layers",
        "measured_growth": "log of the gradient's growth a layer in these layers; empty if it over- or underflowed",
        "boundary.weight_std": "sigma_w at which chi passes 1; empty if it does not",
        "passage": "edge (chi is 1 there), jump (chi leaps past 1: no edge), or none",
    }

    activations: Activations = Field(description="non-linearities")
    weight_stds: Sizes = Field(description="sigma_w: weights have variance sigma_w^2 / fan_in")
    bias_stds: Rates = Field(description="sigma_b: biases have variance sigma_b^2")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    seeds: Seeds = Field(description=SEEDS)
