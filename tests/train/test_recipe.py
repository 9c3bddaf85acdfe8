"""Every configuration that the project ships names networks that can be built, and optimizers that take its options."""

import pytest
import torch

from phase2 import registry
from phase2.run.config import load
from phase2.source import ROOT
from phase2.study.cell import cells_of
from phase2.train.recipe import Recipe, recipe_of

SHAPES = {"digits": (1, 8, 8), "fashion_mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
CLASSES = 10


def recipes(*overlays: str) -> dict[str, tuple[str, Recipe]]:
    """Data set and recipe of each kind of network, by what tells it from others."""
    config = load([ROOT / "config.yaml", *(ROOT / "config" / f"{overlay}.yaml" for overlay in overlays)])
    found = {}
    for name, study in config.studies.items():
        for cell in cells_of(name, study):
            recipe = recipe_of(cell.settings)
            key = f"{recipe.model} {sorted(recipe.model_options.items())} {recipe.optimizer}"
            found.setdefault(f"{study.task.dataset} {key}", (study.task.dataset, recipe))
    return found


@pytest.mark.parametrize("overlays", [(), ("smoke",), ("full",)], ids=["desk", "smoke", "full"])
def test_every_network_and_optimizer_of_a_configuration_can_be_built(overlays):
    found = recipes(*overlays)
    assert found
    for dataset, recipe in found.values():
        with torch.device("meta"):
            model = registry.load("model", recipe.model)(SHAPES[dataset], CLASSES, **recipe.model_options)
        optimizer = registry.load("optimizer", recipe.optimizer)
        assert optimizer(model.parameters(), lr=0.1, **recipe.optimizer_options).param_groups
