"""Dropout, by whole channels too, and what it says about uncertainty when it stays on (Monte-Carlo dropout)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError


def _check(name: str, p: float, inplace: bool) -> None:
    if not 0 <= p <= 1:
        raise UserError(f"{name}: p={p}, expected a probability in [0, 1], the share of values set to zero")
    if inplace:
        raise UserError(f"{name}: inplace=True is not supported: leave inplace=False")


def _noise(x: Tensor, shape: list[int], p: float) -> Tensor:
    """0 with probability p, else 1 / (1 - p); of the given shape and x's dtype.

    Drawn in the order in which x lies in memory, as torch does. The template is not x's: under vmap it belongs to no
    lane, and `randomness` then decides whether all lanes share one draw.
    """
    order = sorted(range(len(shape)), key=x.stride, reverse=True)
    template = torch.empty([shape[d] for d in order], dtype=x.dtype, device=x.device)
    drawn = torch.bernoulli(template, 1 - p).div_(1 - p)
    return drawn.permute([order.index(d) for d in range(len(shape))])


def _dropped(name: str, x: Tensor, shape: list[int], p: float, training: bool, inplace: bool) -> Tensor:
    _check(name, p, inplace)
    if not training or p == 0 or x.numel() == 0:
        return x
    if not x.is_floating_point():
        raise UserError(
            f"{name}: input of shape {tuple(x.shape)} is {x.dtype}, expected floating point: use input.float()"
        )
    return x * 0 if p == 1 else x * _noise(x, shape, p)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training x, the input, with each value zeroed with probability p and the rest divided by 1 - p; otherwise x.

    Any shape. The mean over draws is x, the variance p / (1 - p) x². On a CPU the draws are those of
    `torch.nn.functional.dropout` from the same seed. Under `torch.func.vmap` lanes share one draw with
    `randomness="same"`, and have their own with "different". Srivastava et al. 2014, section 4, scaled in training.
    Raises `UserError` for p outside [0, 1], `inplace` or an input that is not floating point.
    """
    return _dropped("dropout", input, list(input.shape), p, training, inplace)


class _Dropout(Module):
    p: Any
    inplace: Any

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        _check(type(self).__name__, p, inplace)
        super().__init__(p)


class Dropout(_Dropout, torch.nn.Dropout):
    """`dropout` as a layer; drop-in for `torch.nn.Dropout`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout, torch.nn.Dropout2d):
    """`dropout` of whole channels; drop-in for `torch.nn.Dropout2d`.

    Shapes: (batch, channels, height, width) or (batch, channels, length), which torch reads the same way; raises
    `UserError` for any other. Tompson et al. 2015, section 3.2.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise UserError(
                f"Dropout2d: input has shape {tuple(input.shape)}, expected (batch, channels, height, width) "
                "or (batch, channels, length)"
            )
        shape = [*input.shape[:2], *[1] * (input.ndim - 2)]
        return _dropped("Dropout2d", input, shape, self.p, self.training, self.inplace)


@contextmanager
def mc_dropout(model: Module) -> Iterator[Module]:
    """Inside, the model's dropout layers draw as in training and all else, BatchNorm too, is in evaluation mode.

    Afterwards, and after an exception, each module is in the mode it was in. Gal & Ghahramani 2016, section 4. Raises
    `UserError` for a model without a layer of phase2.nn that drops out.
    """
    modes = {module: module.training for module in model.modules()}
    if not any(isinstance(module, _Dropout) for module in modes):
        raise UserError(f"mc_dropout: {type(model).__name__} has no Dropout or Dropout2d of phase2.nn: add one")
    try:
        for module in modes:
            module.training = isinstance(module, _Dropout)
        yield model
    finally:
        for module, training in modes.items():
            module.training = training


@torch.no_grad()
def predict_mc(model: Module, x: Tensor, samples: int) -> Tensor:
    """Class probabilities under `samples` draws of the dropout masks: (samples, batch, classes), no gradients.

    The model gives logits (batch, classes). Their mean over samples is the predictive distribution, and their spread
    the model's uncertainty. Draws come from torch's global generator. Raises `UserError` for samples < 1.
    """
    if samples < 1:
        raise UserError(f"predict_mc: samples={samples}, expected at least 1")
    with mc_dropout(model):
        return torch.stack([model(x).softmax(-1) for _ in range(samples)])
