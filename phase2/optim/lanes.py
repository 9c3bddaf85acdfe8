"""Coefficients that differ by lane: a learning rate, weight decay or clipping factor for each of a stack."""

from torch import Tensor

from phase2.errors import UserError


def per_lane(coefficient: float | Tensor, stacked: Tensor) -> float | Tensor:
    """A factor for `stacked` (lanes, ...): a number as it is, (lanes,) as (lanes, 1, ...) in its dtype.

    Raises `UserError` unless `stacked` has a leading dimension of as many lanes.
    """
    if not isinstance(coefficient, Tensor):
        return coefficient
    if coefficient.numel() == 1:
        shape = (1,) * stacked.ndim
    elif coefficient.ndim == 1 and stacked.shape[:1] == coefficient.shape:
        shape = (len(coefficient), *(1,) * (stacked.ndim - 1))
    else:
        raise UserError(
            f"coefficient of shape {tuple(coefficient.shape)} for parameters of shape {tuple(stacked.shape)}"
            ": expected a number, or shape (lanes,) for a parameter of shape (lanes, ...)"
        )
    return coefficient.to(stacked).reshape(shape)


def add_scaled_(target: Tensor, other: Tensor, coefficient: float | Tensor) -> Tensor:
    """target += coefficient other, in place; the coefficient is a number or (lanes,)."""
    factor = per_lane(coefficient, target)
    if isinstance(factor, Tensor):
        return target.addcmul_(other, factor)
    return target.add_(other, alpha=factor)
