"""The probes that a configuration may ask for: each kind a section with the settings of its function in phase2.probe.

A probe measures something on networks that is not their training curve. What it writes are tidy tables, which figures
and the report read as they read those of a study (`phase2.probe.catalog` lists them).
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StrictFloat, StrictInt

from phase2.study.section import (
    CHAPTER,
    NUMBER,
    WHOLE,
    Activation,
    Chapter,
    Count,
    Dataset,
    Finite,
    Init,
    OptimizerName,
    Positive,
    Probability,
    Question,
    Rate,
    Section,
    Seed,
    distinct,
)

Activations = Annotated[list[Activation], AfterValidator(distinct)]
Counts = Annotated[list[Count], AfterValidator(distinct)]
Inits = Annotated[list[Init], AfterValidator(distinct)]
Optimizers = Annotated[list[OptimizerName], AfterValidator(distinct)]
Rates = Annotated[list[Rate], AfterValidator(distinct)]
Seeds = Annotated[list[Seed], AfterValidator(distinct)]
Target = Literal["sine", "absolute", "step", "runge", "chirp"]
TRAINING = (("model", "mlp"), ("init", "kaiming"))  # what a probe that trains a perceptron of its own uses
SEEDS = "seeds: all randomness of a repetition derives from its seed"


class Measurement(Section):
    """What all probes have."""

    uses: ClassVar[tuple[tuple[str, str], ...]] = ()  # components, by kind and name, whatever the options say
    reads: ClassVar[tuple[str, ...]] = ("best", "half", "all")  # what its study may keep, if it has one
    question: Question = Field(description="what the probe asks, in a sentence: printed in the report")
    chapter: Chapter = CHAPTER
    figures: list[str] = Field(description="figures drawn of it, by name")


class ActivationShapes(Measurement):
    """Every activation with its first and second derivative on a grid."""

    probe: Literal["activation_shapes"]
    activations: Activations = Field(description="non-linearities")
    low: Finite = Field(default=-4.0, description="left end of the grid")
    high: Finite = Field(default=4.0, description="right end of the grid")
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

    uses = (("init", "kaiming"),)
    probe: Literal["batch_noise"]
    dataset: Dataset = Field(description="name of a data set")
    batch_sizes: Counts = Field(description="images a batch")
    draws: Count = Field(description="random batches of each size")
    width: Count = Field(description="units of the normalized layer")
    seeds: Seeds = Field(description=SEEDS)


class Approximation(Measurement):
    """Universal approximation: the sup-norm error of trained perceptrons against width and depth."""

    uses = (*TRAINING, ("schedule", "cosine"), ("optimizer", "adam"))
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
    angles: list[Finite] = Field(description="degrees by which test images are rotated")
    samples: Annotated[StrictInt, Field(gt=1), WHOLE] = Field(description="Monte-Carlo samples")
    images: Count = Field(description="test images used")


class RangeTest(Measurement):
    """The learning-rate range test: the rate grows from step to step until the loss breaks out."""

    uses = (*TRAINING, ("activation", "relu"), ("schedule", "constant"))
    probe: Literal["range_test"]
    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    optimizers: Optimizers = Field(description="update rules")
    low: Positive = Field(description="learning rate of the first step")
    high: Positive = Field(description="learning rate of the last step")
    steps: Annotated[StrictInt, Field(gt=1), WHOLE] = Field(description="optimizer steps")
    batch_size: Count = Field(description="images a step")
    seeds: Seeds = Field(description=SEEDS)


class Trajectories(Measurement):
    """Paths of optimizers from one start: of a network, in the plane of their principal components; on functions."""

    uses = (*TRAINING, ("activation", "relu"), ("schedule", "constant"))
    probe: Literal["trajectories"]
    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    optimizers: Optimizers = Field(description="update rules; each is tuned on the same list of rates")
    rates: Rates = Field(description="learning rates tried with each optimizer; the least training loss is shown")
    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")
    seed: Seed = Field(description="all randomness derives from it")
    points: Count = Field(description="points a side of the map of the loss")
    condition: Annotated[StrictFloat, Field(gt=1, allow_inf_nan=False), NUMBER] = Field(
        description="condition number of the quadratic"
    )
    steps: Count = Field(description="steps on each test function")


class KernelRegime(Measurement):
    """The neural tangent kernel: its limit, how far a network of finite width is from it, what training does to it."""

    probe: Literal["kernel_regime"]
    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used")
    test: Count = Field(description="test images used")
    activations: Annotated[list[Literal["relu", "erf"]], AfterValidator(distinct)] = Field(
        description="non-linearities whose infinite-width kernel is known in closed form"
    )
    depth: Count = Field(description="hidden layers")
    widths: Counts = Field(description="units a hidden layer")
    steps: Count = Field(description="steps of full-batch gradient descent")
    memory_mb: Count = Field(description="memory that a kernel's computation may use, in MB")
    seeds: Seeds = Field(description=SEEDS)


class Landscape(Measurement):
    """The loss around trained networks: filter-normalized slices, planes, and the way between two solutions."""

    probe: Literal["landscape"]
    study: str = Field(description="the study whose best weights are read")
    images: Count = Field(description="training images on which the loss is taken")
    radius: Positive = Field(description="how far slices reach, in units of the filters' norms")
    line: Annotated[StrictInt, Field(ge=3), WHOLE] = Field(description="points of a slice along a line")
    plane: Annotated[StrictInt, Field(ge=3), WHOLE] = Field(description="points a side of a plane")


class EdgeOfStability(Measurement):
    """Full-batch gradient descent, with the largest eigenvalue of the Hessian on the way, against 2 / rate."""

    probe: Literal["edge_of_stability"]
    dataset: Dataset = Field(description="name of a data set")
    train: Count = Field(description="training images used")
    width: Count = Field(description="units a hidden layer")
    depth: Count = Field(description="hidden layers")
    activation: Activation = Field(description="non-linearity")
    rates: Rates = Field(description="learning rates")
    steps: Count = Field(description="steps of full-batch gradient descent")
    every: Count = Field(description="steps between two measurements of the sharpness")
    seeds: Seeds = Field(description=SEEDS)


class Curvature(Measurement):
    """Sharpness, trace of the Hessian and gradient noise of the trained networks of a study."""

    probe: Literal["curvature"]
    study: str = Field(description="the study whose best weights are read")
    images: Count = Field(description="training images on which loss and gradients are taken")
    draws: Annotated[StrictInt, Field(gt=1), WHOLE] = Field(description="random vectors of the trace's estimate")


class ReceptiveField(Measurement):
    """The theoretical and the effective receptive field: random stacks against theory, trained networks of a study."""

    probe: Literal["receptive_field"]
    study: str = Field(description="the study whose networks are measured before and after training")
    depths: Counts = Field(description="convolutions of the random stacks")
    width: Count = Field(description="channels of the random stacks")
    images: Count = Field(description="images, or random inputs, that gradients are averaged over")
    seeds: Seeds = Field(description=SEEDS)


class FeatureHierarchy(Measurement):
    """What the layers of trained networks see: filters, maps, exciting images, and what a linear probe reads."""

    probe: Literal["feature_hierarchy"]
    study: str = Field(description="the study whose networks are read")
    train: Count = Field(description="training images of the linear probes")
    test: Count = Field(description="test images that linear probes are judged on")
    steps: Count = Field(description="gradient steps towards an image that excites a unit")


class LayerResponses(Measurement):
    """Standard deviation of every layer's response, and the gradient's norm, before, during and after training."""

    reads = ("half", "all")
    probe: Literal["layer_responses"]
    study: str = Field(description="the study whose networks are measured; it keeps half or all")
    images: Count = Field(description="training images that it measures on")


class ModelSizes(Measurement):
    """Parameters and operations of the networks of the papers, counted, beside what was published."""

    probe: Literal["model_sizes"]


Probe = Annotated[
    ActivationShapes
    | FourWays
    | LsuvConvergence
    | GradientFlow
    | MeanField
    | BatchNoise
    | Approximation
    | UnitHealth
    | Uncertainty
    | RangeTest
    | Trajectories
    | KernelRegime
    | Landscape
    | EdgeOfStability
    | Curvature
    | ReceptiveField
    | FeatureHierarchy
    | LayerResponses
    | ModelSizes,
    Field(discriminator="probe"),
]
