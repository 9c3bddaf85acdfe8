"""Coefficients that differ by lane, and the operations on lists of tensors that take them.

A coefficient is a number, or a tensor (lanes,) for tensors (lanes, ...): a rate for each of a stack of networks. Every
operation here and every `torch._foreach_*` that update rules call takes a list, so one call serves all parameters.
"""

import torch
from torch import Tensor

from phase2.errors import UserError

Tensors = list[Tensor] | tuple[Tensor, ...]
Coefficient = float | Tensor


def is_active(coefficient: Coefficient) -> bool:
    """Whether a term with this coefficient is computed: always if it is a tensor, whose values nobody waits for."""
    return isinstance(coefficient, Tensor) or coefficient != 0


def spread(coefficient: Coefficient, tensors: Tensors) -> float | list[Tensor]:
    """A factor for each tensor (lanes, ...): a number as it is, (lanes,) as a list of (lanes, 1, ...).

    Raises `UserError` for a tensor without a leading dimension of as many lanes.
    """
    if not isinstance(coefficient, Tensor):
        return coefficient
    lanes = coefficient.numel()
    views: dict[int, Tensor] = {}  # by the number of dimensions
    for tensor in tensors:
        dims = tensor.ndim
        if lanes > 1 and (coefficient.ndim != 1 or not dims or tensor.size(0) != lanes):
            raise UserError(
                f"coefficient of shape {tuple(coefficient.shape)} for parameters of shape {tuple(tensor.shape)}"
                ": expected a number, or shape (lanes,) for a parameter of shape (lanes, ...)"
            )
        if dims not in views:
            views[dims] = coefficient.reshape((lanes, *(1,) * (dims - 1)) if dims else ())
    return [views[tensor.ndim] for tensor in tensors]


def add_scaled(tensors: Tensors, others: Tensors, coefficient: Coefficient) -> Tensors:
    """tensors + coefficient others, as new tensors."""
    factor = spread(coefficient, tensors)
    if isinstance(factor, list):
        return torch._foreach_addcmul(tensors, others, factor)
    return torch._foreach_add(tensors, others, alpha=factor)


def add_scaled_(tensors: Tensors, others: Tensors, coefficient: Coefficient) -> None:
    """tensors += coefficient others, in place."""
    factor = spread(coefficient, tensors)
    if isinstance(factor, list):
        torch._foreach_addcmul_(tensors, others, factor)
    else:
        torch._foreach_add_(tensors, others, alpha=factor)


def add_ratio_(tensors: Tensors, numerators: Tensors, denominators: Tensors, coefficient: Coefficient) -> None:
    """tensors += coefficient numerators / denominators, in place; the denominators are used up."""
    if isinstance(coefficient, Tensor):
        torch._foreach_div_(denominators, spread(coefficient, tensors))  # by 0 gives inf, and so a ratio of 0
        torch._foreach_addcdiv_(tensors, numerators, denominators)
    else:
        torch._foreach_addcdiv_(tensors, numerators, denominators, value=coefficient)
