"""What one training is: the sections of a configuration that decide a cell, each setting with its default.

Imports no torch: the Snakefile validates the configuration in every job.
"""

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictInt

from phase2 import registry
from phase2.study.axes import Axis, Place, places_in
from phase2.study.read import merge
from phase2.study.section import (
    NO_LIMIT,
    NO_NORM,
    Activation,
    Augment,
    AverageName,
    Count,
    Dataset,
    Decay,
    Finite,
    Init,
    Limit,
    ModelName,
    Norm,
    Number,
    OptimizerName,
    Pixels,
    Precision,
    Probability,
    Rate,
    Schedule,
    Section,
    Seed,
    Start,
    TaskName,
    TestTimeAugmentation,
)


class Model(Section):
    """The network."""

    name: Annotated[ModelName, Axis("network", name="model")] = Field(description="architecture")
    activation: Annotated[Activation, Axis("activation")] = Field(
        default="relu", description="non-linearity after each hidden layer"
    )
    norm: Annotated[Norm, Axis("normalization")] = Field(
        default=NO_NORM, description="normalization before each non-linearity; none: there is none"
    )
    dropout: Annotated[Probability, Axis("dropout", "dropout rates")] = Field(
        default=0.0, description="probability that a hidden unit is dropped in training"
    )
    width: Annotated[Count | None, Axis("width")] = Field(
        default=None, description="units a hidden layer, channels of the first; null: the architecture's own"
    )
    depth: Annotated[Count | None, Axis("depth")] = Field(
        default=None, description="layers; null: the architecture's own"
    )
    options: dict[str, StrictBool | StrictInt | str] = Field(
        default={}, description="further arguments of the architecture, e.g. {shortcut: B, backend: fused}"
    )


class Task(Section):
    """What is learnt from which data."""

    name: TaskName = Field(default="images", description="kind of task")
    dataset: Dataset = Field(description="name of a data set: see `phase2 doctor` for where each can come from")
    validation: Count = Field(description="images held out of the training set, the same for every cell")
    train: Count | None = Field(default=None, description="training images used; null: all that validation leaves")
    test: Count | None = Field(default=None, description="test images used, the classes in proportion; null: all")
    size: Annotated[Count | None, Axis("image size", "image sizes")] = Field(
        default=None, description="pixels a side, to which images are averaged; null: as they are"
    )
    pixels: Annotated[Pixels, Axis("pixels", "orders of the pixels")] = Field(
        default="natural", description="permuted: one fixed permutation of all images' pixels"
    )
    augment: Annotated[Augment, Axis("augmentation")] = Field(
        default="none",
        description="of training images; several follow each other: [translate, cutout], or translate+cutout",
    )
    augment_options: dict[str, Number] = Field(
        default={}, description="further arguments of augmentations, each given to those that take it, e.g. {hole: 8}"
    )
    tta: TestTimeAugmentation = Field(
        default="none",
        description="test-time augmentation: test scores are told with it, and as plain_test_* without; nothing is "
        "chosen by it",
    )
    label_smoothing: Annotated[Probability, Axis("label smoothing", "amounts of label smoothing")] = Field(
        default=0.0, description="share of a label that is spread over all classes in training; it is judged without"
    )


class Optimizer(Section):
    """The optimizer and its base rate; schedules multiply the rate over time."""

    name: Annotated[OptimizerName, Axis("optimizer", name="optimizer")] = Field(description="update rule")
    lr: Annotated[Rate, Axis("learning rate", lane=True)] = Field(
        description="learning rate: the peak of every schedule"
    )
    weight_decay: Annotated[Rate, Axis("weight decay", lane=True)] = Field(
        default=0.0, description="L2 penalty's coefficient"
    )
    bias_lr: Annotated[Rate, Axis("bias rate", "factors of the biases' rate", lane=True)] = Field(
        default=1.0, description="factor of the learning rate for biases, those of norms too"
    )
    decay: Annotated[Decay, Axis("decayed", "what is decayed")] = Field(
        default="all", description="what weight decay takes hold of; weights: neither biases nor what a norm scales by"
    )
    options: dict[str, Finite | StrictBool] = Field(
        default={}, description="further arguments of the optimizer, e.g. {momentum: 0.9, nesterov: true}"
    )


class Average(Section):
    """An average of the weights over the steps."""

    name: Annotated[AverageName, Axis("average", "averages of the weights", name="average")] = Field(
        default="none", description="which average"
    )
    options: dict[str, Finite] = Field(default={}, description="its arguments, e.g. {decay: 0.999}")


class Budget(Section):
    """How long each cell trains: the same for all cells of a study, so that comparisons are fair."""

    epochs: Annotated[Count, Axis("epochs", "budgets")] = Field(description="passes over the training images")
    batch_size: Annotated[Count, Axis("batch size")] = Field(description="images a step")
    accumulate: Annotated[Count, Axis("micro-batches", "micro-batches a step")] = Field(
        default=1, description="micro-batches that a batch is cut into, whose gradients add up to its own: less memory"
    )
    sizes: dict[Start, Count] = Field(
        default={},
        description="progressive resizing: from which epoch (from 0) on images are averaged to how many pixels a side, "
        "e.g. {0: 16, 10: 24, 20: 32}; in training alone, all else sees their own size",
    )


class Training(Section):
    """Everything that decides a cell but its seed."""

    model: Model = Field(description="the network")
    task: Task = Field(description="what is learnt from which data")
    init: Annotated[Init, Axis("initialization", lane=True)] = Field(
        default="kaiming", description="initialization where no axis says otherwise"
    )
    schedule: Annotated[Schedule, Axis("schedule", "learning-rate schedules", lane=True)] = Field(
        default="constant", description="learning-rate schedule where no axis says otherwise"
    )
    optimizer: Optimizer = Field(description="the update rule and its settings")
    clip: Annotated[Limit, Axis("norm limit", "limits of the gradient's norm", lane=True, none="no limit")] = Field(
        default=NO_LIMIT, description="largest gradient norm; none: norms are not clipped"
    )
    clip_value: Annotated[
        Limit, Axis("entry limit", "limits of the gradient's entries", lane=True, none="no limit")
    ] = Field(default=NO_LIMIT, description="largest entry of a gradient; none: any")
    budget: Budget = Field(description="how long each cell trains")
    precision: Annotated[Precision, Axis("precision")] = Field(
        default="fp32", description="in which networks compute; of bf16 and fp16 the weights stay in fp32"
    )
    channels_last: Annotated[StrictBool, Axis("channels last", "memory layouts")] = Field(
        default=False, description="whether images and kernels lie in memory with their channels last"
    )
    compile: StrictBool = Field(default=False, description="whether torch.compile makes one program of the network")
    average: Average = Field(default_factory=Average, description="an average of the weights, which is then judged")


class Seeded(Training):
    """Everything that decides a cell."""

    seed: Annotated[Seed, Axis("seed")] = Field(description="every random stream of a cell derives from its seed")


# Every axis by name, in the order of folders and tables; a model's own options are axes too, wherever it is the model.
AXES: dict[str, Place] = dict(places_in(Seeded))


def with_defaults(spec: dict[str, Any]) -> dict[str, Any]:
    """All settings of a cell, from its spec, which leaves out what equals the default."""
    return merge(defaults(), spec)


def without_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """The spec of a cell with these settings: a new setting, at its default, is in no spec and orphans no cell.

    An option of a part is at its default where the part's own argument has this value.
    """
    usual: dict[str, Any] = {
        kind: {"options": registry.part(kind, settings[kind]["name"]).arguments}
        for kind in ("model", "optimizer", "average")
    }
    augmentations = [registry.part("augmentation", name) for name in registry.several(settings["task"]["augment"])]
    usual["task"] = {"augment_options": dict(pair for each in augmentations for pair in each.arguments.items())}
    return _without(_without(settings, usual), defaults())


@cache
def defaults() -> dict[str, Any]:
    """The defaults of all settings that have one, section by section."""
    return _defaults_of(Seeded)


def _defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name] = _defaults_of(field.annotation)
        elif not field.is_required():
            found[name] = field.default
    return found


def _without(content: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, value in content.items():
        if isinstance(known.get(name), dict) and known[name] and isinstance(value, dict):
            if inner := _without(value, known[name]):  # a section of defaults alone is at its default
                kept[name] = inner
        elif name not in known or value != known[name] or type(value) is not type(known[name]):
            kept[name] = value
    return kept
