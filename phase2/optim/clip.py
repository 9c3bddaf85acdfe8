"""Gradient norms and their clipping, of one network or of each lane in a stack."""

from collections.abc import Iterable

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.optim.lanes import per_lane


@torch.no_grad()
def lane_norms(tensors: Iterable[Tensor], norm_type: float = 2.0) -> Tensor:
    """The norm of each lane over all tensors together: tensors (lanes, ...), result (lanes,).

    `norm_type` is 2 or inf. Raises `UserError` for another one, no tensors, or differing lane counts.
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
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
    *,
    lanes: int | None = None,
) -> Tensor:
    """Scales all gradients, in place, by min(1, max_norm / (norm + 1e-6)); returns the norm before that.

    Drop-in for `torch.nn.utils.clip_grad_norm_` with `norm_type` 2 or inf: the norm is joint over all
    parameters, a scalar. With `lanes`, parameters are (lanes, ...), each lane is clipped by its own norm,
    and the norms (lanes,) are returned: a NaN in one lane leaves the others alone. Pascanu et al. 2013,
    algorithm 1.

    Raises `UserError` for another norm_type or `foreach`, RuntimeError under `error_if_nonfinite` like torch.
    """
    if foreach:
        raise UserError("clip_grad_norm_: foreach=True is not supported: leave it out")
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return torch.zeros(() if lanes is None else (lanes,))
    if lanes is None:
        norm = lane_norms([grad.unsqueeze(0) for grad in grads], norm_type).squeeze(0)
    else:
        norm = lane_norms(grads, norm_type)
        if len(norm) != lanes:
            raise UserError(f"clip_grad_norm_: lanes={lanes}, but the gradients' first dimension is {len(norm)}")
    if error_if_nonfinite and not norm.isfinite().all():
        raise RuntimeError(f"the total norm of order {norm_type} is {norm.tolist()}: nothing was clipped")
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(per_lane(scale, grad))
    return norm


def _order(norm_type: float) -> float:
    order = float(norm_type)  # torch takes "inf" too
    if order not in (2, torch.inf):
        raise UserError(f"norm_type={norm_type} is not supported: expected 2 or inf")
    return order
