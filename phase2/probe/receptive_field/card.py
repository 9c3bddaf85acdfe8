"""The theoretical and the effective receptive field: random stacks against theory, trained networks of a study."""

import math

from pydantic import Field

from phase2.probe.options import SEEDS, Counts, Probe, Seeds
from phase2.study.section import Count

WITHIN = 1 - math.exp(-2)  # of the mass of a Gaussian in the plane: two standard deviations


class Options(Probe):
    tables = ("growth", "fields", "profiles", "maps")
    inputs = ("data", "runs")
    columns = {
        "variant": "kind of stack",
        "field": "side of the theoretical field, in pixels",
        "sigma": "standard deviation of the squared gradient along an axis, in pixels",
        "predicted": "the same by theory",
        "misfit": "part of the squared gradient that lies elsewhere than a Gaussian",
        "position": "pixels from the centre",
        "measured": "part of the squared gradient at the position",
        "gaussian": "the same of the Gaussian of equal variance",
        "when": "start or trained",
        "start": "first pixel of the theoretical field",
        "row": "mean row of the squared gradient",
        "column": "its mean column",
        "sigma_row": "its standard deviation by rows",
        "sigma_column": "and by columns",
        "share": "least part of the field that holds 86% of the squared gradient",
        "maps.row": "pixel, from the top",
        "maps.column": "pixel, from the left",
        "value": "mean squared gradient of the central unit by the pixel",
    }

    study: str = Field(description="the study whose networks are measured before and after training")
    depths: Counts = Field(description="convolutions of the random stacks")
    width: Count = Field(description="channels of the random stacks")
    images: Count = Field(description="images, at most, or random inputs, that gradients are averaged over")
    seeds: Seeds = Field(description=SEEDS)
