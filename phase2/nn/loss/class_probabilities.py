"""Softmax cross-entropy for targets that are probabilities of classes, as mixed images have them."""

from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.lanes import InLanes


class _ToProbabilities(InLanes):
    """ℓ_i = Σ_c q_ic (L_i - z_ic), with L_i = log Σ_c exp z_ic.

    ∂ℓ_i/∂z_ic = softmax(z_i)_c Σ_k q_ik - q_ic and ∂ℓ_i/∂q_ic = L_i - z_ic. Shapes: z and q (*, batch, classes); q need
    not sum to 1.
    """

    @staticmethod
    def forward(z: Tensor, q: Tensor) -> Tensor:
        return (q * _surprise(z)).sum(-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, Tensor | None]:
        z, q = ctx.saved_tensors
        G = G.unsqueeze(-1)
        dz = G * (torch.exp(-_surprise(z)) * q.sum(-1, keepdim=True) - q)
        return dz, G * _surprise(z) if ctx.needs_input_grad[1] else None


def _surprise(z: Tensor) -> Tensor:
    """L - z, which is -log softmax(z): the largest exponent is 0, so nothing overflows."""
    shifted = z - z.detach().amax(-1, keepdim=True)
    return shifted.exp().sum(-1, keepdim=True).log() - shifted


def cross_entropy_to_probabilities(
    logits: Tensor, q: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    """The loss of logits (batch, classes) for targets q of that shape: a scalar, or (batch,) for `reduction="none"`.

    Smoothing mixes q with the uniform distribution, weights multiply its entries, and the mean divides by the rows
    whatever their weights are: in all this as torch.
    """
    classes = logits.shape[-1]
    if label_smoothing:
        q = (1 - label_smoothing) * q + label_smoothing / classes
    if weight is not None:
        q = q * weight
    loss = _ToProbabilities.apply(logits, q)
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / loss.numel()


def check_probabilities(input: Tensor, target: Tensor, ignore_index: int) -> None:
    """Raises `UserError` for targets of another type than the logits, and for an index to ignore."""
    if target.dtype != input.dtype:
        raise UserError(
            f"cross_entropy: target has input's shape {tuple(input.shape)}, so it holds class probabilities, and is "
            f"{target.dtype}: expected {input.dtype}, or class indices without the dimension of classes"
        )
    if ignore_index >= 0:
        raise UserError(
            f"cross_entropy: ignore_index={ignore_index}, and class probabilities have no index: leave it out"
        )
