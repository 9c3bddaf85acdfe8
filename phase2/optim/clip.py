"""Gradient norms and their clipping, of one network or of each lane in a stack.

>>> θ = torch.nn.Parameter(torch.zeros(2))
>>> θ.grad = torch.tensor([3.0, 4.0])
>>> clip_grad_norm_([θ], max_norm=1.0)
tensor(5.)
>>> θ.grad
tensor([0.6000, 0.8000])
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.optim.lanes import spread


@torch.no_grad()
def lane_norms(tensors: Iterable[Tensor], norm_type: float = 2.0) -> Tensor:
    """The norm of each lane over all tensors together: tensors (lanes, ...), result (lanes,).

    Raises `UserError` unless `norm_type` is above 0 (it may be inf), for no tensors, or for differing lane counts.
    """
    tensors, order = list(tensors), _order(norm_type)
    lanes = {tensor.shape[:1] for tensor in tensors}
    if len(lanes) != 1 or lanes == {()}:
        shapes = [tuple(tensor.shape) for tensor in tensors]
        raise UserError(f"tensors of shapes {shapes}: expected one leading lane dimension that all share")
    norms = [torch.linalg.vector_norm(tensor.reshape(len(tensor), -1), order, dim=1) for tensor in tensors]
    return torch.linalg.vector_norm(torch.stack(norms), order, dim=0)


@torch.no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float | Tensor,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
    *,
    zero_if_nonfinite: bool = False,
    lanes: int | None = None,
) -> Tensor:
    """Scales all gradients, in place, by min(1, max_norm / (norm + 1e-6)); returns the norm before that.

    Drop-in for `torch.nn.utils.clip_grad_norm_`: the norm is joint over all parameters, a scalar. With `lanes`,
    parameters are (lanes, ...), each lane is clipped by its own norm, to its own `max_norm` if that is (lanes,), and
    the norms (lanes,) are returned: a NaN in one lane leaves the others alone. Pascanu et al. 2013, algorithm 1.
    `zero_if_nonfinite` sets gradients whose norm is NaN or infinite to zero, where scaling would make them NaN; the
    norm that is returned still tells.

    Raises `UserError` unless `norm_type` is above 0 and for lanes that do not fit, RuntimeError under
    `error_if_nonfinite` like torch.
    """
    grads = _grads(parameters, lanes, max_norm)
    if not grads:
        return torch.zeros(() if lanes is None else (lanes,))
    norm = lane_norms([grad.unsqueeze(0) for grad in grads] if lanes is None else grads, norm_type)
    norm = norm.squeeze(0) if lanes is None else norm
    if error_if_nonfinite and not norm.isfinite().all():
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite, so it cannot "
            f"be clipped: {norm.tolist()}. Nothing was changed; leave out error_if_nonfinite to go on"
        )
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    for together in _together(grads, foreach):
        torch._foreach_mul_(together, spread(scale, together))
    if zero_if_nonfinite:
        for grad in grads:
            grad[~norm.isfinite()] = 0.0  # a factor of 0 would leave NaN
    return norm


@torch.no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor],
    clip_value: float | Tensor,
    foreach: bool | None = None,
    *,
    lanes: int | None = None,
) -> None:
    """Limits every entry of the gradients, in place, to [-clip_value, clip_value].

    Drop-in for `torch.nn.utils.clip_grad_value_`. With `lanes`, parameters are (lanes, ...) and `clip_value` may be
    (lanes,). A NaN stays, in the entry where it is. Raises `UserError` for lanes that do not fit.
    """
    for grads in _together(_grads(parameters, lanes, clip_value), foreach):
        torch._foreach_clamp_min_(grads, spread(-clip_value, grads))
        torch._foreach_clamp_max_(grads, spread(clip_value, grads))


def _grads(parameters: Tensor | Iterable[Tensor], lanes: int | None, limit: float | Tensor) -> list[Tensor]:
    """The gradients there are, after a check that they and the limit have the lanes that were named."""
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    grads = [p.grad for p in parameters if p.grad is not None]
    if isinstance(limit, Tensor) and limit.numel() != 1 and (lanes is None or limit.shape != (lanes,)):
        raise UserError(f"a limit of shape {tuple(limit.shape)} with lanes={lanes}: expected a number, or (lanes,)")
    for grad in grads:
        if lanes is not None and grad.shape[:1] != (lanes,):
            raise UserError(f"lanes={lanes}, but a gradient has shape {tuple(grad.shape)}: expected (lanes, ...)")
    return grads


def _together(grads: list[Tensor], foreach: bool | None) -> list[list[Tensor]]:
    """What one operation takes: all gradients, or under `foreach=False` each alone."""
    if foreach is False:
        return [[grad] for grad in grads]
    return [grads] if grads else []


def _order(norm_type: float) -> float:
    order = float(norm_type)  # torch takes "inf" too
    if not order > 0:
        raise UserError(f"norm_type={norm_type} is not a norm's: expected a number above 0, or inf")
    return order
