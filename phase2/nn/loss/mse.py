"""Mean squared error, without broadcasting."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError
from phase2.nn.lanes import InLanes
from phase2.nn.loss.cross_entropy import check_reduction, reject_deprecated


class _SquaredError(InLanes):
    """ℓ = (x - y)²;  ∂ℓ/∂x = 2 (x - y) = -∂ℓ/∂y."""

    @staticmethod
    def forward(x: Tensor, y: Tensor) -> Tensor:
        return (x - y).square_()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, Tensor]:
        x, y = ctx.saved_tensors
        dx = 2 * G * (x - y)
        return dx, -dx


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """(input - target)², its mean or its sum; `torch.nn.functional.mse_loss`, but nothing is broadcast.

    Shapes: input and target (*), the same; a scalar, or (*) for `reduction="none"`. Under autocast both are raised
    to float32, as in torch. Raises `UserError` for shapes that differ and for tensors that are not floating point.
    """
    check_reduction(reduction)
    if input.shape != target.shape:
        raise UserError(
            f"mse_loss: input has shape {tuple(input.shape)} and target {tuple(target.shape)}, expected the same: "
            "reshape one, since broadcasting would compare every row with every other"
        )
    for name, tensor in (("input", input), ("target", target)):
        if not tensor.is_floating_point():
            raise UserError(f"mse_loss: {name} is {tensor.dtype}, expected floating point: use {name}.float()")
    if torch.is_autocast_enabled(input.device.type):
        input, target = input.float(), target.float()
    errors = _SquaredError.apply(input, target)
    if reduction == "none":
        return errors
    return errors.mean() if reduction == "mean" else errors.sum()


class MSELoss(Module):
    """`mse_loss` as a layer; drop-in for `torch.nn.MSELoss`."""

    def __init__(self, size_average: None = None, reduce: None = None, reduction: str = "mean") -> None:
        super().__init__()
        reject_deprecated("MSELoss", size_average, reduce)
        check_reduction(reduction)
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)
