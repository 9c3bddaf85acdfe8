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
    Count,
    Dataset,
    Finite,
    Init,
    Limit,
    ModelName,
    Norm,
    OptimizerName,
    Pixels,
    Probability,
    Rate,
    Schedule,
    Section,
    Seed,
    TaskName,
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
        default="none", description="of training images; crop_flip shifts and mirrors"
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
    options: dict[str, Finite | StrictBool] = Field(
        default={}, description="further arguments of the optimizer, e.g. {momentum: 0.9, nesterov: true}"
    )


class Budget(Section):
    """How long each cell trains: the same for all cells of a study, so that comparisons are fair."""

    epochs: Annotated[Count, Axis("epochs", "budgets")] = Field(description="passes over the training images")
    batch_size: Annotated[Count, Axis("batch size")] = Field(description="images a step")


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
        kind: {"options": registry.part(kind, settings[kind]["name"]).arguments} for kind in ("model", "optimizer")
    }
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
            kept[name] = _without(value, known[name])
        elif name not in known or value != known[name] or type(value) is not type(known[name]):
            kept[name] = value
    return kept
