"""Samples of a function."""

from dataclasses import dataclass

import torch
from torch import Tensor

from phase2.task.task import Split


@dataclass(frozen=True)
class Points(Split):
    """Samples of a function: `inputs` (n, features) and `targets` (n, outputs)."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.inputs.shape[1:])

    def batch(self, rows: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Inputs (batch, features) and targets (batch, outputs) of some rows of this part."""
        return self.inputs[rows].to(dtype), self.targets[rows].to(dtype)
