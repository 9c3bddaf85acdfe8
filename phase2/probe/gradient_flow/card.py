"""Activations and gradients through the layers of networks at initialization."""

from pydantic import Field

from phase2.probe.options import SEEDS, Activations, Inits, Probe, Seeds
from phase2.study.section import Count, Dataset

SATURATION = 0.01  # |f'| below this: the unit passes next to nothing back


class Options(Probe):
    tables = ("layers", "histograms")
    columns = {
        "activation_mean": "mean of the outputs over images and units",
        "activation_std": "their standard deviation",
        "saturated": "share of unit-image pairs with |f'| < 0.01",
        "dead": "share of units with that on every image",
        "gradient_norm": "root mean square of the gradient of an image's loss by an output",
        "weight_gradient_norm": "norm of the mean loss's gradient by the layer's weights",
        "kind": "activation or gradient",
        "rms": "root mean square of the values",
        "bin_left": "left end of the bin, in units of the rms",
        "bin_right": "its right end",
        "density": "of the values in the bin",
    }

    dataset: Dataset = Field(description="name of a data set")
    activations: Activations = Field(description="non-linearities")
    inits: Inits = Field(description="initializations")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    batch: Count = Field(description="images that it measures on, at most")
    seeds: Seeds = Field(description=SEEDS)
