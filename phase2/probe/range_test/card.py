"""The learning-rate range test: the rate grows from step to step until the loss breaks out."""

from pydantic import Field

from phase2.probe.options import SEEDS, TRAINING, Optimizers, Probe, Seeds, Several
from phase2.study.section import Count, Dataset, Positive

STOP = 4.0  # times the least smoothed loss: beyond it the test is over
BREAKOUT = 0.1  # above the least smoothed loss, as a part of it: the loss has broken out


class Options(Probe):
    tables = ("suggestions", "losses")
    uses = (*TRAINING, ("activation", "relu"), ("schedule", "constant"))
    columns = {
        "loss": "of the step's minibatch before the step, in nats",
        "smoothed": "exponential average of the loss",
        "steepest": "rate at which the smoothed loss falls fastest; empty if there is none",
        "breakout": "first rate at which it is 10% above its least; empty if there is none",
    }

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    optimizers: Optimizers = Field(description="update rules")
    low: Positive = Field(description="learning rate of the first step")
    high: Positive = Field(description="learning rate of the last step")
    steps: Several = Field(description="optimizer steps")
    batch_size: Count = Field(description="images a step")
    seeds: Seeds = Field(description=SEEDS)
