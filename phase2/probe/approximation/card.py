"""Universal approximation: the sup-norm error of trained perceptrons against width and depth."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from phase2.probe.options import SEEDS, TRAINING, Counts, Probe, Seeds
from phase2.study.section import Activation, Count, Rate, distinct

Target = Literal["sine", "absolute", "step", "runge", "chirp"]


class Options(Probe):
    tables = ("errors", "fits")
    inputs = ()
    uses = (*TRAINING, ("schedule", "cosine"), ("optimizer", "adam"))

    targets: Annotated[list[Target], AfterValidator(distinct)] = Field(description="functions on [-1, 1]")
    activation: Activation = Field(description="non-linearity")
    widths: Counts = Field(description="units a hidden layer")
    depths: Counts = Field(description="hidden layers")
    points: Count = Field(description="training points")
    epochs: Count = Field(description="passes over the points")
    batch_size: Count = Field(description="points a step")
    lr: Rate = Field(description="Adam's peak learning rate, cosine schedule")
    seeds: Seeds = Field(description=SEEDS)
