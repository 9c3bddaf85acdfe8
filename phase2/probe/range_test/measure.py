"""The learning-rate range test: the rate grows from step to step, and the loss tells which rates a network bears.

Smith 2017, section 3.3, with a rate that grows exponentially and the minibatch's loss in place of the accuracy.
"""

from collections.abc import Iterator
from itertools import count, islice, product

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.probe.images import images_of
from phase2.probe.range_test.card import BREAKOUT, STOP, Options
from phase2.schedules import range_test as schedule
from phase2.task.order import epoch_order, steps_per_epoch
from phase2.task.task import Task
from phase2.train.loop import Training
from phase2.train.recipe import Lane, Recipe

SMOOTHING = 0.9  # weight of the past in the exponential average
WINDOW = 1.0  # decades of rates over which the slope is taken


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Trains one perceptron from each seed's init by every optimizer, on the same minibatches, at a growing rate.

    Returns
    - `losses`: optimizer, seed, step, lr, loss (of the step's minibatch before the step, in nats), smoothed (its
      exponential average, corrected for its start); it ends where `smoothed` is above STOP times its least value, or
      before a loss that is not finite;
    - `suggestions`: optimizer, seed, steepest (the rate at which `smoothed` falls fastest with the log of the rate),
      breakout (the first rate after its minimum at which it is BREAKOUT above it, or training is no longer finite).
      Each is NaN where there is none.
    """
    parts = images_of(data, options.train)
    rates = np.array([schedule(s, options.steps, options.high, low=options.low) for s in range(options.steps)])
    losses, suggestions = [], []
    for optimizer, seed in product(options.optimizers, options.seeds):
        loss = ramp(optimizer, seed, rates, options, parts)
        smoothed = smooth(loss)
        kept = np.isfinite(loss)
        run = {"optimizer": optimizer, "seed": seed}
        shown = {"step": np.arange(len(loss)), "lr": rates[: len(loss)], "loss": loss, "smoothed": smoothed}
        losses.append(pd.DataFrame(run | {name: values[kept] for name, values in shown.items()}))
        found = {"steepest": steepest(rates, smoothed), "breakout": breakout(rates, smoothed)}
        suggestions.append(run | found)
    return {"losses": pd.concat(losses, ignore_index=True), "suggestions": pd.DataFrame(suggestions)}


def ramp(optimizer: str, seed: int, rates: np.ndarray, options: Options, parts: Task) -> np.ndarray:
    """The minibatches' losses (steps,) at the `rates`, until the test is over; inf for a step that was not finite."""
    recipe = Recipe(
        model="mlp",
        model_options={"width": options.width, "depth": options.depth},
        optimizer=optimizer,
        batch_size=options.batch_size,
        epochs=-(-len(rates) // steps_per_epoch(len(parts.train), options.batch_size)),
        seed=seed,
    )
    lane = Lane("kaiming", "constant", options.high)
    training = Training(recipe, [lane], parts, torch.device("cpu"), torch.float32)
    training.rates = torch.from_numpy(rates).to(training.rates).unsqueeze(1)
    losses: list[float] = []
    for rows in islice(_batches(len(parts.train), recipe), len(rates)):
        before = float(training.state.loss_sum[0])
        training.step(rows)
        if not training.state.alive[0]:
            losses.append(np.inf)
            break
        losses.append((float(training.state.loss_sum[0]) - before) / len(rows))
        smoothed = smooth(np.array(losses))
        if smoothed[-1] > STOP * smoothed.min():
            break
    return np.array(losses)


def _batches(size: int, recipe: Recipe) -> Iterator[Tensor]:
    """Rows of one minibatch after the other, as the seed visits them."""
    for epoch in count():
        yield from epoch_order(size, recipe.seed, epoch).split(recipe.batch_size)


def smooth(losses: np.ndarray) -> np.ndarray:
    """The exponential average of all losses (steps,) so far at each step, divided by the sum of its weights."""
    average, smoothed = 0.0, np.empty(len(losses))
    for step, loss in enumerate(losses):
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        smoothed[step] = average / (1 - SMOOTHING ** (step + 1))
    return smoothed


def steepest(rates: np.ndarray, smoothed: np.ndarray) -> float:
    """The rate around which `smoothed` (steps,) falls fastest with the log of the rate, before its minimum.

    `rates` (at least as many) grow by one factor. NaN if the minimum comes before a slope over WINDOW can be taken.
    """
    half = max(1, round(WINDOW / 2 / np.log10(rates[1] / rates[0])))
    falling = smoothed[: smoothed.argmin() + 1]
    if len(falling) <= 2 * half:
        return np.nan
    return float(rates[half + (falling[2 * half :] - falling[: -2 * half]).argmin()])


def breakout(rates: np.ndarray, smoothed: np.ndarray) -> float:
    """The first rate after the minimum of `smoothed` (steps,) at which it is BREAKOUT above it; NaN if never."""
    least = int(smoothed.argmin())
    above = np.flatnonzero(smoothed[least:] > (1 + BREAKOUT) * smoothed[least])
    return float(rates[least + above[0]]) if len(above) else np.nan
