"""A task from its settings: the one way in which trainings and probes open it."""

from collections.abc import Mapping
from typing import Any

import torch

from phase2 import registry
from phase2.card import ANY
from phase2.data.prepared import Prepared
from phase2.task.task import Task


def open_task(settings: Mapping[str, Any], prepared: Prepared, device: torch.device) -> Task:
    """The task of a cell's settings with its prepared data."""
    part = registry.part("task", settings["name"])
    taken = {
        name: value
        for name, value in settings.items()
        if name in part.arguments or (ANY in part.arguments and name != "name")
    }
    return registry.load("task", settings["name"])(prepared, device=device, **taken)
