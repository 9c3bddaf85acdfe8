"""Activations and gradients through the layers of networks at initialization."""

from pydantic import Field

from phase2.probe.options import SEEDS, Activations, Inits, Probe, Seeds
from phase2.study.section import Count, Dataset

SATURATION = 0.01  # |f'| below this: the unit passes next to nothing back


class Options(Probe):
    tables = ("layers", "histograms")

    dataset: Dataset = Field(description="name of a data set")
    activations: Activations = Field(description="non-linearities")
    inits: Inits = Field(description="initializations")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    batch: Count = Field(description="images that it measures on, at most")
    seeds: Seeds = Field(description=SEEDS)
