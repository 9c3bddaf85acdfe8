"""What the layers of trained networks see: filters, maps, images that excite a unit, and what a linear probe reads."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.nn.convolution.conv import Conv2d
from phase2.probe.feature_hierarchy.card import LIMIT, Options
from phase2.probe.features import BATCH, features, pooled, watched
from phase2.probe.linear_probe import linear_probe
from phase2.probe.runs import Run, Runs, at_start, test_images, training_images
from phase2.study.factors import factors_of
from phase2.task.seeding import generator

SHOWN = 16  # filters of a network whose maps are kept
NOISE = 0.1  # standard deviation of the image that the ascent starts from; those of the data have about 1
STRIDE = 0.5  # of the ascent's first step, in norms of the test image that it is held against

PIXEL = ("channel", "row", "column", "value")
COLUMNS = {
    "filters": ("filter", *PIXEL),
    "maps": ("filter", *PIXEL),
    "exciting": ("layer", "unit", "kind", "excitation", *PIXEL),
    "linear_probes": ("when", "layer", "position", "dimension", "accuracy"),
}

Labelled = tuple[Tensor, Tensor]


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """Features of the networks of a study by layer; layers are the activations, counted from 1 as images pass them.

    All rows begin with the run's axes, the seed last. Of the first seed of each combination of the other axes, if its
    network has a convolution:
    - `filters`: filter (from 1), channel, row, column, value: the weights of the first convolution;
    - `maps`: filter, channel, row, column, value: the outputs of the first activation for the first test image, of the
      first 16 filters; filter 0 is the image itself, standardised;
    - `exciting`: layer, unit, kind, excitation, channel, row, column, value: in the first, the middle and the last
      layer of maps, of the channel whose centre varies most over `options.test` test images, the one of these that
      excites the centre most (kind `test`), and the one found by `options.steps` steps of gradient ascent from small
      noise among images of no larger norm with pixels in the test images' range (`ascent`). The excitation is the
      activation's input, in standard deviations over the test images from their mean.

    Of all runs, `linear_probes`: when (start or end of training), layer (0 is the pixels), position (layer by the last
    layer), dimension, accuracy: on `options.test` test images, of the `linear_probe` that `options.train` training
    images make from the features of `pooled`. Test images are spread evenly over the test part.

    Raises `UserError` for more images than there are, or a study without a convolutional network.
    """
    if not runs:
        return {name: runs.joined([], *columns) for name, columns in COLUMNS.items()}
    train = training_images(options.train, data, runs[0])[:2]  # one study, one task
    test = test_images(options.test, data, runs[0])
    images = test[0]
    tables: dict[str, list[pd.DataFrame]] = {"filters": [], "maps": [], "exciting": []}
    for run in _first_seeds(runs):
        if (first := _first_convolution(run.model)) is not None:
            shown = {
                "filters": _long(first.weight.detach(), "filter").assign(filter=lambda table: table["filter"] + 1),
                "maps": _maps(run.model, images[:1]),
                "exciting": _exciting(run.model, images, options.steps, run.axes["seed"]),
            }
            for name, table in shown.items():
                tables[name].append(_of(run, table))
    if not tables["filters"] and runs.all_finished:
        raise UserError("feature_hierarchy: the study's networks have no convolution, expected a study with some")
    tables["linear_probes"] = list(_linear_probes(runs, data, train, test))
    return {name: runs.joined(parts, *COLUMNS[name]) for name, parts in tables.items()}


def _first_seeds(runs: Sequence[Run]) -> list[Run]:
    """A run for each combination of the axes without seed: that of the least seed which finished."""
    firsts: dict[tuple, Run] = {}
    for run in sorted(runs, key=lambda run: run.axes["seed"]):
        firsts.setdefault(tuple(run.axes[name] for name in factors_of(run.axes)), run)
    return [run for run in runs if any(run is first for first in firsts.values())]


def _first_convolution(model: Module) -> Conv2d | None:
    return next((layer for layer in model.modules() if isinstance(layer, Conv2d)), None)


def _of(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the run's axes before all else, the seed as the last of them."""
    return table.assign(**run.axes)[[*factors_of(run.axes), "seed", *table.columns]]


def _long(values: Tensor, *names: str) -> pd.DataFrame:
    """A row for each entry of values (*names, channel, row, column)."""
    indices = np.indices(values.shape).reshape(values.ndim, -1)
    return pd.DataFrame(dict(zip([*names, "channel", "row", "column"], indices, strict=True))).assign(
        value=values.flatten().numpy()
    )


@torch.no_grad()
def _maps(model: Module, image: Tensor) -> pd.DataFrame:
    """The image (1, channels, height, width) as filter 0, and the first activation's maps of it from 1."""
    with watched(model) as passed:
        model(image)
    maps = passed[0][1][0, :SHOWN].unsqueeze(1)
    numbered = _long(maps, "filter").assign(filter=lambda table: table["filter"] + 1)
    return pd.concat([_long(image, "filter"), numbered], ignore_index=True)


def _exciting(model: Module, images: Tensor, steps: int, seed: int) -> pd.DataFrame:
    """For each depth, the image of `images` that excites its unit most, and the image that ascent finds."""
    model = deepcopy(model).requires_grad_(False)
    seen = _centres(model, images)
    maps = list(seen)
    layers = sorted({maps[0], maps[(len(maps) - 1) // 2], maps[-1]})
    units = {layer: int(seen[layer].std(0).argmax()) for layer in layers}
    best = torch.stack([images[seen[layer][:, unit].argmax()] for layer, unit in units.items()])
    found = _ascent(model, units, _noise(best.shape, seed), _Prior.of(images, best), steps)
    tables = []
    for kind, shown in {"test": best, "ascent": found}.items():
        reached = _centres(model, shown)
        for (layer, unit), image, n in zip(units.items(), shown, range(len(units)), strict=True):
            over = seen[layer][:, unit]
            excitation = ((reached[layer][n, unit] - over.mean()) / over.std()).item()
            table = _long(image)
            tables.append(table.assign(layer=layer, unit=unit + 1, kind=kind, excitation=excitation))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS["exciting"])]


class _Prior(NamedTuple):
    """Images with pixels from `low` to `high` (channels, 1, 1), the n-th in the ball of the n-th `radius` (n,)."""

    low: Tensor
    high: Tensor
    radius: Tensor

    @classmethod
    def of(cls, images: Tensor, best: Tensor) -> "_Prior":
        """The range of the pixels of `images`, and the norms of the `best`."""
        low, high = images.amin((0, 2, 3)), images.amax((0, 2, 3))
        return cls(low.view(-1, 1, 1), high.view(-1, 1, 1), best.flatten(1).norm(dim=1))

    def nearby(self, x: Tensor) -> Tensor:
        """Images of the prior near x (n, channels, height, width): 0 is in the range, so shorter ones are in it too."""
        x = x.clamp(self.low, self.high)
        return _scaled(x, torch.minimum(x.flatten(1).norm(dim=1), self.radius))


def _noise(shape: torch.Size, seed: int) -> Tensor:
    return NOISE * torch.randn(shape, generator=generator(seed, "data"))


@torch.no_grad()
def _centres(model: Module, images: Tensor) -> dict[int, Tensor]:
    """By layer of maps, what excites the centre of each channel: (images, channels)."""
    parts: dict[int, list[Tensor]] = {}
    with watched(model) as passed:
        for batch in images.split(BATCH):
            model(batch)
            for layer, centre in _read(passed):
                parts.setdefault(layer, []).append(centre)
            passed.clear()
    return {layer: torch.cat(part) for layer, part in parts.items()}


def _read(passed: list[tuple[Tensor, Tensor]]) -> Iterator[tuple[int, Tensor]]:
    """The number of each layer of maps, and the centres (batch, channels) of its activation's input."""
    for layer, (z, _) in enumerate(passed, start=1):
        if z.ndim == 4:
            yield layer, z[..., z.shape[2] // 2, z.shape[3] // 2]


def _ascent(model: Module, units: dict[int, int], start: Tensor, prior: _Prior, steps: int) -> Tensor:
    """Images (layers, channels, height, width), the n-th to excite the unit of the n-th layer. Erhan et al. 2009.

    Steps go along the gradient and back to what the prior allows, and shorten linearly to nothing.
    """
    x = start
    with watched(model) as passed:
        for step in range(steps):
            x.requires_grad_()
            model(x)
            seen = dict(_read(passed))
            aim = torch.stack([seen[layer][n, unit] for n, (layer, unit) in enumerate(units.items())]).sum()
            (slope,) = torch.autograd.grad(aim, x)
            passed.clear()
            length = STRIDE * (1 - step / steps) * prior.radius
            x = prior.nearby(x.detach() + _scaled(slope, length))
    return x


def _scaled(x: Tensor, length: Tensor) -> Tensor:
    """Each of x (n, ...) at its length (n,); what is zero stays zero."""
    norm = x.flatten(1).norm(dim=1).clamp(min=1e-12)
    return x * (length / norm).view(-1, *[1] * (x.ndim - 1))


def _linear_probes(runs: Sequence[Run], data: Prepared, train: Labelled, test: Labelled) -> Iterator[pd.DataFrame]:
    pixels = _read_off(pooled(train[0], LIMIT), pooled(test[0], LIMIT), train[1], test[1])
    for run in runs:
        for when, model in (("start", at_start(run, data)), ("end", run.model)):
            layers = zip(features(model, train[0], LIMIT), features(model, test[0], LIMIT), strict=True)
            found = [pixels, *(_read_off(*layer, train[1], test[1]) for layer in layers)]
            table = pd.DataFrame(found, columns=["dimension", "accuracy"])
            layer = np.arange(len(found))
            yield _of(run, pd.DataFrame({"when": when, "layer": layer, "position": layer / layer[-1]}).join(table))


def _read_off(x: Tensor, test_x: Tensor, labels: Tensor, test_labels: Tensor) -> tuple[int, float]:
    """The features' dimension, and the accuracy of the linear probe of them."""
    return x.shape[1], linear_probe(x, labels, test_x, test_labels)
