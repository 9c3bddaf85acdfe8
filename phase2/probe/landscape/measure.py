"""The loss around the trained networks of a study, and on the straight way from one solution to another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.probe.landscape.card import Options
from phase2.probe.plane import Weights, filter_normalized, losses_at, random_direction
from phase2.probe.runs import Run, Runs, task_of, training_images
from phase2.study.factors import factors_of
from phase2.task.seeding import generator
from phase2.task.task import Measure


@dataclass(frozen=True)
class _Images:
    """The batch on which all losses are taken, and what is measured of it."""

    inputs: Tensor
    targets: Tensor
    measure: Measure

    def around(self, run: Run, directions: Sequence[Weights], coordinates: Tensor) -> dict[str, Tensor]:
        """Loss and accuracy (points,) each, with BatchNorm's statistics recomputed at every point."""
        batch, origin = (self.inputs, self.targets), weights_of(run)
        loss, means = losses_at(run.model, self.measure, origin, directions, coordinates, *batch, recalibrate=True)
        return {"loss": loss, **means}


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """Losses (mean cross-entropy in nats) of trained networks and their surroundings, on `options.images` of
    the images that they were trained on.

    Of each combination of the axes without lr and seed, the networks are those of the learning rate whose mean loss
    over seeds is least, among the rates at which most seeds have one. BatchNorm's statistics are recomputed from the
    same images at every point. A row begins with the combination. Table `lines`, a row for each seed and `distance`
    of -radius to radius in a random filter-normalized direction, one a seed: loss, accuracy. Table `planes`: loss at
    x and y in that direction and another, of the first seed. Table `interpolation`: loss and accuracy at `position`
    0 to 1 of the straight way from the weights of `seed` to those of `to_seed`, the next.
    Networks without a finite loss are left out.
    """
    lines, planes, ways = [], [], []
    if runs:
        run = runs[0]  # one study, one task
        images = _Images(*training_images(options.images, data, run)[:2], task_of(run, data).measure)
        for axes, chosen in _chosen(runs, images):
            lines += [_line(options, run, images).assign(**axes) for run in chosen]
            planes.append(_plane(options, chosen[0], images).assign(**axes))
            ways += [_way(options, *pair, images).assign(**axes) for pair in pairwise(chosen)]
    factors = factors_of(runs.axes, without=["lr"])
    return {
        "lines": _table(lines, [*factors, "seed", "distance", "loss", "accuracy"]),
        "planes": _table(planes, [*factors, "seed", "x", "y", "loss"]),
        "interpolation": _table(ways, [*factors, "seed", "to_seed", "position", "loss", "accuracy"]),
    }


def weights_of(run: Run) -> Weights:
    """The parameters of a network by name, apart from their gradients."""
    return {name: p.detach() for name, p in run.model.named_parameters()}


def _chosen(runs: Runs, images: _Images) -> Iterator[tuple[dict[str, Any], list[Run]]]:
    """Every combination's axes and its networks at the best learning rate, by seed."""
    groups: dict[tuple, dict[Any, list[tuple[float, Run]]]] = {}
    for run in runs:
        loss = images.around(run, [], torch.zeros(1, 0))["loss"].item()
        if loss < torch.inf:
            factors = tuple((name, run.axes[name]) for name in factors_of(run.axes, without=["lr"]))
            groups.setdefault(factors, {}).setdefault(run.axes.get("lr"), []).append((loss, run))
    for factors, rates in groups.items():
        best = min(rates.values(), key=lambda found: (-len(found), sum(loss for loss, _ in found)))
        yield dict(factors), sorted((run for _, run in best), key=lambda run: run.axes["seed"])


def _directions(run: Run, number: int) -> list[Weights]:
    """Random directions of a run's seed: the same for all networks of one shape, and none an initial value again."""
    weights, seed = weights_of(run), run.axes["seed"]
    return [
        filter_normalized(random_direction(weights, generator(seed, "init", index)), weights) for index in range(number)
    ]


def _side(radius: float, points: int) -> Tensor:
    """Evenly spaced from -radius to radius (points,), the same to both sides; 0 among them if they are odd."""
    return radius * torch.arange(1 - points, points, 2, dtype=torch.float64) / (points - 1)


def _line(options: Options, run: Run, images: _Images) -> pd.DataFrame:
    distance = _side(options.radius, options.line)
    found = images.around(run, _directions(run, 1), distance.unsqueeze(1))
    return pd.DataFrame({"seed": run.axes["seed"], "distance": distance} | found)


def _plane(options: Options, run: Run, images: _Images) -> pd.DataFrame:
    side = _side(options.radius, options.plane)
    points = torch.cartesian_prod(side, side)
    found = images.around(run, _directions(run, 2), points)
    return pd.DataFrame({"seed": run.axes["seed"], "x": points[:, 0], "y": points[:, 1], "loss": found["loss"]})


def _way(options: Options, a: Run, b: Run, images: _Images) -> pd.DataFrame:
    ends, position = [weights_of(run) for run in (a, b)], torch.linspace(0, 1, options.line, dtype=torch.float64)
    difference = {name: ends[1][name] - ends[0][name] for name in ends[0]}
    found = images.around(a, [difference], position.unsqueeze(1))
    return pd.DataFrame({"seed": a.axes["seed"], "to_seed": b.axes["seed"], "position": position} | found)


def _table(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
