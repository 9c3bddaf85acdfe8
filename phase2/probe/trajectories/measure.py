"""Paths of optimizers from one start, each at its best of the same list of rates: of a network, and on functions."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.probe.images import images_of
from phase2.probe.plane import losses_at, principal_plane, unflatten
from phase2.probe.trajectories.card import DECAY, NETWORK, Options
from phase2.probe.trajectories.functions import Function, functions, quadratic
from phase2.task.order import epoch_order, steps_per_epoch
from phase2.task.task import Split, Task
from phase2.train.lanes import Stack, evaluate
from phase2.train.loop import Training
from phase2.train.recipe import Lane, Recipe

RECORDS = 24  # points kept of a network's path, about
MARGIN = 0.15  # of the paths' extent: what the map shows beyond them
AT_ONCE = 4  # points of the map: with thousands of images, more only fill the memory
FUNCTION_RATES = torch.logspace(-4, 1, 21, dtype=torch.float64)  # four a decade, for every optimizer and function

Weights = dict[str, Tensor]  # by name; of a path each (records, ...)


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Trains one network from one init by every optimizer at every rate, and lets them run down test functions.

    What is shown of an optimizer is its path at the rate that ends lowest; it loses where it diverges. Returns
    - `tuning`: problem ("network" or a function), optimizer, lr, final_loss (NaN if diverged), diverged, best;
    - `paths`: optimizer, step, x, y, loss (nats, all training images); x and y are coordinates, in the weights' units,
      in the plane of the first two principal components of all shown paths' weights together, from their start;
    - `surface`: x, y, loss, on a grid of `points` x `points` in that plane, and share_x, share_y: the part of the
      paths' squared distances from the start that lies along each component (the same in every row);
    - `functions`: function, optimizer, lr, step, x, y, value, in float64;
    - `quadratic`: method, condition, lr, momentum, rate, step, distance (from the minimum), predicted.
    Raises `UserError` if an optimizer diverges at every rate.
    """
    parts = images_of(data, options.train)
    tuning, paths = [], {}
    for optimizer in options.optimizers:
        rows, paths[optimizer], stack = _tuned_network(optimizer, options, parts)
        tuning += rows
    path_table, surface = _plane(paths, stack, parts.train, options)
    function_tuning, function_paths = _on_functions(options)
    return {
        "tuning": pd.DataFrame(tuning + function_tuning),
        "paths": path_table,
        "surface": surface,
        "functions": pd.concat(function_paths, ignore_index=True),
        "quadratic": theory_and_measurement(options.condition, options.steps),
    }


def _tuned_network(optimizer: str, options: Options, parts: Task) -> tuple[list[dict[str, Any]], Weights, Stack]:
    """The rows of `tuning`, the weights (records, ...) by name of the best rate's path, and the trained stack."""
    recipe = Recipe(
        model="mlp",
        model_options={"width": options.width, "depth": options.depth},
        optimizer=optimizer,
        batch_size=options.batch_size,
        epochs=options.epochs,
        seed=options.seed,
    )
    lanes = [Lane("kaiming", "constant", lr, DECAY.get(optimizer, 0.0)) for lr in options.rates]
    training = Training(recipe, lanes, parts, torch.device("cpu"), torch.float32)
    records = list(_recorded(training))
    loss = evaluate(training.stack, parts.train, training.dtype)["loss"]
    rows, best = _tuning(NETWORK, optimizer, options.rates, torch.where(training.state.alive, loss, torch.nan))
    return rows, {name: torch.stack([w[name][best] for w in records]) for name in records[0]}, training.stack


def _recorded(training: Training) -> Iterator[Weights]:
    """The weights of all lanes before the first step, after every few steps, and after the last."""
    total = training.steps * training.recipe.epochs
    kept = set(recorded_steps(total))
    yield training.stack.weights()
    for epoch in range(training.recipe.epochs):
        for rows in epoch_order(len(training.task.train), training.recipe.seed, epoch).split(
            training.recipe.batch_size
        ):
            training.step(rows)
            if training.state.step in kept:
                yield training.stack.weights()


def recorded_steps(total: int) -> list[int]:
    """About RECORDS of the steps 0 ... `total`, evenly, with both ends."""
    every = max(1, total // RECORDS)
    return sorted({*range(0, total, every), total})


def _tuning(problem: str, optimizer: str, rates: list[float], final: Tensor) -> tuple[list[dict[str, Any]], int]:
    """A row for each rate with its final loss (rates,), and the place of the least; what is not finite diverged."""
    finite = torch.isfinite(final)
    if not finite.any():
        raise UserError(f"trajectories: {optimizer} diverged on {problem} at every rate of {rates}: add lower rates")
    best = int(torch.where(finite, final, torch.inf).argmin())
    rows = [
        {"problem": problem, "optimizer": optimizer, "lr": lr, "final_loss": float(loss) if ok else float("nan")}
        | {"diverged": not ok, "best": place == best}
        for place, (lr, loss, ok) in enumerate(zip(rates, final, finite.tolist(), strict=True))
    ]
    return rows, best


def _plane(
    paths: dict[str, Weights], stack: Stack, train: Split, options: Options
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `paths` and `surface`."""
    flat = [torch.cat([w.flatten(1) for w in weights.values()], dim=1) for weights in paths.values()]
    start = {name: w[0] for name, w in next(iter(paths.values())).items()}
    _, basis, coordinates, shares = principal_plane(torch.cat([*flat, flat[0][:1]]))
    steps = recorded_steps(options.epochs * steps_per_epoch(len(train), options.batch_size))
    x, y = coordinates[:-1].double().T.view(2, len(paths), len(steps)).numpy()
    rows = []
    for place, (optimizer, weights) in enumerate(paths.items()):
        loss = evaluate(Stack(stack.base, stack.measured, weights, {}), train, torch.float32)["loss"]
        shown = {"step": steps, "x": x[place], "y": y[place], "loss": loss.numpy()}
        rows.append(pd.DataFrame({"optimizer": optimizer} | shown))
    grid = torch.cartesian_prod(*(_around(values, options.points) for values in (x, y)))
    inputs, targets = train.batch(torch.arange(len(train)), torch.float32)
    directions = [unflatten(direction, start) for direction in basis]
    losses, _ = losses_at(stack.base, stack.measured, start, directions, grid, inputs, targets, at_once=AT_ONCE)
    surface = {"x": grid[:, 0], "y": grid[:, 1], "loss": losses.double()}
    share_x, share_y = shares.tolist()
    return pd.concat(rows, ignore_index=True), pd.DataFrame(surface).assign(share_x=share_x, share_y=share_y)


def _around(values: np.ndarray, points: int) -> Tensor:
    """So many points (points,) from below the least of the values to above the largest."""
    margin = MARGIN * np.ptp(values)
    return torch.linspace(values.min() - margin, values.max() + margin, points, dtype=torch.float64)


def _on_functions(options: Options) -> tuple[list[dict[str, Any]], list[pd.DataFrame]]:
    """The rows of `tuning` and the parts of `functions`."""
    tuning, shown = [], []
    for (name, function), optimizer in product(functions(options.condition).items(), options.optimizers):
        path = descend(function, optimizer, FUNCTION_RATES, options.steps)
        values = function.value(*path.unbind(-1))
        rows, best = _tuning(name, optimizer, FUNCTION_RATES.tolist(), values[-1])
        tuning += rows
        x, y = path[:, best].T.numpy()
        run = {"function": name, "optimizer": optimizer, "lr": rows[best]["lr"], "step": range(options.steps + 1)}
        shown.append(pd.DataFrame(run | {"x": x, "y": y, "value": values[:, best]}))
    return tuning, shown


def descend(function: Function, optimizer: str, rates: Tensor, steps: int, **options: Any) -> Tensor:
    """The points (steps + 1, rates, 2), in float64, that an optimizer visits at each of the `rates` (rates,)."""
    point = torch.tensor([function.start] * len(rates), dtype=torch.float64, requires_grad=True)
    stepper = registry.load("optimizer", optimizer)([point], lr=rates, **options)
    path = [point.detach().clone()]
    for _ in range(steps):
        stepper.zero_grad()
        function.value(*point.unbind(-1)).sum().backward()
        stepper.step()
        path.append(point.detach().clone())
    return torch.stack(path)


def theory_and_measurement(condition: float, steps: int) -> pd.DataFrame:
    """The table `quadratic`: descent at each method's best rate and momentum, and the distance that theory expects.

    Along each eigenvector of the Hessian a method is linear in the error and the velocity; `predicted` is the distance
    by these two recursions. `rate` is the spectral radius of the step: what a step multiplies the distance by in the
    end. Momentum has a double eigenvalue there, so that it falls behind rate^step by a factor that grows with the step.
    """
    function, tables = quadratic(condition), []
    for method, (lr, momentum, rate) in optimal(condition).items():
        options: dict[str, Any] = {"momentum": momentum, "nesterov": method == "nesterov"}
        path = descend(function, "sgd", torch.tensor([lr], dtype=torch.float64), steps, **options)[:, 0]
        distance = (path - torch.tensor(function.minimum)).norm(dim=-1).numpy()
        step = np.arange(steps + 1)
        settings = {"method": method, "condition": condition, "lr": lr, "momentum": momentum, "rate": rate}
        predicted = _distances(condition, steps, lr, **options)
        measured = {"step": step, "distance": distance, "predicted": predicted}
        tables.append(pd.DataFrame(settings | measured))
    return pd.concat(tables, ignore_index=True)


def _distances(condition: float, steps: int, lr: float, momentum: float, nesterov: bool) -> np.ndarray:
    """The distance from the quadratic's minimum (steps + 1,) by the eigenvalues 1 and `condition`: v' = m v + λ e, and
    e' = e - lr v', or with Nesterov's look-ahead e - lr (λ e + m v').
    """
    curvature, start = np.array([1.0, condition]), quadratic(condition).start
    error = np.array([start[0] + start[1] - 2, start[0] - start[1]]) / 2**0.5
    velocity, found = np.zeros(2), [np.linalg.norm(error)]
    for _ in range(steps):
        gradient = curvature * error
        velocity = momentum * velocity + gradient
        error = error - lr * (gradient + momentum * velocity if nesterov else velocity)
        found.append(np.linalg.norm(error))
    return np.array(found)


def optimal(condition: float) -> dict[str, tuple[float, float, float]]:
    """Learning rate, momentum and rate of convergence by method, for eigenvalues from 1 to `condition`.

    Gradient descent and heavy-ball momentum: Polyak 1964; Nesterov's for strong convexity: Nesterov 2004, (2.2.11).
    """
    root = condition**0.5
    momentum = (root - 1) / (root + 1)
    return {
        "gradient_descent": (2 / (condition + 1), 0.0, (condition - 1) / (condition + 1)),
        "momentum": (4 / (root + 1) ** 2, momentum**2, momentum),
        "nesterov": (1 / condition, momentum, 1 - 1 / root),
    }
