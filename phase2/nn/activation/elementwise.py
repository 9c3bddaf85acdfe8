"""Activations of a tensor from their formulas: any shape in, the same shape out, differentiable twice.

float16 and bfloat16 are computed in float32 and rounded once, as torch does, under autocast too.
"""

from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.activation.formulas import Formulas
from phase2.nn.function import Function
from phase2.nn.lanes import InLanes


def wide(x: Tensor) -> Tensor:
    """x in at least float32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class _Elementwise(Function):
    """y = f(x);  ∂L/∂x = G f', from z: what the formulas ask for, x or y."""

    @staticmethod
    def forward(x: Tensor, formulas: Formulas, constants: tuple[float, ...]) -> Tensor:
        return formulas.f(wide(x), *constants).to(x.dtype)

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


class _Derivative(InLanes):
    """D = G f1(z);  for an incoming H:  ∂/∂G = H f1(z),  ∂/∂z = H G f2(z).

    Where z is y = f(x), y's own backward makes ∂/∂x of it.
    """

    @staticmethod
    def forward(G: Tensor, z: Tensor, formulas: Formulas, constants: tuple[float, ...]) -> Tensor:
        return formulas.f1(wide(z), *constants).mul_(G).to(G.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.options = inputs[2:]

    @staticmethod
    def backward(ctx: Any, H: Tensor) -> tuple[Tensor, Tensor, None, None]:
        G, z = ctx.saved_tensors
        formulas, constants = ctx.options
        dz = (formulas.f2(wide(z), *constants) * G * H).to(z.dtype)
        return _Derivative.apply(H, z, *ctx.options), dz, None, None


def elementwise(name: str, formulas: Formulas, x: Tensor, *constants: float, inplace: bool = False) -> Tensor:
    """An activation by its formulas; raises `UserError`, naming it, unless x is floating point and left as it is."""
    check(name, x)
    check_inplace(inplace)
    return _Elementwise.apply(x, formulas, constants)


def check(name: str, x: Tensor) -> None:
    """Raises `UserError` unless x is floating point."""
    if not x.is_floating_point():
        raise UserError(
            f"{name}: input of shape {tuple(x.shape)} is {x.dtype}, expected floating point: use input.float()"
        )


def check_inplace(inplace: bool) -> None:
    """Raises `UserError` for an activation that is to write over its input."""
    if inplace:
        raise UserError("inplace=True is not supported: the backward pass needs the input; leave inplace=False")
