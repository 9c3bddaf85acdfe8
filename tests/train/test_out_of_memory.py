"""A batch that does not fit names the one to try."""

import pytest
import torch
from packs import CPU, LANES, recipe

from phase2.errors import UserError
from phase2.task.task import Task
from phase2.train.loop import Training

CPU_WORDS = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError(CPU_WORDS), MemoryError()], ids=repr
)
@pytest.mark.parametrize(
    ("accumulate", "advice"),
    [
        (1, r"with 32 examples at once: set budget.accumulate to 2, which takes 16 at once"),
        (4, r"with 8 examples at once: set budget.accumulate to 8, which takes 4 at once"),
        (32, r"with 1 examples? at once: not even one fits: choose a smaller network"),
    ],
)
def test_a_batch_that_does_not_fit_names_the_micro_batch_to_try(
    accumulate: int, advice: str, error: Exception, parts: Task, monkeypatch: pytest.MonkeyPatch
):
    training = Training(recipe(accumulate=accumulate), LANES, parts, CPU, torch.float32)

    def fail(*batch: torch.Tensor) -> None:
        raise error

    monkeypatch.setattr(training.stack, "measure", fail)
    with pytest.raises(UserError, match=advice):
        training.step(torch.arange(32))


def test_other_errors_pass_as_they_are(parts: Task, monkeypatch: pytest.MonkeyPatch):
    training = Training(recipe(), LANES, parts, CPU, torch.float32)

    def fail(*batch: torch.Tensor) -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(training.stack, "measure", fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        training.step(torch.arange(32))
