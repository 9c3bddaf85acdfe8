"""What to try where a batch does not fit into memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from phase2.errors import UserError
from phase2.train.recipe import Recipe


@contextmanager
def naming_what_fits(recipe: Recipe) -> Iterator[None]:
    """Turns an error for want of memory in a step into a `UserError` that says which micro-batches to try."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_want_of_memory(error):
            raise
        raise UserError(f"out of memory with {recipe.micro_batch} examples at once: {_advice(recipe)}") from error


def _is_want_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _advice(recipe: Recipe) -> str:
    pieces = [n for n in range(recipe.accumulate + 1, recipe.batch_size + 1) if recipe.batch_size % n == 0]
    if not pieces:
        return "not even one fits: choose a smaller network"
    size = recipe.batch_size // pieces[0]
    return (
        f"set budget.accumulate to {pieces[0]}, which takes {size} at once and trains the same "
        "but for BatchNorm and dropout"
    )
