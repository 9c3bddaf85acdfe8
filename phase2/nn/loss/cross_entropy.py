"""Softmax cross-entropy for class indices, stable for any finite logits; for probabilities it calls another file."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.nn.lanes import InLanes
from phase2.nn.loss.class_probabilities import check_probabilities, cross_entropy_to_probabilities
from phase2.nn.loss.reduction import checked_reduction


@dataclass(frozen=True)
class _Options:
    """The options of `cross_entropy` that are not tensors."""

    ignore_index: int
    reduction: str
    label_smoothing: float


class _CrossEntropy(InLanes):
    """ℓ_i = h_i (L_i - z_i,t(i)) + Σ_c s_c (L_i - z_ic), with L_i = log Σ_c exp z_ic; 0 if row i is ignored.

    With class weights w and label smoothing ε: h_i = (1 - ε) w_t(i) and s_c = ε w_c / classes.
    ∂ℓ_i/∂z_ic = (h_i + Σ_k s_k) softmax(z_i)_c - h_i [c = t(i)] - s_c.
    Shapes: z (*, batch, classes), t (*, batch), w (*, classes) or None for ones. Reduced in here, since under vmap
    an operation more costs more than its arithmetic.
    """

    @staticmethod
    def forward(z: Tensor, t: Tensor, w: Tensor | None, options: _Options) -> Tensor:
        t, counts = _masked(t, options)
        shifted = z - z.amax(-1, keepdim=True)  # the largest exponent is then e⁰: nothing overflows
        chosen = _at(shifted, t)
        h, s = _coefficients(z, t, w, options)
        spread = None if s is None else (s * shifted).sum(-1)
        L = shifted.exp_().sum(-1).log_()
        loss = L - chosen if h is None else h * (L - chosen)
        if s is not None and spread is not None:
            loss += L * s.sum(-1) - spread
        loss = torch.where(counts, loss, 0)
        if options.reduction == "none":
            return loss
        return loss.sum(-1) if options.reduction == "sum" else loss.sum(-1) / _total(t, counts, w)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:-1])
        ctx.options = inputs[-1]

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
        z, t, w = ctx.saved_tensors
        t, counts = _masked(t, ctx.options)
        h, s = _coefficients(z, t, w, ctx.options)
        if ctx.options.reduction == "mean":
            G = G / _total(t, counts, w)
        if ctx.options.reduction != "none":
            G = G.unsqueeze(-1)
        G = torch.where(counts, G, 0)
        hard = (G if h is None else G * h).unsqueeze(-1)
        G = G.unsqueeze(-1)
        total = hard if s is None else hard + G * s.sum(-1, keepdim=True)
        e = torch.exp(z - z.detach().amax(-1, keepdim=True))
        dz = (e * (total / e.sum(-1, keepdim=True))).scatter_add_(-1, t.unsqueeze(-1), -hard)
        return dz if s is None else dz - G * s, None, None, None


def _masked(t: Tensor, options: _Options) -> tuple[Tensor, Tensor]:
    """Targets with 0 for those that do not count, and which do."""
    counts = t != options.ignore_index
    return t * counts, counts


def _at(values: Tensor, t: Tensor) -> Tensor:
    """The value (*) of class t (*) in each row of `values` (*, classes)."""
    try:
        return values.gather(-1, t.unsqueeze(-1)).squeeze(-1)
    except RuntimeError as error:
        raise UserError(
            f"cross_entropy: target has classes in [{t.min()}, {t.max()}], expected ignore_index or class indices in "
            f"[0, {values.shape[-1] - 1}] for {values.shape[-1]} logits a row"
        ) from error


def _coefficients(z: Tensor, t: Tensor, w: Tensor | None, options: _Options) -> tuple[Tensor | None, Tensor | None]:
    """(h, s) of the loss: h (*, batch), s (*, 1, classes); None for an h of ones, an s of zeros."""
    epsilon = options.label_smoothing
    if w is None and epsilon == 0:
        return None, None
    w = (z.new_ones(z.shape[-1]) if w is None else w).unsqueeze(-2)
    h = (1 - epsilon) * _at(w.expand_as(z), t)
    return h, w * (epsilon / z.shape[-1]) if epsilon else None


def _total(t: Tensor, counts: Tensor, w: Tensor | None) -> Tensor:
    """The sum of the weights of the targets that count."""
    if w is None:
        return counts.sum(-1)
    return _at(w.unsqueeze(-2).expand(*t.shape, -1), t).where(counts, 0).sum(-1)


def _check_input(input: Tensor, weight: Tensor | None) -> None:
    if input.ndim < 2 or input.shape[1] == 0:
        raise UserError(
            f"cross_entropy: input has shape {tuple(input.shape)}, expected logits (batch, classes) or "
            "(batch, classes, *)"
        )
    if not input.is_floating_point():
        raise UserError(f"cross_entropy: input is {input.dtype}, expected floating point: use input.float()")
    classes = input.shape[1]
    if weight is not None and (weight.shape != (classes,) or weight.dtype != input.dtype):
        raise UserError(
            f"cross_entropy: weight has shape {tuple(weight.shape)} of {weight.dtype}, expected ({classes},) of "
            f"{input.dtype}, one weight for each class of input of shape {tuple(input.shape)}"
        )


def _check_indices(input: Tensor, target: Tensor) -> None:
    batch, _, *rest = input.shape
    if target.shape != (batch, *rest):
        raise UserError(
            f"cross_entropy: target has shape {tuple(target.shape)}, expected {(batch, *rest)}, one class index for "
            f"each row of input of shape {tuple(input.shape)}, or class probabilities of that shape"
        )
    if target.dtype != torch.int64:
        raise UserError(f"cross_entropy: target is {target.dtype}, expected class indices of torch.int64")


def _check_options(weight: Tensor | None, ignore_index: int, label_smoothing: float) -> None:
    if weight is not None and weight.requires_grad:
        raise UserError("cross_entropy: weight requires a gradient, and it has none here: use weight.detach()")
    if not isinstance(ignore_index, int):
        raise UserError(f"cross_entropy: ignore_index={ignore_index!r}, expected an integer")
    if not 0 <= label_smoothing <= 1:
        raise UserError(f"cross_entropy: label_smoothing={label_smoothing}, expected a number in [0, 1]")


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input)[target], in nats; `torch.nn.functional.cross_entropy`.

    Shapes: input (batch, classes, *), which are logits, target (batch, *) of int64, or class probabilities of input's
    shape and type, weight (classes,); a scalar, or (batch, *) for `reduction="none"`. `label_smoothing` ε puts the
    target at (1 - ε) of its one-hot vector and ε of the uniform distribution (Szegedy et al. 2016, section 7). A row
    whose target is `ignore_index` counts for nothing; the mean divides by the sum of the weights of the targets that
    count, and is NaN if none does. Class probabilities may have gradients, and their mean divides by the rows. Under
    autocast the logits are raised to float32, as in torch. Raises `UserError` for any other shape (nothing is
    broadcast) or type, a target outside [0, classes), an option outside its range, and the deprecated `size_average`
    and `reduce`.

    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2]))  # log 4: all classes alike
    tensor(1.3863)
    """
    reduction = checked_reduction("cross_entropy", reduction, size_average, reduce)
    _check_options(weight, ignore_index, label_smoothing)
    if torch.is_autocast_enabled(input.device.type):
        input = input.float()
        target = target.float() if target.is_floating_point() else target
    _check_input(input, weight)
    if target.shape == input.shape:
        check_probabilities(input, target, ignore_index)
        logits, q = (each.movedim(1, -1).flatten(0, -2) for each in (input, target))
        loss = cross_entropy_to_probabilities(logits, q, weight, reduction, label_smoothing)
        return loss.reshape(input.shape[:1] + input.shape[2:]) if reduction == "none" else loss
    _check_indices(input, target)
    logits = input if input.ndim == 2 else input.movedim(1, -1).flatten(0, -2)
    options = _Options(ignore_index, reduction, label_smoothing)
    loss = _CrossEntropy.apply(logits, target.flatten(), weight, options)
    return loss.reshape(target.shape) if reduction == "none" else loss


class CrossEntropyLoss(torch.nn.CrossEntropyLoss):
    """`cross_entropy` as a layer; drop-in for `torch.nn.CrossEntropyLoss`."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        ignore_index: int = -100,
        reduce: None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        checked_reduction("CrossEntropyLoss", reduction, size_average, reduce)
        _check_options(weight, ignore_index, label_smoothing)
        super().__init__(weight, None, ignore_index, None, reduction, label_smoothing)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
