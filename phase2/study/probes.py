"""The probes that a configuration may ask for: each kind a section with the settings of its function in phase2.probe.

A probe measures something on networks that is not their training curve. What it writes are tidy tables, which figures
and the report read as they read those of a study (`phase2.probe.catalog` lists them).
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from phase2.study.section import Activation, Count, Dataset, Init, Probability, Rate, Section, Seed, distinct

Activations = Annotated[list[Activation], AfterValidator(distinct)]
Counts = Annotated[list[Count], AfterValidator(distinct)]
Inits = Annotated[list[Init], AfterValidator(distinct)]
Rates = Annotated[list[Rate], AfterValidator(distinct)]
Seeds = Annotated[list[Seed], AfterValidator(distinct)]
Target = Literal["sine", "absolute", "step", "runge", "chirp"]
SEEDS = "seeds: all randomness of a repetition derives from its seed"


class Measurement(Section):
    """What all probes have."""

    question: str = Field(description="what the probe asks, in a sentence: printed in the report")
    figures: list[str] = Field(description="figures drawn of it, by name")


class ActivationShapes(Measurement):
    """Every activation with its first and second derivative on a grid."""

    probe: Literal["activation_shapes"]
    activations: Activations = Field(description="non-linearities")
    low: float = Field(default=-4.0, description="left end of the grid")
    high: float = Field(default=4.0, description="right end of the grid")
    points: Count = Field(default=801, description="points of the grid")


class FourWays(Measurement):
    """One perceptron trained by four implementations of backpropagation: by hand and by a tape, in NumPy and torch."""

    probe: Literal["four_ways"]
    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")
    lr: Rate = Field(description="learning rate of plain gradient descent")
    seeds: Seeds = Field(description=SEEDS)


class LsuvConvergence(Measurement):
    """How LSUV brings each layer's variance to one."""

    probe: Literal["lsuv_convergence"]
    dataset: Dataset = Field(description="name of a data set")
    activations: Activations = Field(description="non-linearities")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    batch: Count = Field(description="images that it measures on")
    seeds: Seeds = Field(description=SEEDS)


class GradientFlow(Measurement):
    """Activations and gradients through the layers of networks at initialization."""

    probe: Literal["gradient_flow"]
    dataset: Dataset = Field(description="name of a data set")
    activations: Activations = Field(description="non-linearities")
    inits: Inits = Field(description="initializations")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    batch: Count = Field(description="images that it measures on")
    seeds: Seeds = Field(description=SEEDS)


class MeanField(Measurement):
    """Variance through random networks against its mean-field theory, and the edge of chaos."""

    probe: Literal["mean_field"]
    activations: Activations = Field(description="non-linearities")
    weight_stds: Rates = Field(description="sigma_w: weights have variance sigma_w^2 / fan_in")
    bias_stds: Rates = Field(description="sigma_b: biases have variance sigma_b^2")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    seeds: Seeds = Field(description=SEEDS)


class BatchNoise(Measurement):
    """BatchNorm's noise against the size of the batch."""

    probe: Literal["batch_noise"]
    dataset: Dataset = Field(description="name of a data set")
    batch_sizes: Counts = Field(description="images a batch")
    draws: Count = Field(description="random batches of each size")
    width: Count = Field(description="units of the normalized layer")
    seeds: Seeds = Field(description=SEEDS)


class Approximation(Measurement):
    """Universal approximation: the sup-norm error of trained perceptrons against width and depth."""

    probe: Literal["approximation"]
    targets: Annotated[list[Target], AfterValidator(distinct)] = Field(description="functions on [-1, 1]")
    activation: Activation = Field(description="non-linearity")
    widths: Counts = Field(description="units a hidden layer")
    depths: Counts = Field(description="hidden layers")
    points: Count = Field(description="training points")
    epochs: Count = Field(description="passes over the points")
    batch_size: Count = Field(description="points a step")
    lr: Rate = Field(description="Adam's peak learning rate, cosine schedule")
    seeds: Seeds = Field(description=SEEDS)


class UnitHealth(Measurement):
    """Saturated and dead units in the trained networks of a study."""

    probe: Literal["unit_health"]
    study: str = Field(description="the study whose best weights are read")
    batch: Count = Field(description="test images that it measures on")


class Uncertainty(Measurement):
    """Dropout at inference: scaling right and wrong, Monte-Carlo dropout, calibration, unfamiliar inputs."""

    probe: Literal["uncertainty"]
    study: str = Field(description="the study whose best weights are read: it has an axis dropout")
    unfamiliar: Dataset = Field(description="data set that the networks were not trained on")
    dropout: Probability = Field(description="level of the study's axis at which inputs are turned and replaced")
    angles: list[float] = Field(description="degrees by which test images are rotated")
    samples: Annotated[int, Field(gt=1)] = Field(description="Monte-Carlo samples")
    images: Count = Field(description="test images used")


Probe = Annotated[
    ActivationShapes
    | FourWays
    | LsuvConvergence
    | GradientFlow
    | MeanField
    | BatchNoise
    | Approximation
    | UnitHealth
    | Uncertainty,
    Field(discriminator="probe"),
]
