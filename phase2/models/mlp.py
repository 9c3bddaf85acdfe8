"""The multi-layer perceptron."""

from torch import Tensor
from torch.nn import Module, Sequential

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.linear import Linear


class MLP(Module):
    """`depth` hidden layers of `width` units, each Linear then activation, and a Linear output layer.

    Shapes: input (batch, *), flattened to (batch, in_features); output (batch, out_features). `activation`
    is a name known to `phase2.registry`. Raises `UserError` for an unknown activation or a size below 1.
    """

    def __init__(
        self, in_features: int, out_features: int, width: int = 64, depth: int = 6, activation: str = "relu"
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
        self.layers = Sequential(*layers, Linear(width, out_features))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))
