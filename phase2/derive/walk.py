"""Any of the library's optimizers on a given gradient: what the derivations on update rules are checked against."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from phase2.optim.sgd import SGD

Gradient = Callable[[np.ndarray], np.ndarray]


def walk(
    optimizer: Callable[..., Optimizer],
    gradient: Gradient,
    start: np.ndarray,
    schedule: Iterable[dict[str, float]],
    **options: Any,
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """One step in float64 from `start` (size,) for each entry of `schedule`, which sets options such as `lr` anew.

    `gradient` maps (size,) to (size,); `options` are the optimizer's. Returns the iterates (steps + 1, size) and the
    optimizer's state after each step by torch's names, each (size,) or a number.
    """
    theta = torch.tensor(start, dtype=torch.float64)
    rule = optimizer([theta], **options)
    iterates, states = [theta.numpy().copy()], []
    for changes in schedule:
        rule.param_groups[0].update(changes)
        theta.grad = torch.from_numpy(gradient(theta.numpy()))
        rule.step()
        iterates.append(theta.numpy().copy())
        states.append({name: value.numpy().copy() for name, value in rule.state[theta].items()})
    return np.array(iterates), states


def descend(
    gradient: Gradient, start: np.ndarray, rates: Iterable[float], **options: Any
) -> tuple[np.ndarray, np.ndarray]:
    """SGD with one step for each rate. Returns the iterates (steps + 1, size), which begin with `start`, and the
    velocities (steps + 1, size), which begin with 0 and without momentum stay.
    """
    iterates, states = walk(SGD, gradient, start, ({"lr": rate} for rate in rates), **options)
    still = np.zeros(len(start))
    return iterates, np.array([still, *(state.get("momentum_buffer", still) for state in states)])


def stream(gradients: np.ndarray) -> Gradient:
    """The rows of `gradients` (steps, size) one after the other, wherever the parameters are."""
    rows = iter(gradients)
    return lambda _: next(rows)


def moves(optimizer: Callable[..., Optimizer], gradients: np.ndarray, **options: Any) -> np.ndarray:
    """The steps (steps, size) that the optimizer takes on a stream of gradients (steps, size)."""
    iterates, _ = walk(optimizer, stream(gradients), np.zeros(gradients.shape[1]), [{}] * len(gradients), **options)
    return np.diff(iterates, axis=0)


def every(values: np.ndarray, steps: int) -> np.ndarray:
    """Every sequence (steps, sequences) of `steps` draws from two values."""
    return values[np.indices((2,) * steps).reshape(steps, -1)]
