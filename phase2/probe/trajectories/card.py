"""Paths of optimizers from one start: of a network, in the plane of their principal components; on functions."""

from typing import Annotated

from pydantic import Field, StrictFloat

from phase2.probe.options import TRAINING, Optimizers, Probe, Rates
from phase2.study.section import NUMBER, Count, Dataset, Seed

NETWORK = "network"  # as a problem in the table `tuning`, beside the functions
DECAY = {"adamw": 0.01}  # torch's default; without any, AdamW is Adam


class Options(Probe):
    tables = ("tuning", "paths", "surface", "functions", "quadratic")
    uses = (*TRAINING, ("activation", "relu"), ("schedule", "constant"))
    columns = {
        "problem": "network, or a test function",
        "final_loss": "at the end; empty if it diverged",
        "diverged": "whether it did",
        "best": "whether this is the optimizer's rate with the least final loss",
        "x": "first coordinate, in the plane of the principal components or of the function",
        "y": "second coordinate",
        "loss": "on all training images, in nats",
        "share_x": "part of the paths' squared distances along the first component",
        "share_y": "the same along the second",
        "function": "test function",
        "value": "of the function",
        "method": "gradient descent, momentum or Nesterov",
        "condition": "condition number of the Hessian",
        "momentum": "theory's best",
        "rate": "what a step multiplies the distance by in the end",
        "distance": "from the minimum",
        "predicted": "the same by theory",
    }

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    optimizers: Optimizers = Field(description="update rules; each is tuned on the same list of rates")
    rates: Rates = Field(
        description="learning rates tried on the network with each optimizer; the least training loss is shown"
    )
    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")
    seed: Seed = Field(description="seed: all randomness derives from it")
    points: Count = Field(description="points a side of the map of the loss")
    condition: Annotated[StrictFloat, Field(gt=1, allow_inf_nan=False), NUMBER] = Field(
        description="condition number of the quadratic"
    )
    steps: Count = Field(description="steps on each test function")
