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
    columns = {
        "target": "function on [-1, 1]",
        "parameters": "numbers in the network",
        "sup_error": "largest error on the grid",
        "rms_error": "root mean square error on the grid",
        "train_rms": "root mean square error on the training points",
        "steps": "iterations of L-BFGS",
        "converged": "whether the error had stopped falling",
        "x": "place in [-1, 1]",
        "truth": "the target there",
        "prediction": "the network there",
    }

    targets: Annotated[list[Target], AfterValidator(distinct)] = Field(description="functions on [-1, 1]")
    activation: Activation = Field(description="non-linearity")
    widths: Counts = Field(description="units a hidden layer")
    depths: Counts = Field(description="hidden layers")
    points: Count = Field(description="training points")
    steps: Count = Field(description="iterations of L-BFGS at most; most fits converge before")
    seeds: Seeds = Field(description=SEEDS)
