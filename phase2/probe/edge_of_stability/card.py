"""Full-batch gradient descent, with the largest eigenvalue of the Hessian on the way, against 2 / rate."""

from pydantic import Field

from phase2.probe.options import SEEDS, Probe, Rates, Seeds
from phase2.study.section import Activation, Count, Dataset


class Options(Probe):
    tables = ("path", "spectrum")
    columns = {
        "loss": "half the squared error, mean over images",
        "sharpness": "largest eigenvalue of the Hessian; empty between measurements",
        "when": "before or after the descent",
        "quantity": "eigenvalue, trace, or the number of parameters",
        "rank": "place of an eigenvalue, the largest first; 0 for the others",
        "value": "of the quantity",
    }

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    activation: Activation = Field(description="non-linearity")
    rates: Rates = Field(description="learning rates")
    steps: Count = Field(description="steps of full-batch gradient descent")
    every: Count = Field(description="steps between two measurements of the sharpness")
    seeds: Seeds = Field(description=SEEDS)
