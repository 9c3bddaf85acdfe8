"""One perceptron trained by four implementations of backpropagation: by hand and by a tape, in NumPy and torch."""

from pydantic import Field

from phase2.probe.options import SEEDS, Probe, Seeds
from phase2.study.section import Count, Dataset, Rate


class Options(Probe):
    tables = ("results", "curves")
    uses = (("activation", "relu"),)

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")
    lr: Rate = Field(description="learning rate of plain gradient descent")
    seeds: Seeds = Field(description=SEEDS)
