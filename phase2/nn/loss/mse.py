"""Mean squared error, without broadcasting."""

from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.lanes import InLanes
from phase2.nn.loss.reduction import checked_reduction


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


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)², its mean or its sum; `torch.nn.functional.mse_loss`, but nothing is broadcast.

    Shapes: input, target and weight (*), the same; a scalar, or (*) for `reduction="none"`. With a weight each square
    is multiplied by its own, and the mean divides by their sum. Under autocast input and target are raised to float32,
    as in torch. Raises `UserError` for shapes that differ, for tensors that are not floating point, and for the
    deprecated `size_average` and `reduce`.
    """
    reduction = checked_reduction("mse_loss", reduction, size_average, reduce)
    for name, tensor in (("target", target), ("weight", weight)):
        if tensor is not None and tensor.shape != input.shape:
            raise UserError(
                f"mse_loss: input has shape {tuple(input.shape)} and {name} {tuple(tensor.shape)}, expected the same: "
                "reshape one, since broadcasting would compare every row with every other"
            )
    for name, tensor in (("input", input), ("target", target)):
        if not tensor.is_floating_point():
            raise UserError(f"mse_loss: {name} is {tensor.dtype}, expected floating point: use {name}.float()")
    if torch.is_autocast_enabled(input.device.type):
        input, target = input.float(), target.float()
    errors = _SquaredError.apply(input, target)
    if weight is not None:
        errors = errors * weight
    if reduction == "none":
        return errors
    if reduction == "sum":
        return errors.sum()
    return errors.mean() if weight is None else errors.sum() / weight.sum()


class MSELoss(torch.nn.MSELoss):
    """`mse_loss` as a layer; drop-in for `torch.nn.MSELoss`."""

    def __init__(self, size_average: None = None, reduce: None = None, reduction: str = "mean") -> None:
        super().__init__(reduction=checked_reduction("MSELoss", reduction, size_average, reduce))

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)
