"""What is told of a training: the rows of its history, and what became of each lane."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from phase2.optim import lane_norms
from phase2.train.lanes import Measures
from phase2.train.state import State


@dataclass
class LaneResult:
    """What became of a lane. A lane that diverged has a step, and no final metrics."""

    status: str  # "ok" or "diverged"
    diverged_step: int | None
    final: dict[str, float] | None
    best: dict[str, float] | None
    history: list[dict[str, Any]]  # a row an epoch and split
    steps: int  # of the whole budget
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)  # by name: "best", "epoch=03"
    seconds: float = 0.0  # the lane's share of the pack's time: training, validation and test
    skipped: int = 0  # steps, for gradients that float16 did not hold


def write_rows(state: State, rates: Tensor, parameters: list[Tensor], val: Measures) -> None:
    """Adds the epoch's two rows to the history of each living lane. `rates` (lanes,) are those of the last step."""
    train = {"loss": state.loss_sum, **state.metric_sums}
    train = {name: total.cpu() / state.counted for name, total in train.items()}
    grad_norm = state.norm_sum.cpu() / state.moved.cpu().clamp(min=1)
    weight_norm = lane_norms([p.detach() for p in parameters]).cpu()
    rates = rates.cpu()
    throughput = state.seen * len(rates) / (state.seconds - state.epoch_start)
    for lane in state.alive.cpu().nonzero().flatten().tolist():
        common = {
            "lr": float(rates[lane]),
            "grad_norm": float(grad_norm[lane]),
            "weight_norm": float(weight_norm[lane]),
            "samples_per_second": throughput,
        }
        for part, measures in (("train", train), ("val", val)):
            row = {"epoch": state.epoch, "step": state.step, "split": part}
            state.history[lane].append(row | {n: float(v[lane]) for n, v in measures.items()} | common)


def result_of(
    lane: int,
    state: State,
    chooses: str,
    steps: int,
    fitted: Measures,
    last: Measures,
    best: Measures,
    plain: Measures,
) -> LaneResult:
    """A lane's result, from what its last weights measure on the training and the test part, and its best on the test
    part; `chooses` is the metric by which they are best, `plain` is of the test part without test-time augmentation.
    """
    history, skipped = state.history[lane], int(state.skipped[lane])
    if not bool(state.alive[lane]):
        return LaneResult("diverged", int(state.diverged_step[lane]), None, None, history, steps, skipped=skipped)
    final = {f"val_{name}": history[-1][name] for name in last}
    for part, measures in (("train", fitted), ("test", last), ("plain_test", plain)):
        final |= {f"{part}_{name}": float(value[lane]) for name, value in measures.items()}
    chosen = {"epoch": int(state.best_epoch[lane]), f"val_{chooses}": float(state.best_value[lane])}
    chosen |= {f"test_{name}": float(value[lane]) for name, value in best.items()}
    weights = {"best": {name: value[lane].clone() for name, value in state.best_weights.items()}}
    return LaneResult("ok", None, final, chosen, history, steps, weights, skipped=skipped)
