"""What the activations of a network see and say: their inputs and outputs, and features of bounded dimension."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isqrt

import torch
from torch import Tensor
from torch.nn import Module

from phase2 import registry
from phase2.nn.pooling.adaptive import AdaptiveAvgPool2d

BATCH = 250  # images that pass through a network at once


def _is_activation(module: Module) -> bool:
    """Whether a module is an activation that `phase2.registry` names; the others are not even imported."""
    targets = {part.target for part in registry.parts("activation").values()}
    return any(f"{kind.__module__}:{kind.__qualname__}" in targets for kind in type(module).__mro__)


@contextmanager
def watched(model: Module) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """A list to which each forward pass inside the block adds the input and the output of every activation, in order.

    Each is (batch, channels, height, width) or (batch, units). Activations are those that `phase2.registry` names.
    """
    passed: list[tuple[Tensor, Tensor]] = []
    layers = [module for module in model.modules() if _is_activation(module)]
    hooks = [layer.register_forward_hook(lambda _, z, h: passed.append((*z, h))) for layer in layers]
    try:
        yield passed
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def features(model: Module, images: Tensor, limit: int) -> list[Tensor]:
    """Features (images, dimension) of the images (images, channels, height, width) after every activation, `pooled`."""
    parts = []
    with watched(model) as passed:
        for batch in images.split(BATCH):
            model(batch)
            parts.append([pooled(h, limit) for _, h in passed])
            passed.clear()
    return [torch.cat(layer) for layer in zip(*parts, strict=True)]


def pooled(h: Tensor, limit: int) -> Tensor:
    """Maps (batch, channels, height, width) averaged over as many cells as make at most `limit` features, k x k of a
    channel and one if there are more channels; (batch, dimension). What has no places stays as it is.
    """
    if h.ndim < 4:
        return h.flatten(1)
    side = max(1, isqrt(limit // h.shape[1]))
    sides = [min(side, places) for places in h.shape[2:]]
    return AdaptiveAvgPool2d(sides, backend="fused")(h).flatten(1)
