"""What a training needs to know: what its lanes share (a recipe), and what each has of its own (a lane)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phase2 import registry
from phase2.card import ANY


@dataclass(frozen=True)
class Lane:
    """What may differ between the lanes of a pack."""

    init: str
    schedule: str
    lr: float  # the schedule's peak
    weight_decay: float = 0.0
    clip: float = math.inf  # largest gradient norm
    clip_value: float = math.inf  # largest entry of a gradient
    bias_lr: float = 1.0  # factor of the biases' learning rate


@dataclass(frozen=True)
class Recipe:
    """What all lanes of a pack share: one seed, hence one order of batches; one shape, hence one stacked model."""

    model: str
    model_options: Mapping[str, Any]
    optimizer: str
    batch_size: int
    epochs: int
    seed: int
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)  # pixels a side of images, from an epoch on
    decay: str = "all"  # what is decayed; "weights": neither biases nor norms
    accumulate: int = 1  # micro-batches a step
    precision: str = "fp32"  # "bf16", "fp16"
    channels_last: bool = False
    compile: bool = False
    average: str = "none"  # of the weights, which is judged in their place
    average_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def micro_batch(self) -> int:
        """Examples whose gradients are taken at once."""
        return -(-self.batch_size // self.accumulate)


def recipe_of(spec: Mapping[str, Any]) -> Recipe:
    """What the lanes of a cell's pack share, from the cell's spec.

    Here, and not with the cell, so that the code fingerprint of a result covers how its spec was read.
    """
    return Recipe(
        model=spec["model"]["name"],
        model_options=_model_options(spec["model"]),
        optimizer=spec["optimizer"]["name"],
        optimizer_options=spec["optimizer"]["options"],
        batch_size=spec["budget"]["batch_size"],
        epochs=spec["budget"]["epochs"],
        seed=spec["seed"],
        sizes={int(epoch): size for epoch, size in spec["budget"]["sizes"].items()},
        decay=spec["optimizer"]["decay"],
        accumulate=spec["budget"]["accumulate"],
        precision=spec["precision"],
        channels_last=spec["channels_last"],
        compile=spec["compile"],
        average=spec["average"]["name"],
        average_options=spec["average"]["options"],
    )


def _model_options(model: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an architecture: the settings of networks that it takes and that are not left to it, its own."""
    taken = registry.part("model", model["name"]).arguments
    general = {name: value for name, value in model.items() if name not in ("name", "options")}
    given = {name: value for name, value in general.items() if value is not None and (name in taken or ANY in taken)}
    return given | model["options"]


def lane_of(spec: Mapping[str, Any]) -> Lane:
    """What a cell has of its own in its pack, from its spec."""
    optimizer = spec["optimizer"]
    norm, value = (math.inf if spec[kind] == "none" else spec[kind] for kind in ("clip", "clip_value"))
    rate, decay, bias_lr = (optimizer[name] for name in ("lr", "weight_decay", "bias_lr"))
    return Lane(spec["init"], spec["schedule"], rate, decay, clip=norm, clip_value=value, bias_lr=bias_lr)
