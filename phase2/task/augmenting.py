"""An augmentation from the names in a configuration: its parts one after the other, each with the options it takes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor

from phase2 import registry
from phase2.task.draws import Draws
from phase2.task.task import Augmentation


def augmentation_of(names: str, options: Mapping[str, Any], **known: Any) -> Augmentation:
    """The parts of `names`, such as translate+cutout, in that order. Each is given those of `options`, and of what is
    `known` of the data, that its function names.
    """
    given = {**options, **known}
    parts = [_bound(name, given) for name in registry.several(names)]

    def augment(inputs: Tensor, targets: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        for part in parts:
            inputs, targets = part(inputs, targets, draws)
        return inputs, targets

    return augment if len(parts) > 1 else parts[0]


def _bound(name: str, given: Mapping[str, Any]) -> Augmentation:
    taken = {key: value for key, value in given.items() if key in registry.part("augmentation", name).arguments}
    return partial(registry.load("augmentation", name), **taken) if taken else registry.load("augmentation", name)
