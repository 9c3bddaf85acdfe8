"""The trained networks of a study, read back from their weights."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import Module

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.study.cell import Cell
from phase2.train.batches import open_parts
from phase2.train.recipe import recipe_of

BEST = "best.safetensors"


@dataclass(frozen=True)
class Run:
    """A network as it was best on validation, in evaluation mode, with the axis values (seed too) of its cell, and the
    task of its study: dataset, validation, train.
    """

    axes: dict[str, Any]
    model: Module
    task: dict[str, Any] = field(default_factory=dict)


def read_runs(cells: Iterable[Cell], checkpoints: Path, data: Prepared) -> list[Run]:
    """The networks of all cells that finished; a diverged cell's file of weights is empty, and it is left out.

    `checkpoints` is the folder of the run. Raises `UserError` for a file that is missing or damaged.
    """
    features, outputs = data.arrays["train_images"][0].size, len(data.meta["classes"])
    runs = []
    for cell in cells:
        path = checkpoints / cell.study / cell.partition / BEST
        try:
            weights = load_file(path)
            if not weights:
                continue
            recipe = recipe_of(cell.spec)
            model = registry.load("model", recipe.model)(features, outputs, **recipe.model_options)
            model.load_state_dict(weights)
        except Exception as error:  # safetensors' own errors share no class
            raise UserError(
                f"the weights {path} cannot be read ({error}): delete the file and run `snakemake grid`, "
                "which restores it from the cell store or trains it"
            ) from None
        runs.append(Run(dict(cell.axes), model.eval(), cell.spec["task"]))
    return runs


def training_images(count: int, data: Prepared, run: Run) -> tuple[Tensor, Tensor, int]:
    """`count` of the images that `run` was trained on (count, channels, height, width), the classes in proportion,
    their labels (count,), and how many it was trained on. Raises `UserError` for more than those.
    """
    held_out, cpu = run.task["validation"], torch.device("cpu")
    population = len(open_parts(data, held_out, run.task["train"], cpu).train)
    if count > population:
        raise UserError(f"images={count}: expected at most {population}, the training images of the probe's study")
    images, labels = open_parts(data, held_out, count, cpu).train.batch(torch.arange(count), torch.float32)
    return images, labels, population
