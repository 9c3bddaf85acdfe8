"""One perceptron trained by four implementations of backpropagation: by hand and by a tape, in NumPy and torch."""

from pydantic import Field

from phase2.probe.options import SEEDS, Probe, Seeds
from phase2.study.section import Count, Dataset, Rate


class Options(Probe):
    tables = ("results", "curves")
    uses = (("activation", "relu"),)
    columns = {
        "implementation": "numpy or torch by hand, tape, autograd",
        "loss": "of the step's minibatch before the step, in nats",
        "test_accuracy": "share of test images told right",
        "seconds": "of all training steps",
        "max_gradient_difference": "largest difference from NumPy by hand, at step 0 in float64",
    }

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")
    lr: Rate = Field(description="learning rate of plain gradient descent")
    seeds: Seeds = Field(description=SEEDS)
