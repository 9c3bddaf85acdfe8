"""Universal approximation: the sup-norm error of perceptrons fitted to convergence, against width and depth."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from phase2.probe.options import SEEDS, TRAINING, Counts, Probe, Seeds
from phase2.study.section import Activation, Count, distinct

Target = Literal["sine", "absolute", "step", "runge", "chirp"]


class Options(Probe):
    tables = ("errors", "fits")
    inputs = ()
    uses = TRAINING

    targets: Annotated[list[Target], AfterValidator(distinct)] = Field(description="functions on [-1, 1]")
    activation: Activation = Field(description="non-linearity")
    widths: Counts = Field(description="units a hidden layer")
    depths: Counts = Field(description="hidden layers")
    points: Count = Field(description="training points")
    steps: Count = Field(description="iterations of L-BFGS at most; most fits converge before")
    seeds: Seeds = Field(description=SEEDS)
