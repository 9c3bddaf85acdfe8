"""The multi-layer perceptron in the neural tangent kernel's parameterization."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn import Module, ParameterList

from phase2.errors import UserError, unknown
from phase2.nn.activation.relu import relu
from phase2.nn.linear import linear

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu, "erf": torch.erf}
# σ_w of the layers that read an activation. √2 keeps a pre-activation's variance through ReLU (He et al. 2015);
# erf has slope 2/√π at 0 and needs no help.
WEIGHT_STD = {"relu": math.sqrt(2), "erf": 1.0}
BIAS_STD = 0.1  # β


class NTKMLP(Module):
    """`depth` hidden layers of `width` units: pre = σ_w W a / √n + β b with W, b ~ N(0, 1) (Jacot et al. 2018, eq. 1).

    The scale stands in the function, not in the initial weights, so that gradients, and with them the tangent kernel,
    have a limit as `width` grows. σ_w is 1 for the first layer and `WEIGHT_STD` for the others; β is `bias`.
    Shapes: input (batch, *), flattened to (batch, features); output (batch, outputs). Raises `UserError` for a size
    below 1 and for an activation other than relu and erf.
    """

    def __init__(
        self, features: int, outputs: int, width: int, depth: int, activation: str = "relu", bias: float = BIAS_STD
    ) -> None:
        super().__init__()
        for name, size in {"features": features, "outputs": outputs, "width": width, "depth": depth}.items():
            if size < 1:
                raise UserError(f"NTKMLP: {name}={size}, expected at least 1")
        if activation not in ACTIVATIONS:
            raise unknown("activation of NTKMLP", activation, ACTIVATIONS)
        sizes = [features] + [width] * depth + [outputs]
        self.weights = ParameterList(torch.empty(n_out, n_in) for n_in, n_out in pairwise(sizes))
        self.biases = ParameterList(torch.empty(n_out) for n_out in sizes[1:])
        self.activation, self.bias = activation, bias
        self.reset()

    def reset(self, generator: Generator | None = None) -> None:
        """Draws every parameter from N(0, 1) anew, from torch's global generator if none is given."""
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        a, std = x.flatten(1), 1.0
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                a, std = ACTIVATIONS[self.activation](a), WEIGHT_STD[self.activation]
            a = linear(a, W) * (std / math.sqrt(W.shape[1])) + self.bias * b
        return a
