"""The loss around trained networks: filter-normalized slices, planes, and the way between two solutions."""

from typing import Annotated

from pydantic import Field, StrictInt

from phase2.probe.options import Probe
from phase2.study.section import WHOLE, Count, Positive

SHOWN = 0.95  # of the losses are told apart in figures: a few may be larger by any factor


class Options(Probe):
    tables = ("lines", "planes", "interpolation")
    inputs = ("data", "runs")
    columns = {
        "distance": "along the random direction, in units of the filters' norms",
        "x": "along the first direction",
        "y": "along the second direction",
        "to_seed": "the solution that the way leads to",
        "position": "on the way: 0 is the solution of seed, 1 that of to_seed",
        "loss": "training cross-entropy, in nats",
        "accuracy": "share of these training images told right",
    }

    study: str = Field(description="the study whose best weights are read")
    images: Count = Field(description="training images on which the loss is taken, at most")
    radius: Positive = Field(description="how far slices reach, in units of the filters' norms")
    line: Annotated[StrictInt, Field(ge=3), WHOLE] = Field(description="points of a slice along a line")
    plane: Annotated[StrictInt, Field(ge=3), WHOLE] = Field(description="points a side of a plane")
