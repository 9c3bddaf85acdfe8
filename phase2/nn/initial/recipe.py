"""What initializations share.

A recipe initialises a whole model: weights of every linear map and convolution, biases zero; whatever else the model
holds (norms, PReLU) keeps its values. All recipes have one signature: `batch` is what the model's forward takes, and
what they measured on it is returned (only `lsuv` measures). They draw from `generator` alone, in the order of
`model.modules()`: recipes of one seed scale the same noise.
"""

from collections.abc import Callable, Iterator

from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError
from phase2.nn.init import zeros_
from phase2.nn.weighted import Weighted


def weighted_layers(model: Module) -> Iterator[tuple[str, Weighted]]:
    """(name, layer) of every linear and convolutional layer of `phase2.nn`, in the order of `model.named_modules()`.

    Raises `UserError` if there is none: a recipe that changes nothing is a mistake.
    """
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, Weighted)]
    if not layers:
        raise UserError(f"{type(model).__name__} has no linear or convolutional layer: build it of those of phase2.nn")
    return iter(layers)


def fill_weights(model: Module, fill: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Fills every weight by `fill`, and every bias with zeros."""
    for _, layer in weighted_layers(model):
        fill(layer.weight)
        if layer.bias is not None:
            zeros_(layer.bias)
    return {}
