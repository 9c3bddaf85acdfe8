"""Activations as layers, drop-in for `torch.nn`: any shape in, the same shape out.

Each is the function of the same name in `phase2.nn.activation_functions`. None works in place: the backward pass
needs the input.
"""

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from phase2.errors import UserError, unknown
from phase2.nn.activation_functions import (
    elu,
    gelu,
    leaky_relu,
    mish,
    prelu,
    relu,
    selu,
    sigmoid,
    silu,
    softplus,
    swish,
    tanh,
)


def _reject_inplace(inplace: bool) -> None:
    if inplace:
        raise UserError("inplace=True is not supported: the backward pass needs the input; leave inplace=False")


class ReLU(Module):
    """`relu` as a layer; drop-in for `torch.nn.ReLU`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)

    def forward(self, x: Tensor) -> Tensor:
        return relu(x)


class LeakyReLU(Module):
    """`leaky_relu` as a layer; drop-in for `torch.nn.LeakyReLU`."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """`prelu` with a slope that learns, one for all channels or one for each; drop-in for `torch.nn.PReLU`.

    Shapes: input (batch, num_parameters, *), or any for num_parameters=1. Raises `UserError` for
    num_parameters below 1.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if num_parameters < 1:
            raise UserError(f"PReLU: num_parameters={num_parameters}, expected 1 or the number of channels")
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(torch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Sets every slope to `init`."""
        self.weight.fill_(self.init)

    def forward(self, x: Tensor) -> Tensor:
        return prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """`elu` as a layer; drop-in for `torch.nn.ELU`."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """`selu` as a layer; drop-in for `torch.nn.SELU`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)

    def forward(self, x: Tensor) -> Tensor:
        return selu(x)


class GELU(Module):
    """`gelu` as a layer; drop-in for `torch.nn.GELU`. Raises `UserError` for an unknown `approximate`."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise unknown("approximate of gelu", approximate, ["none", "tanh"])
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GELUTanh(GELU):
    """GELU by its tanh approximation."""

    def __init__(self) -> None:
        super().__init__(approximate="tanh")


class SiLU(Module):
    """`silu` as a layer; drop-in for `torch.nn.SiLU`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)

    def forward(self, x: Tensor) -> Tensor:
        return silu(x)


class Swish(Module):
    """`swish` as a layer, with a fixed beta; `SiLU` at beta=1."""

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, x: Tensor) -> Tensor:
        return swish(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


class GELUSigmoid(Swish):
    """GELU by its sigmoid approximation, x σ(1.702 x). Hendrycks & Gimpel 2016, section 2."""

    def __init__(self) -> None:
        super().__init__(beta=1.702)


class Mish(Module):
    """`mish` as a layer; drop-in for `torch.nn.Mish`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)

    def forward(self, x: Tensor) -> Tensor:
        return mish(x)


class Softplus(Module):
    """`softplus` as a layer; drop-in for `torch.nn.Softplus`. Raises `UserError` for beta <= 0."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        if not beta > 0:
            raise UserError(f"Softplus: beta={beta}, expected above 0")
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Tanh(Module):
    """`tanh` as a layer; drop-in for `torch.nn.Tanh`."""

    def forward(self, x: Tensor) -> Tensor:
        return tanh(x)


class Sigmoid(Module):
    """`sigmoid` as a layer; drop-in for `torch.nn.Sigmoid`."""

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid(x)
