"""Where perceptrons begin to learn, by depth and by the size of their first weights, beside the theory's limit."""

from pydantic import Field

from phase2.probe.options import SEEDS, TRAINING, Activations, Counts, Probe, Seeds, Sizes
from phase2.study.section import Count, Dataset, Rate

SCALES = 6  # depth scales beyond which a signal is lost (Schoenholz et al. 2017, section 5)


class Options(Probe):
    tables = ("trained", "theory")
    uses = (*TRAINING, ("optimizer", "momentum"), ("schedule", "constant"))
    columns = {
        "weight_std": "sigma_w: first weights have variance sigma_w^2 / fan_in, biases are 0",
        "accuracy": "share of the training images told right after training; empty if it diverged",
        "chi": "growth of the squared gradient a layer, at the fixed point of the variance",
        "depth_scale": "layers over which it grows or shrinks by a factor e: 1 / |log chi|",
    }

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    activations: Activations = Field(description="non-linearities")
    weight_stds: Sizes = Field(description="sigma_w: first weights have variance sigma_w^2 / fan_in")
    depths: Counts = Field(description="hidden layers")
    width: Count = Field(description="units a hidden layer")
    lr: Rate = Field(description="learning rate, the same for all")
    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")
    seeds: Seeds = Field(description=SEEDS)
