"""The effective receptive field: how a unit's gradient by the image is spread over the theoretical field.

Luo et al. 2016 ("Understanding the effective receptive field"), section 2. With independent weights of mean zero,
every layer spreads the mean squared gradient of a unit evenly over its kernel: n layers make the n-fold convolution of
uniform kernels, whose variances add up. A kernel of k places along an axis, d j pixels apart with dilation d and jump
j, has (k² - 1) / 12 (d j)².
"""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module, ModuleList, Sequential

from phase2.data.prepared import Prepared
from phase2.nn.activation.relu import ReLU
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.normalization.batch import BatchNorm2d
from phase2.probe.receptive_field.card import WITHIN, Options
from phase2.probe.receptive_field.fields import last_map
from phase2.probe.runs import Runs, at_start, test_images
from phase2.task.seeding import generator

KERNEL = 3  # places a side
STAGES = 3  # each at half the resolution of the one before, as in He et al. 2016a, section 4.2
FACTOR = 2  # the stride between stages, or the dilation
AT_ONCE = 2**22  # numbers in the images of one backward pass
VARIANTS = ("linear", "relu", "stride", "dilation", "residual")
FIELDS = ("field", "start", "row", "column", "sigma_row", "sigma_column", "sigma", "share")


class Residual(Module):
    """x + F(x), with x cut to what is left of it by a convolution F without padding."""

    def __init__(self, branch: Conv2d) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        cut = slice(KERNEL // 2, -(KERNEL // 2))
        return x[..., cut, cut] + self.branch(x)


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """Effective fields of random stacks of 3x3 convolutions, and of the networks of a study.

    Stacks, without padding, on images as large as their theoretical `field`: linear; relu; stride (three stages, each
    at half the resolution); dilation (2); residual (x + F(x), both of one variance). Those of one depth and seed have
    the same weights. Table `growth`, a row for each variant, depth (convolutions) and seed: `field`; `sigma`, the
    standard deviation along an axis, in pixels, of the squared gradient of the central unit, averaged over both axes,
    `options.images` random inputs and as many random mixtures of the channels; `predicted` by theory; `misfit`, the
    part of the squared gradient along an axis that lies elsewhere than the Gaussian of the same variance (total
    variation), which has no part of pixels that are not seen at all.
    Table `profiles`: `measured` and `gaussian`, a part of one at each `position` in pixels from the centre.

    Table `fields`, a row for each run, at its `when` (start, trained), of the centre of the last map before flattening
    or pooling, on `options.images` test images, from which BatchNorm takes its statistics at the start: `field` and
    `start`, size and first pixel of the theoretical field; `row`, `column`, `sigma_row`, `sigma_column`, moments of the
    squared gradient; `sigma`, the geometric mean of both; `share`, of the theoretical field inside the image the least
    part that holds 1 - e^-2 of the squared gradient, what a Gaussian has within two standard deviations.
    Table `maps`: the squared gradient by pixel, of the first seed.
    Raises `UserError` if a network has no map.
    """
    growth, profiles = [], []
    for variant, depth, seed in product(VARIANTS, options.depths, options.seeds):
        row, profile = _grown(variant, depth, options.width, options.images, seed)
        axes: dict[str, Any] = {"variant": variant, "depth": depth, "seed": seed}
        growth.append(axes | row)
        profiles.append(profile.assign(**axes)[[*axes, *profile]])
    fields, maps = [], []
    for run in runs:
        images = test_images(options.images, data, run)[0]
        for when, model in (("start", _calibrated(at_start(run, data), images)), ("trained", run.model)):
            axes = run.axes | {"when": when}
            row, found = _seen(model, images, run.axes["seed"])
            fields.append(axes | row)
            if run.axes["seed"] == runs[0].axes["seed"]:
                maps += _pixels(found).assign(**axes)[[*axes, "row", "column", "value"]].to_dict("records")
    return {
        "fields": runs.table(fields, "when", *FIELDS),
        "growth": pd.DataFrame(growth),
        "profiles": pd.concat(profiles, ignore_index=True),
        "maps": runs.table(maps, "when", "row", "column", "value"),
    }


def squared_gradient(features: Module, images: Tensor, seed: int) -> np.ndarray:
    """The mean squared gradient of the central unit of a map by the pixels of `images` (batch, channels, height,
    width): (height, width), summed over the image's channels.

    The unit is a mixture of the map's channels with random signs, new for each image: in the mean over them the squared
    gradients of the channels add up.
    """
    random, total = generator(seed, "data"), torch.zeros(images.shape[2:], dtype=torch.float64)
    for some in images.split(max(1, AT_ONCE // images[0].numel())):
        x = some.clone().requires_grad_()
        y = features(x)
        centre = y[..., y.shape[-2] // 2, y.shape[-1] // 2]
        signs = torch.randint(2, centre.shape, generator=random) * 2.0 - 1
        (gradient,) = torch.autograd.grad((centre * signs).sum(), x)
        total += gradient.double().square().sum((0, 1))
    return (total / len(images)).numpy()


def stack(variant: str, depth: int, width: int, seed: int) -> Sequential:
    """`depth` convolutions of `width` channels without padding, their weights from N(0, 1 / fan_in) of a seed."""
    layers: list[Module] = []
    for stride, dilation in _steps(variant, depth):
        conv = Conv2d(width, width, KERNEL, stride, dilation=dilation, bias=False, backend="fused")
        layers.append(Residual(conv) if variant == "residual" else conv)
        layers += [ReLU()] if variant == "relu" else []
    random, std = generator(seed, "init", depth), (width * KERNEL**2) ** -0.5
    made = Sequential(*layers)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=std, generator=random)
    return made.requires_grad_(False)


def predicted(variant: str, depth: int) -> tuple[int, float]:
    """The theoretical field of a stack and the standard deviation of its effective one along an axis, in pixels.

    A residual block passes half of the squared gradient on as it is, since its branch has the variance of its input.
    """
    field, variance, jump = 1, 0.0, 1
    for stride, dilation in _steps(variant, depth):
        field += (KERNEL - 1) * dilation * jump
        variance += (KERNEL**2 - 1) / 12 * (dilation * jump) ** 2 * (0.5 if variant == "residual" else 1)
        jump *= stride
    return field, variance**0.5


def _steps(variant: str, depth: int) -> Iterator[tuple[int, int]]:
    """Stride and dilation of every convolution."""
    stages = [STAGES * n // depth for n in range(depth)]
    for stage, following in pairwise([*stages, stages[-1]]):
        strided = variant == "stride" and following > stage
        yield FACTOR if strided else 1, FACTOR if variant == "dilation" else 1


def _grown(variant: str, depth: int, width: int, images: int, seed: int) -> tuple[dict[str, float], pd.DataFrame]:
    """A row of `growth` and a profile."""
    field, sigma = predicted(variant, depth)
    inputs = torch.randn(images, width, field, field, generator=generator(seed, "data", depth))
    found = squared_gradient(stack(variant, depth, width, seed), inputs, seed)
    profile = (found.sum(0) + found.sum(1)) / (2 * found.sum())
    position = np.arange(field) - field // 2
    measured = np.sqrt(profile @ position**2)
    gaussian = np.where(profile > 0, np.exp(-(position**2) / (2 * measured**2)), 0)  # dilation leaves pixels unseen
    gaussian /= gaussian.sum()
    misfit = np.abs(profile - gaussian).sum() / 2
    row = {"field": field, "sigma": measured, "predicted": sigma, "misfit": misfit}
    return row, pd.DataFrame({"position": position, "measured": profile, "gaussian": gaussian})


@torch.no_grad()
def _calibrated(model: Module, images: Tensor) -> Module:
    """The network with BatchNorm's statistics taken from `images`: before training it has none."""
    norms = [layer for layer in model.modules() if isinstance(layer, BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the plain average of all batches, which are one here
        norm.reset_running_stats()
    ModuleList(norms).train()
    model(images)
    return model.eval()


def _seen(model: Module, images: Tensor, seed: int) -> tuple[dict[str, float], np.ndarray]:
    """A row of `fields` and the squared gradient (height, width)."""
    features, along = last_map(model, tuple(images.shape[1:]))
    found = squared_gradient(features, images, seed)
    with torch.no_grad():
        sides = features(images[:1]).shape[2:]
    pixels = [field.of(side // 2) for field, side in zip(along, sides, strict=True)]
    rows, columns = (
        slice(max(0, seen.start), min(size, seen.stop)) for seen, size in zip(pixels, found.shape, strict=True)
    )
    row, sigma_row = _moments(found.sum(1))
    column, sigma_column = _moments(found.sum(0))
    return {
        "field": len(pixels[0]),
        "start": pixels[0].start,
        "row": row,
        "column": column,
        "sigma_row": sigma_row,
        "sigma_column": sigma_column,
        "sigma": (sigma_row * sigma_column) ** 0.5,
        "share": _least(found[rows, columns].ravel()),
    }, found


def _moments(profile: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of positions with weights `profile`."""
    position = np.arange(len(profile))
    mean = np.average(position, weights=profile)
    return mean, np.average((position - mean) ** 2, weights=profile) ** 0.5


def _least(values: np.ndarray) -> float:
    """The least part of `values` whose sum is `WITHIN` of that of all."""
    held = np.cumsum(np.sort(values)[::-1])
    return (np.searchsorted(held, WITHIN * held[-1]) + 1) / len(values)


def _pixels(found: np.ndarray) -> pd.DataFrame:
    """A row for each pixel."""
    row, column = np.indices(found.shape)
    return pd.DataFrame({"row": row.ravel(), "column": column.ravel(), "value": found.ravel()})
