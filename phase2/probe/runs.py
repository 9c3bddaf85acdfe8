"""The trained networks of a study, read back from their weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch.nn import Module

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.study.cell import Cell
from phase2.train.recipe import recipe_of

BEST = "best.safetensors"


@dataclass(frozen=True)
class Run:
    """A network as it was best on validation, in evaluation mode, and the axis values (seed too) of its cell."""

    axes: dict[str, Any]
    model: Module


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
        runs.append(Run(dict(cell.axes), model.eval()))
    return runs
