"""All that a training is at one moment, so that a killed run resumes to the same bits."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.files import write_bytes
from phase2.task.task import Metric


@dataclass
class State:
    """Where a pack stands. Tensors have shape (lanes,) unless said otherwise; random streams need no saving
    (`phase2.task.seeding`)."""

    alive: Tensor
    diverged_step: Tensor  # -1: has not diverged
    loss_sum: Tensor  # over what was counted in this epoch
    metric_sums: dict[str, Tensor]
    norm_sum: Tensor  # of gradient norms over the steps of this epoch
    best_value: Tensor  # of the metric that chooses
    best_epoch: Tensor
    best_weights: dict[str, Tensor]  # (lanes, ...)
    epoch: int = 0  # finished epochs
    step: int = 0  # finished optimizer steps, over all epochs
    seen: int = 0  # rows seen in this epoch
    counted: int = 0  # what losses and metrics of this epoch were taken over
    seconds: float = 0.0  # spent training, over all attempts
    epoch_start: float = 0.0  # what `seconds` was when this epoch began
    history: list[list[dict[str, Any]]] = field(default_factory=list)  # rows of each lane

    @classmethod
    def start(cls, lanes: int, metrics: Sequence[Metric], weights: dict[str, Tensor], device: torch.device) -> "State":
        """The state before the first step."""
        zeros = torch.zeros(lanes, dtype=torch.float64, device=device)
        return cls(
            alive=torch.ones(lanes, dtype=torch.bool, device=device),
            diverged_step=torch.full((lanes,), -1, device=device),
            best_value=torch.full((lanes,), -inf if metrics[0].higher_is_better else inf, dtype=torch.float64),
            best_epoch=torch.zeros(lanes, dtype=torch.int64),
            best_weights=weights,
            history=[[] for _ in range(lanes)],
            loss_sum=zeros.clone(),
            metric_sums={metric.name: zeros.clone() for metric in metrics},
            norm_sum=zeros.clone(),
        )

    def new_epoch(self) -> None:
        """Clears what is summed over an epoch."""
        for total in (self.loss_sum, self.norm_sum, *self.metric_sums.values()):
            total.zero_()
        self.seen = self.counted = 0


def save(path: Path, state: State, weights: dict[str, Tensor], optimizer: dict[str, Any]) -> None:
    """Writes an in-progress checkpoint atomically: only tensors and plain values, so it loads with `weights_only`."""
    content = {
        "state": {f.name: getattr(state, f.name) for f in fields(state)},
        "weights": weights,
        "optimizer": optimizer,
    }
    buffer = io.BytesIO()  # to a file, torch.save hides the reason of a failed write
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def load(path: Path, device: torch.device) -> tuple[State, dict[str, Tensor], dict[str, Any]]:
    """Reads what `save` wrote; raises `UserError` if the file is damaged."""
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
        state = State(**content["state"])
    except Exception as error:
        raise UserError(
            f"the in-progress checkpoint {path} is damaged ({type(error).__name__}): delete it to start again"
        ) from error
    for name in ("alive", "diverged_step", "loss_sum", "norm_sum"):
        setattr(state, name, getattr(state, name).to(device))
    state.metric_sums = {name: total.to(device) for name, total in state.metric_sums.items()}
    return state, content["weights"], content["optimizer"]
