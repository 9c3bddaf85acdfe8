"""The theoretical and the effective receptive field: random stacks against theory, trained networks of a study."""

import math

from pydantic import Field

from phase2.probe.options import SEEDS, Counts, Probe, Seeds
from phase2.study.section import Count

WITHIN = 1 - math.exp(-2)  # of the mass of a Gaussian in the plane: two standard deviations


class Options(Probe):
    tables = ("growth", "fields", "profiles", "maps")
    inputs = ("data", "runs")

    study: str = Field(description="the study whose networks are measured before and after training")
    depths: Counts = Field(description="convolutions of the random stacks")
    width: Count = Field(description="channels of the random stacks")
    images: Count = Field(description="images, at most, or random inputs, that gradients are averaged over")
    seeds: Seeds = Field(description=SEEDS)
