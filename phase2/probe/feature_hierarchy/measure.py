"""What the layers of trained networks see: filters, maps, and what a linear probe reads."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.nn.convolution.conv import Conv2d
from phase2.probe.feature_hierarchy.card import LIMIT, Options
from phase2.probe.features import features, pooled, watched
from phase2.probe.linear_probe import linear_probe
from phase2.probe.runs import Run, Runs, at_start, test_images, training_images
from phase2.study.factors import factors_of

SHOWN = 16  # filters of a network whose maps are kept

PIXEL = ("channel", "row", "column", "value")
COLUMNS = {
    "filters": ("filter", *PIXEL),
    "maps": ("filter", *PIXEL),
    "linear_probes": ("when", "layer", "position", "dimension", "accuracy"),
}

Labelled = tuple[Tensor, Tensor]


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """Features of the networks of a study by layer; layers are the activations, counted from 1 as images pass them.

    All rows begin with the run's axes, the seed last. Of the first seed of each combination of the other axes, if its
    network has a convolution:
    - `filters`: filter (from 1), channel, row, column, value: the weights of the first convolution;
    - `maps`: filter, channel, row, column, value: the outputs of the first activation for the first test image, of the
      first 16 filters; filter 0 is the image itself, standardised.

    Of all runs, `linear_probes`: when (start or end of training), layer (0 is the pixels), position (layer by the last
    layer), dimension, accuracy: on `options.test` test images, of the `linear_probe` that `options.train` training
    images make from the features of `pooled`. Test images are spread evenly over the test part.

    Raises `UserError` for a study without a convolutional network.
    """
    if not runs:
        return {name: runs.joined([], *columns) for name, columns in COLUMNS.items()}
    train = training_images(options.train, data, runs[0])[:2]  # one study, one task
    test = test_images(options.test, data, runs[0])
    tables: dict[str, list[pd.DataFrame]] = {"filters": [], "maps": []}
    for run in _first_seeds(runs):
        if (first := _first_convolution(run.model)) is not None:
            filters = _long(first.weight.detach(), "filter").assign(filter=lambda table: table["filter"] + 1)
            tables["filters"].append(_of(run, filters))
            tables["maps"].append(_of(run, _maps(run.model, test[0][:1])))
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
