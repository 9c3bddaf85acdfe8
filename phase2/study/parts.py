"""Whether the parts that a study names take what it gives them: asked of their arguments, before anything runs."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from phase2 import registry
from phase2.card import ANY, REQUIRED
from phase2.errors import UserError, unknown
from phase2.registry import Part
from phase2.study.factors import KEYS
from phase2.study.training import AXES, Model, Training, defaults

# What the training itself gives to a part.
GIVEN = {
    "model": ("shape", "outputs"),
    "optimizer": ("params", "lr", "weight_decay"),
    "average": (),
    "task": ("prepared", "device"),
    "augmentation": ("images", "targets", "draws", "classes", "mean", "std"),
}


def check_parts(training: Training, axes: Mapping[str, Any]) -> None:
    """Raises `UserError` for an option, a setting or an axis that a model or the optimizer does not take."""
    _check_task(training, axes)
    _check_augmentations(training, axes)
    _check_sizes(training, axes)
    for name in axes.get("model") or [training.model.name]:
        model = registry.part("model", name)
        _check_options(model, training.model.options)
        for setting in _settings(training.model, axes):
            if not _takes(model, setting):
                raise UserError(
                    f"the model {name} has no {setting}: leave it out, or write null over another file's. "
                    f"It takes: {', '.join(options(model))}"
                )
        for axis in [axis for axis in axes if axis not in AXES]:
            if not _takes(model, axis):
                raise UserError(f"axes.{axis}: {unknown(f'axis of {name}', axis, {*AXES, *options(model)})}")
            if axis in KEYS:
                raise UserError(f"axes.{axis}: tables have a column {axis} of their own: rename that option of {name}")
            for value in axes[axis]:
                _check_value(model, axis, value)
    for name in axes.get("optimizer") or [training.optimizer.name]:
        _check_options(registry.part("optimizer", name), training.optimizer.options)
    for name in axes.get("average") or [training.average.name]:
        _check_options(registry.part("average", name), training.average.options)
    _check_micro_batches(training, axes)


def _check_task(training: Training, axes: Mapping[str, Any]) -> None:
    """Raises `UserError` for settings or axes that a task does not take, or metrics called as an axis."""
    task, usual = registry.part("task", training.task.name), defaults()["task"]
    for name, value in training.task:
        given = name in axes or value != usual.get(name, value)
        if name not in ("name", "dataset") and given and not _takes(task, name):
            raise UserError(f"the task {task.name} has no {name}. It takes: {', '.join(options(task))}")
    for name in task.card.traits["metrics"]:
        if name in axes:
            raise UserError(f"the metric {name} has the name of an axis: rename one of them")


def _check_augmentations(training: Training, axes: Mapping[str, Any]) -> None:
    """Raises `UserError` for an option that no augmentation of the study takes, or not of this kind."""
    levels = axes.get("augment") or [training.task.augment]
    named = dict.fromkeys(name for level in levels for name in registry.several(level))
    parts = [registry.part("augmentation", name) for name in named]
    for name, value in training.task.augment_options.items():
        taking = [part for part in parts if name in options(part)]
        if not taking:
            known = [each for part in parts for each in options(part)]
            raise unknown(f"option of the augmentation {', '.join(named)}", name, known)
        for part in taking:
            _check_value(part, name, value)


def _check_sizes(training: Training, axes: Mapping[str, Any]) -> None:
    """Raises `UserError` for sizes that no epoch has, that images grow by, or whose pixels are in no order."""
    sizes = training.budget.sizes
    epochs = min(axes.get("epochs") or [training.budget.epochs])
    least = min((size for size in axes.get("size") or [training.task.size] if size), default=None)
    for start, size in sizes.items():
        if start >= epochs:
            raise UserError(f"budget.sizes: no epoch {start} in a training of {epochs}, whose first is 0")
        if least is not None and size > least:
            raise UserError(f"budget.sizes: expected at most the {least} pixels a side of task.size (found {size})")
    if sizes and "permuted" in (axes.get("pixels") or [training.task.pixels]):
        raise UserError("budget.sizes: permuted pixels have no neighbours to be averaged: set task.pixels to natural")


def _check_micro_batches(training: Training, axes: Mapping[str, Any]) -> None:
    """Raises `UserError` where a batch cannot be cut into as many equal micro-batches as are asked for."""
    sizes = axes.get("batch_size") or [training.budget.batch_size]
    for size, pieces in product(sizes, axes.get("accumulate") or [training.budget.accumulate]):
        if size % pieces:
            near = max(each for each in range(1, pieces) if size % each == 0)
            raise UserError(
                f"budget.accumulate: a batch of {size} cannot be cut into {pieces} equal micro-batches: "
                f"expected a divisor of {size}, such as {near}"
            )


def options(part: Part) -> list[str]:
    """The arguments of a part that a configuration may give it."""
    return [name for name in part.arguments if name not in (*GIVEN[part.card.kind], ANY)]


def _settings(model: Model, axes: Mapping[str, Any]) -> Iterable[str]:
    """The settings of a network that a study sets: not those at their defaults."""
    for name, default in defaults()["model"].items():
        if name != "options" and (name in axes or getattr(model, name) != default):
            yield name


def _takes(part: Part, name: str) -> bool:
    return name in part.arguments or ANY in part.arguments


def _check_options(part: Part, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if part.card.kind == "model" and name in Model.model_fields:
            raise UserError(f"model.options.{name}: it is a setting of all models: write model.{name}")
        if not _takes(part, name) or name in GIVEN[part.card.kind]:
            raise unknown(f"option of the {part.card.kind} {part.name}", name, options(part))
        _check_value(part, name, value)


def _check_value(part: Part, name: str, value: Any) -> None:
    """Raises `UserError` for a value that is no choice of the option, or not of its default's kind."""
    told, default = part.card.options.get(name), part.arguments.get(name, REQUIRED)
    if told and told.choices and value not in told.choices:
        raise unknown(f"{name} of {part.name}", value, told.choices)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, (bool, int, float)) and not (
        isinstance(value, bool) if isinstance(default, bool) else number
    ):
        kind = "true or false" if isinstance(default, bool) else "a number"
        raise UserError(f"{name} of {part.name}: expected {kind} (found {value!r})")
