"""The neural tangent kernel: its limit, how far a network of finite width is from it, what training does to it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from phase2.probe.options import SEEDS, Counts, Probe, Seeds
from phase2.study.section import Count, Dataset, distinct


class Options(Probe):
    tables = ("convergence", "linearized", "drift", "regression")
    columns = {
        "ntk_error": "relative distance of the tangent kernel at the start from its limit",
        "nngp_error": "relative distance of the last hidden layer's covariance from its limit",
        "network_loss": "squared error on training images",
        "linearized_loss": "the same of the linearization",
        "distance": "of the two's test outputs, relative to the network's",
        "drift": "relative distance of the tangent kernel after training from that before",
        "method": "network, its linearization, or regression with a kernel",
        "test_accuracy": "share of test images told right",
        "test_mse": "squared error on test images",
    }

    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used, at most")
    test: Count = Field(description="test images used, at most")
    activations: Annotated[list[Literal["relu", "erf"]], AfterValidator(distinct)] = Field(
        description="non-linearities whose infinite-width kernel is known in closed form"
    )
    depth: Count = Field(description="hidden layers")
    widths: Counts = Field(description="units a hidden layer")
    steps: Count = Field(description="steps of full-batch gradient descent")
    memory_mb: Count = Field(description="memory that a kernel's computation may use, in MB")
    seeds: Seeds = Field(description=SEEDS)
