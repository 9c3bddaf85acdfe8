"""The affine map y = x Wᵀ + b, with hand-derived gradients, for one network or a stack of lanes."""

from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.function import Function
from phase2.nn.lanes import lanes_first, merged, separate
from phase2.nn.weighted import Weighted


class _Affine(Function):
    """y = x Wᵀ + b for x (rows, in), W (out, in), b (out) or None; or each with a leading lane dimension.

    With G = ∂L/∂y:  ∂L/∂x = G W,  ∂L/∂W = Gᵀ x,  ∂L/∂b = Σ_rows G.
    """

    @staticmethod
    def forward(x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
        if b is None:
            return x @ W.mT
        if W.ndim == 2:
            return torch.addmm(b, x, W.mT)
        return torch.baddbmm(b.unsqueeze(-2), x, W.mT)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        x, W, _ = inputs
        ctx.save_for_backward(x, W)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
        x, W = ctx.saved_tensors
        need_x, need_W, need_b = ctx.needs_input_grad
        # Under autocast G is of lower precision than what was saved.
        return (
            G @ W.to(G.dtype) if need_x else None,
            G.mT @ x.to(G.dtype) if need_W else None,
            G.sum(-2) if need_b else None,
        )

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x: Tensor, W: Tensor, b: Tensor | None) -> tuple[Tensor, int]:
        lanes, (x_dim, W_dim, b_dim) = info.batch_size, in_dims
        if W.ndim - (W_dim is not None) == 3:
            b = None if b is None else merged(lanes, b_dim, b)  # a vmap around lanes: both become one dimension
            return separate(lanes, _Affine.apply(merged(lanes, x_dim, x), merged(lanes, W_dim, W), b))
        if W_dim is None and b_dim is None:
            return separate(lanes, _Affine.apply(merged(lanes, x_dim, x), W, b))
        W, b = lanes_first(lanes, (W_dim, b_dim), (W, b))
        if x_dim is None:  # every lane reads the same rows: one product over all lanes
            y = _Affine.apply(x, W.flatten(0, 1), None if b is None else b.flatten())
            return y.unflatten(-1, W.shape[:2]), x.ndim - 1  # (rows, lanes, out)
        return _Affine.apply(x.movedim(x_dim, 0), W, b), 0


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = input weightᵀ + bias: input (*, in_features), weight (out_features, in_features), bias (out_features).

    Returns (*, out_features). Raises `UserError` if the shapes do not fit or input is not floating point.
    """
    if not input.is_floating_point():
        raise UserError(
            f"linear: input of shape {tuple(input.shape)} is {input.dtype}, expected floating point: use input.float()"
        )
    if input.ndim == 0 or input.shape[-1] != weight.shape[-1]:
        raise UserError(
            f"linear: input has shape {tuple(input.shape)}, expected (*, {weight.shape[-1]}) "
            f"for weight of shape {tuple(weight.shape)} (out_features, in_features)"
        )
    if input.ndim == 2:
        return _Affine.apply(input, weight, bias)
    y = _Affine.apply(input.reshape(-1, input.shape[-1]), weight, bias)
    return y.reshape(*input.shape[:-1], weight.shape[0])


class Linear(Weighted, torch.nn.Linear):
    """y = x Wᵀ + b; drop-in for `torch.nn.Linear`. Shapes: input (*, in_features), output (*, out_features)."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)
