"""Recipes, lanes and comparisons that the tests of training share."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from phase2.task.order import epoch_order
from phase2.task.task import Task
from phase2.train.loop import LaneResult, Training, train_pack
from phase2.train.recipe import Lane, Recipe

CPU = torch.device("cpu")
RECIPE = Recipe(
    model="mlp",
    model_options={"width": 12, "depth": 2, "activation": "tanh"},
    optimizer="sgd",
    optimizer_options={"momentum": 0.9, "nesterov": True},
    batch_size=32,
    epochs=4,
    seed=3,
)
OPTIONS = ("width", "depth", "activation", "norm", "dropout")
LANES = [
    Lane("kaiming", "cosine", 0.05, 1e-3),
    Lane("lsuv", "one_cycle", 0.1, 0.0),
    Lane("xavier", "step", 0.02, 1e-2),
]

EVERYTHING = {  # packs whose trainings have more of a state than weights and momentum
    "ema": {"average": "ema", "average_options": {"decay": 0.9}, "precision": "bf16"},
    "lookahead": {"average": "lookahead", "average_options": {"every": 3}, "precision": "fp16"},
    "swa": {"average": "swa", "average_options": {"start": 0.25}, "optimizer": "momentum", "optimizer_options": {}},
}


def everything(name: str) -> tuple[Recipe, list[Lane]]:
    """A pack of `EVERYTHING` with dropout, running statistics, micro-batches, groups, and lanes that differ in them."""
    adam = {"optimizer": "adam", "optimizer_options": {"amsgrad": True}}
    shared = {"norm": "batch", "dropout": 0.2, "accumulate": 2, "decay": "weights"}
    lanes = [replace(lane, clip=1.0, bias_lr=factor) for lane, factor in zip(LANES, (1.0, 4.0, 0.5), strict=True)]
    return recipe(**(adam | shared | EVERYTHING[name])), lanes


def clipped(lanes: list[Lane], norm: float) -> list[Lane]:
    """The same lanes, each with its gradients clipped to a norm."""
    return [replace(lane, clip=norm) for lane in lanes]


def recipe(**changes: Any) -> Recipe:
    """RECIPE with some fields changed, and its model's options by their own names."""
    options = {name: changes.pop(name) for name in OPTIONS if name in changes}
    return replace(RECIPE, model_options={**RECIPE.model_options, **options}, **changes)


def train(
    recipe: Recipe, lanes: list[Lane], parts: Task, work: Path, dtype: torch.dtype = torch.float32, **options: Any
) -> list[LaneResult]:
    """Trains a pack in `work` on the CPU."""
    return train_pack(recipe, lanes, parts, work, device=CPU, dtype=dtype, **options)


def trained_weights(
    recipe: Recipe, lanes: list[Lane], parts: Task, dtype: torch.dtype = torch.float64
) -> list[dict[str, Tensor]]:
    """Each lane's weights after the last step."""
    training = Training(recipe, lanes, parts, CPU, dtype)
    for epoch in range(recipe.epochs):
        order = training_order(recipe, parts, epoch)
        for rows in order.split(recipe.batch_size):
            training.step(rows)
    stacked = training.stack.weights()
    return [{name: value[lane] for name, value in stacked.items()} for lane in range(len(lanes))]


def training_order(recipe: Recipe, parts: Task, epoch: int) -> Tensor:
    """The rows of the training part in the order of one epoch."""
    return epoch_order(len(parts.train), recipe.seed, epoch)


def largest_difference(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """The largest absolute difference between two networks' weights."""
    assert ours.keys() == theirs.keys()
    return max((ours[name] - theirs[name]).abs().max().item() for name in ours)


def digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 of names and bits of a network's weights."""
    content = hashlib.sha256()
    for name in sorted(weights):
        content.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    return content.hexdigest()


def summary(results: list[LaneResult]) -> list[dict[str, Any]]:
    """All that must repeat: everything but times, weights as digests. Plain data."""
    return [
        {
            "status": result.status,
            "diverged_step": result.diverged_step,
            "final": result.final,
            "best": result.best,
            "history": [{k: v for k, v in row.items() if k != "samples_per_second"} for row in result.history],
            "weights": {name: digest(weights) for name, weights in result.weights.items()},
        }
        for result in results
    ]
