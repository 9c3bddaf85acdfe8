"""Activation functions: each value beside its local derivative, both by formula.

All are elementwise: any shape in, the same shape out. Each keeps one tensor for the backward pass, and each
backward is made of differentiable operations, so second derivatives are right too. Sides are chosen by clamp,
sign and lerp, not by where: they are vectorised, and the derivative of a sign is 0, not an error.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError, unknown


class _Elementwise(torch.autograd.Function):
    """y = f(x, *constants), whose derivative is written in terms of x."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.constants = inputs[1:]

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple, *inputs: Any) -> tuple[Tensor, int]:
        return cls.apply(*inputs), in_dims[0]  # elementwise: the lane dimension is one dimension more


class _ElementwiseFromOutput(_Elementwise):
    """y = f(x), whose derivative is written in terms of y, which the next layer keeps anyway."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(output)


def _step(x: Tensor) -> Tensor:
    """1 where x > 0, else 0."""
    return x.clamp(min=0).sign()


class _ReLU(_ElementwiseFromOutput):
    """f = max(x, 0);  f' = 1 if x > 0 else 0."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return G * y.sign()


class _LeakyReLU(_Elementwise):
    """f = x if x > 0 else a x;  f' = 1 if x > 0 else a."""

    @staticmethod
    def forward(x: Tensor, a: float) -> Tensor:
        return torch.add(x.clamp(min=0), x.clamp(max=0), alpha=a)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        (a,) = ctx.constants
        return torch.lerp(G * a, G, _step(x)), None


class _ELU(_Elementwise):
    """f = x if x > 0 else α (eˣ - 1);  f' = 1 if x > 0 else α eˣ."""

    @staticmethod
    def forward(x: Tensor, alpha: float) -> Tensor:
        t = x.clamp(max=0).mul_(0.5).tanh_()  # eˣ - 1 = 2t / (1 - t): as exact as expm1, and vectorised
        return (2 * alpha * t).div_(1 - t).add_(x.clamp(min=0))

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        (alpha,) = ctx.constants
        e = x.clamp(max=0).exp()  # 1 where x > 0: nothing overflows on the side that is not taken
        return G * torch.lerp(alpha * e, e, _step(x)), None


class _GELU(_Elementwise):
    """f = x Φ(x);  f' = Φ(x) + x φ(x), with Φ and φ the normal distribution and its density."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return (x * math.sqrt(0.5)).erf_().add_(1).mul_(0.5).mul_(x)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        Phi = torch.erf(x * math.sqrt(0.5)).add_(1).mul_(0.5)
        bell = torch.exp((x * x).mul_(-0.5))  # √(2π) φ
        return G * torch.addcmul(Phi, x, bell, value=1 / math.sqrt(2 * math.pi))


class _GELUTanh(_Elementwise):
    """f = x (1 + t) / 2, t = tanh(u), u = √(2/π) (x + c x³);  f' = (1 + t) / 2 + x (1 - t²) u' / 2."""

    c = 0.044715
    scale = math.sqrt(2 / math.pi)

    @classmethod
    def forward(cls, x: Tensor) -> Tensor:
        return (x * x).mul_(cls.c).add_(1).mul_(x).mul_(cls.scale).tanh_().add_(1).mul_(0.5).mul_(x)

    @classmethod
    def backward(cls, ctx: Any, G: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        z = x.clamp(-10, 10)  # beyond, t is 1 to the last bit, and (1 - t²) u' would be 0 times an overflow
        t = torch.tanh(cls.scale * z * (1 + cls.c * z * z))
        du = cls.scale * (1 + 3 * cls.c * z * z)
        return G * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du)


class _SiLU(_Elementwise):
    """f = x σ(x);  f' = σ (1 + x (1 - σ))."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.sigmoid(x).mul_(x)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return G * (s * (1 + x * (1 - s)))


class _Tanh(_ElementwiseFromOutput):
    """f = tanh x;  f' = 1 - f²."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.tanh(x)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return G * (1 - y * y)


class _Sigmoid(_ElementwiseFromOutput):
    """f = 1 / (1 + e⁻ˣ);  f' = f (1 - f)."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return G * (y * (1 - y))


def relu(x: Tensor) -> Tensor:
    """max(x, 0); the derivative at 0 is 0. Nair & Hinton 2010."""
    return _ReLU.apply(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope x. Maas et al. 2013."""
    return _LeakyReLU.apply(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (eˣ - 1). Clevert et al. 2016, eq. 15."""
    return _ELU.apply(x, alpha)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), exact or (`approximate="tanh"`) by tanh. Hendrycks & Gimpel 2016, section 2."""
    if approximate not in ("none", "tanh"):
        raise unknown("approximate of gelu", approximate, ["none", "tanh"])
    return _GELU.apply(x) if approximate == "none" else _GELUTanh.apply(x)


def silu(x: Tensor) -> Tensor:
    """x σ(x). Elfwing et al. 2018; "swish" in Ramachandran et al. 2017."""
    return _SiLU.apply(x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return _Tanh.apply(x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ)."""
    return _Sigmoid.apply(x)


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


class GELU(Module):
    """`gelu` as a layer; drop-in for `torch.nn.GELU`."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """`silu` as a layer; drop-in for `torch.nn.SiLU`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        _reject_inplace(inplace)

    def forward(self, x: Tensor) -> Tensor:
        return silu(x)


class Tanh(Module):
    """`tanh` as a layer; drop-in for `torch.nn.Tanh`."""

    def forward(self, x: Tensor) -> Tensor:
        return tanh(x)


class Sigmoid(Module):
    """`sigmoid` as a layer; drop-in for `torch.nn.Sigmoid`."""

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid(x)
