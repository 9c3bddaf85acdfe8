"""Softmax cross-entropy for class indices, stable for any finite logits."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError, unknown

REDUCTIONS = ("mean", "sum", "none")


class _CrossEntropy(torch.autograd.Function):
    """ℓ_i = log Σ_c exp z_ic - z_i,t(i);  ∂ℓ_i/∂z_ic = softmax(z_i)_c - [c = t(i)].

    z is (batch, classes), t (batch).
    """

    @staticmethod
    def forward(z: Tensor, t: Tensor) -> Tensor:
        shifted = z - z.amax(-1, keepdim=True)  # the largest exponent is then e⁰: nothing overflows
        try:
            chosen = shifted.gather(-1, t.unsqueeze(-1)).squeeze(-1)
        except RuntimeError as error:
            raise UserError(
                f"cross_entropy: targets are in [{t.min()}, {t.max()}], expected class indices in "
                f"[0, {z.shape[-1] - 1}] for logits of shape {tuple(z.shape)}"
            ) from error
        return shifted.exp_().sum(-1).log_().sub_(chosen)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None]:
        z, t = ctx.saved_tensors
        e = torch.exp(z - z.detach().amax(-1, keepdim=True))
        G = G.unsqueeze(-1)
        return (e * (G / e.sum(-1, keepdim=True))).scatter_add(-1, t.unsqueeze(-1), -G), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, z: Tensor, t: Tensor) -> tuple[Tensor, int]:
        lanes, (z_dim, t_dim) = info.batch_size, in_dims
        z = z.expand(lanes, *z.shape) if z_dim is None else z.movedim(z_dim, 0)
        t = t.expand(lanes, *t.shape) if t_dim is None else t.movedim(t_dim, 0)
        return _CrossEntropy.apply(z.flatten(0, 1), t.flatten()).unflatten(0, t.shape), 0


def _check(logits: Tensor, targets: Tensor) -> None:
    if logits.ndim != 2:
        raise UserError(f"cross_entropy: logits have shape {tuple(logits.shape)}, expected (batch, classes)")
    if targets.shape != logits.shape[:1]:
        raise UserError(
            f"cross_entropy: targets have shape {tuple(targets.shape)}, expected ({logits.shape[0]},), "
            f"one class index for each row of logits of shape {tuple(logits.shape)}"
        )
    if targets.dtype != torch.int64:
        raise UserError(f"cross_entropy: targets are {targets.dtype}, expected class indices of torch.int64")


def _reject_unsupported(weight: Tensor | None, ignore_index: int, label_smoothing: float) -> None:
    for name, value, default in (
        ("weight", weight, None),
        ("ignore_index", ignore_index, -100),
        ("label_smoothing", label_smoothing, 0.0),
    ):
        if isinstance(value, Tensor) or value != default:
            raise UserError(f"cross_entropy: {name}={value} is not supported: leave {name}={default}")


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    reduction: str = "mean",
    *,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(logits)[target], in nats; `torch.nn.functional.cross_entropy` for class indices.

    Shapes: logits (batch, classes), targets (batch) of int64; a scalar, or (batch) for `reduction="none"`.
    Under autocast the logits are raised to float32, as in torch. Raises `UserError` for any other shape
    (nothing is broadcast), a target outside [0, classes), and `weight`, `ignore_index` or `label_smoothing`
    if not at torch's default: they are not supported.
    """
    _reject_unsupported(weight, ignore_index, label_smoothing)
    if reduction not in REDUCTIONS:
        raise unknown("reduction", reduction, REDUCTIONS)
    _check(logits, targets)
    if torch.is_autocast_enabled(logits.device.type):
        logits = logits.float()
    losses = _CrossEntropy.apply(logits, targets)
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


class CrossEntropyLoss(Module):
    """`cross_entropy` as a layer; drop-in for `torch.nn.CrossEntropyLoss` with class-index targets."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        ignore_index: int = -100,
        reduce: None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        for name, value in (("size_average", size_average), ("reduce", reduce)):
            if value is not None:
                raise UserError(f"CrossEntropyLoss: {name}={value} is not supported: use reduction=")
        _reject_unsupported(weight, ignore_index, label_smoothing)
        if reduction not in REDUCTIONS:
            raise unknown("reduction", reduction, REDUCTIONS)
        self.reduction = reduction

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(logits, targets, reduction=self.reduction)
