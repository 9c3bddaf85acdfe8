"""How LSUV brings each layer's variance to one."""

from pydantic import Field

from phase2.probe.options import SEEDS, Activations, Probe, Seeds
from phase2.study.section import Count, Dataset

TOLERANCE = 0.02  # on the variance: that of `phase2.nn.initial.lsuv`, which imports torch


class Options(Probe):
    tables = ("convergence",)
    columns = {
        "layer": "from 1; the last is the output layer",
        "iteration": "scalings of the layer's weights so far",
        "variance": "of the layer's outputs, over images and units",
    }

    dataset: Dataset = Field(description="name of a data set")
    activations: Activations = Field(description="non-linearities")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    batch: Count = Field(description="images that it measures on, at most")
    seeds: Seeds = Field(description=SEEDS)
