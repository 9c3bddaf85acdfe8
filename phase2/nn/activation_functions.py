"""Activation functions of a tensor: any shape in, the same shape out, differentiable twice by formula.

Value, first and second derivative are those of `phase2.nn.activation_formulas`. float16 and bfloat16 are computed in
float32 and rounded once, as torch does, under autocast too. All raise `UserError` for a tensor that is not floating
point. PReLU is the one with a parameter that learns.
"""

from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError, unknown
from phase2.nn.activation_formulas import DERIVATIVES, Formulas, step


def _wide(x: Tensor) -> Tensor:
    """x in at least float32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _lanes_first(info: Any, in_dims: tuple, *tensors: Tensor) -> list[Tensor]:
    """Every tensor with the lane dimension in front; one that all lanes share is expanded, not copied."""
    return [
        t.expand(info.batch_size, *t.shape) if dim is None else t.movedim(dim, 0)
        for t, dim in zip(tensors, in_dims, strict=False)
    ]


class _Elementwise(torch.autograd.Function):
    """y = f(x);  ∂L/∂x = G f', from z: what the formulas ask for, x or y."""

    @staticmethod
    def forward(x: Tensor, formulas: Formulas, constants: tuple[float, ...]) -> Tensor:
        return formulas.f(_wide(x), *constants).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        x, formulas, constants = inputs
        ctx.save_for_backward(output if formulas.of_output else x)
        ctx.options = formulas, constants

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None, None]:
        (z,) = ctx.saved_tensors
        return _Derivative.apply(G, z, *ctx.options), None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, *inputs: Any) -> tuple[Tensor, int]:
        return _Elementwise.apply(*inputs), in_dims[0]  # elementwise: the lane dimension is one dimension more


class _Derivative(torch.autograd.Function):
    """D = G f1(z);  for an incoming H:  ∂/∂G = H f1(z),  ∂/∂z = H G f2(z).

    Where z is y = f(x), y's own backward makes ∂/∂x of it.
    """

    @staticmethod
    def forward(G: Tensor, z: Tensor, formulas: Formulas, constants: tuple[float, ...]) -> Tensor:
        return formulas.f1(_wide(z), *constants).mul_(G).to(G.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.options = inputs[2:]

    @staticmethod
    def backward(ctx: Any, H: Tensor) -> tuple[Tensor, Tensor, None, None]:
        G, z = ctx.saved_tensors
        formulas, constants = ctx.options
        dz = (formulas.f2(_wide(z), *constants) * G * H).to(z.dtype)
        return _Derivative.apply(H, z, *ctx.options), dz, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, G: Tensor, z: Tensor, *options: Any) -> tuple[Tensor, int]:
        return _Derivative.apply(*_lanes_first(info, in_dims, G, z), *options), 0


class _PReLU(torch.autograd.Function):
    """y = x if x > 0 else a x, with a of x's shape;  ∂L/∂x = G (1 if x > 0 else a),  ∂L/∂a = G min(x, 0)."""

    @staticmethod
    def forward(x: Tensor, a: Tensor) -> Tensor:
        x_, dtype = _wide(x), x.dtype
        return x_.clamp(max=0).mul_(a).add_(x_.clamp(min=0)).to(dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, Tensor]:
        return _PReLUDerivative.apply(G, *ctx.saved_tensors)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, *tensors: Tensor) -> tuple[Tensor, int]:
        return _PReLU.apply(*_lanes_first(info, in_dims, *tensors)), 0


class _PReLUDerivative(torch.autograd.Function):
    """D_x = G (1 if x > 0 else a), D_a = G min(x, 0);  their only curvature is ∂²y/∂x∂a = 1 where x < 0."""

    @staticmethod
    def forward(G: Tensor, x: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        right, left_x = step(_wide(x)), _wide(x).clamp(max=0)
        return (1 - right).mul_(a).add_(right).mul_(G).to(x.dtype), left_x.mul_(G).to(a.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, H_x: Tensor, H_a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        G, x, a = ctx.saved_tensors
        left = step(-x)
        return _PReLUDerivative.apply(H_x, x, a)[0] + H_a * x.clamp(max=0), H_a * G * left, H_x * G * left

    @staticmethod
    def vmap(info: Any, in_dims: tuple, *tensors: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        return _PReLUDerivative.apply(*_lanes_first(info, in_dims, *tensors)), (0, 0)


def _check(name: str, x: Tensor) -> None:
    if not x.is_floating_point():
        raise UserError(
            f"{name}: input x of shape {tuple(x.shape)} is {x.dtype}, expected floating point: use x.float()"
        )


def _elementwise(name: str, x: Tensor, *constants: float) -> Tensor:
    _check(name, x)
    return _Elementwise.apply(x, DERIVATIVES[name], constants)


def relu(x: Tensor) -> Tensor:
    """max(x, 0); the derivative at 0 is 0. Nair & Hinton 2010."""
    return _elementwise("relu", x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope x. Maas et al. 2013."""
    return _elementwise("leaky_relu", x, negative_slope)


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight x. He et al. 2015, eq. 1.

    Shapes: weight (1), or (channels) for x (batch, channels, *); raises `UserError` if they do not fit. Under
    autocast x and weight are lowered, as in torch.
    """
    _check("prelu", x)
    if weight.ndim != 1 or (len(weight) != 1 and (x.ndim < 2 or x.shape[1] != len(weight))):
        raise UserError(
            f"prelu: input x has shape {tuple(x.shape)} and weight {tuple(weight.shape)}, "
            "expected x (batch, channels, *) and weight (channels) or (1)"
        )
    if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
        lower = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(lower), weight.to(lower)
    per_channel = weight if len(weight) == 1 else weight.view(-1, *(1 for _ in x.shape[2:]))
    return _PReLU.apply(x, per_channel.expand_as(x) if x.ndim else weight.squeeze(0))


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (eˣ - 1). Clevert et al. 2016, eq. 15."""
    return _elementwise("elu", x, alpha)


def selu(x: Tensor) -> Tensor:
    """`elu` scaled so that layers keep mean 0 and variance 1. Klambauer et al. 2017, eq. 2."""
    return _elementwise("selu", x)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), exact or (`approximate="tanh"`) by tanh. Hendrycks & Gimpel 2016, section 2."""
    if approximate not in ("none", "tanh"):
        raise unknown("approximate of gelu", approximate, ["none", "tanh"])
    return _elementwise("gelu" if approximate == "none" else "gelu_tanh", x)


def silu(x: Tensor) -> Tensor:
    """x σ(x). Elfwing et al. 2018."""
    return _elementwise("silu", x)


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """x σ(beta x): SiLU at beta 1, near GELU at 1.702, towards ReLU as beta grows. Ramachandran et al. 2017."""
    return _elementwise("swish", x, beta)


def mish(x: Tensor) -> Tensor:
    """x tanh(softplus(x)). Misra 2019, eq. 1."""
    return _elementwise("mish", x)


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x where beta x > threshold. Dugas et al. 2001.

    Raises `UserError` for beta <= 0. On a GPU under autocast x is raised to float32, as in torch.
    """
    if not beta > 0:
        raise UserError(f"softplus: beta={beta}, expected above 0")
    if x.is_cuda and torch.is_autocast_enabled("cuda"):
        x = x.float()
    return _elementwise("softplus", x, beta, threshold)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return _elementwise("tanh", x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ)."""
    return _elementwise("sigmoid", x)
