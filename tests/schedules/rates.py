"""The learning rates and momenta of a whole training, ours and torch's."""

import warnings
from collections.abc import Callable
from typing import Any

import torch

from phase2 import registry
from phase2.schedules import Schedule

TOTALS = [1, 2, 3, 5, 7, 10, 70, 101, 500]
Build = Callable[[torch.optim.Optimizer], Any]


def torch_history(build: Build, total: int, lr: float) -> list[dict[str, Any]]:
    """The optimizer's options at every step of a training under the scheduler that `build` makes."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)
    scheduler = build(optimizer)
    history = []
    for _ in range(total):
        history.append(dict(optimizer.param_groups[0]))
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # OneCycleLR warns of its last step
            scheduler.step()
    return history


def torch_rates(build: Build, total: int, lr: float) -> list[float]:
    return [options["lr"] for options in torch_history(build, total, lr)]


def rates(schedule: Schedule | str, total: int, lr: float, **options: Any) -> list[float]:
    """The rates of a schedule, or of the registry's schedule of that name."""
    function: Any = registry.load("schedule", schedule) if isinstance(schedule, str) else schedule
    return [function(step, total, lr, **options) for step in range(total)]
