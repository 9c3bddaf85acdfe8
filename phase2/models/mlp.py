"""The multi-layer perceptron."""

import math

from torch import Tensor
from torch.nn import Module, Sequential

from phase2 import registry
from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.dropout import Dropout
from phase2.nn.linear import Linear

CARD = Card(
    "model",
    "mlp",
    label="perceptron",
    definition="a multilayer perceptron",
    order=1,
)


class MLP(Module):
    """`depth` hidden layers of `width` units, and a Linear output layer.

    A hidden layer is Linear, a normalization if there is one, the activation, and dropout if its probability is above
    zero. Shapes: input (batch, *), flattened to (batch, in_features); output (batch, out_features). `activation` and
    `norm` are names known to `phase2.registry`, or `none` for the latter. Raises `UserError` for an unknown name or a
    size below 1.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        width: int = 64,
        depth: int = 6,
        activation: str = "relu",
        norm: str = "none",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = {"in_features": in_features, "out_features": out_features, "width": width, "depth": depth}
        for name, size in sizes.items():
            if size < 1:
                raise UserError(f"MLP: {name}={size}, expected at least 1")
        Activation = registry.load("activation", activation)
        layers: list[Module] = []
        for fan_in in [in_features] + [width] * (depth - 1):
            layers += [Linear(fan_in, width), Activation()]
            if norm != "none":
                layers.insert(-1, registry.load("norm", norm)(width))
            if dropout > 0:
                layers.append(Dropout(dropout))
        self.layers = Sequential(*layers, Linear(width, out_features))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))


def mlp(
    shape: tuple[int, ...],
    outputs: int,
    width: int = 64,
    depth: int = 6,
    activation: str = "relu",
    norm: str = "none",
    dropout: float = 0.0,
) -> MLP:
    """The perceptron for inputs of `shape` (without the batch), as a configuration names it."""
    return MLP(math.prod(shape), outputs, width, depth, activation, norm, dropout)
