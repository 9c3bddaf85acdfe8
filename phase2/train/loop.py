"""The training loop. There is one: it trains a pack of lanes in lockstep, and a single network is a pack of one."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.optim import Optimizer

from phase2 import registry
from phase2.errors import UserError
from phase2.files import write_bytes
from phase2.optim import lane_norms
from phase2.task.order import epoch_order, steps_per_epoch
from phase2.task.seeding import drawing, generator
from phase2.task.task import Task
from phase2.train import state as checkpoint
from phase2.train.lanes import Measures, build, evaluate
from phase2.train.limits import LaneLimits
from phase2.train.recipe import Lane, Recipe
from phase2.train.scheduling import momenta, rates, set_momentum
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


class Training:
    """A pack in training. `step` and `end_epoch` advance it; its whole state can be saved after any step."""

    def __init__(self, recipe: Recipe, lanes: list[Lane], task: Task, device: torch.device, dtype: torch.dtype):
        self.recipe, self.lanes, self.task, self.dtype = recipe, lanes, task, dtype
        self.stack = build(recipe, lanes, task, dtype)
        self.steps = steps_per_epoch(len(task.train), recipe.batch_size)
        self.rates = rates(lanes, self.steps * recipe.epochs).to(device, dtype)
        self.limits = LaneLimits.of(lanes, self.rates)
        self.optimizer = self._optimizer()
        self.momenta = momenta(lanes, self.optimizer, self.rates)
        self.state = State.start(len(lanes), task.metrics, self.stack.weights(), device)

    def _optimizer(self) -> Optimizer:
        decay = self.rates.new_tensor([lane.weight_decay for lane in self.lanes])
        name, options = self.recipe.optimizer, dict(self.recipe.optimizer_options)
        try:
            return registry.load("optimizer", name)(
                list(self.stack.parameters.values()), lr=self.rates[0].clone(), weight_decay=decay, **options
            )
        except (TypeError, ValueError) as error:
            raise UserError(f"the optimizer {name} refuses its options {options}: {error}") from error

    def step(self, rows: Tensor) -> None:
        """One optimizer step of every lane on one minibatch; lanes that are no longer finite stay where they are."""
        state, parameters = self.state, list(self.stack.parameters.values())
        inputs, targets = self.task.train.batch(rows, self.dtype)
        inputs = self.task.augment(inputs, generator(self.recipe.seed, "augment", state.step))
        self.stack.base.train()
        with drawing(self.recipe.seed, "dropout", state.step):
            losses, totals = self.stack.measure(inputs, targets)
        losses.sum().backward()
        norms = self.limits.clip(parameters)
        self._freeze(torch.isfinite(losses.detach()) & torch.isfinite(norms))
        self.optimizer.param_groups[0]["lr"].copy_(self.rates[state.step] * state.alive)
        if self.momenta is not None:
            set_momentum(self.optimizer, self.momenta[state.step])
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            counted = self.task.train.counted(targets)
            state.loss_sum += torch.where(state.alive, losses.double(), 0.0) * counted
            for name, total in totals.items():
                state.metric_sums[name] += total
            state.norm_sum += torch.where(state.alive, norms.double(), 0.0)
        state.seen += len(rows)
        state.counted += counted
        state.step += 1

    def _freeze(self, finite: Tensor) -> None:
        """Marks lanes that have just left the finite numbers, and takes dead lanes' gradients out of the update."""
        state = self.state
        self._mark_diverged(finite, state.step)
        if not bool(state.alive.all()):
            for parameter in self.stack.parameters.values():
                assert parameter.grad is not None
                dead = ~state.alive.reshape(-1, *[1] * (parameter.dim() - 1))
                parameter.grad.masked_fill_(dead, 0.0)

    def _mark_diverged(self, finite: Tensor, step: int) -> None:
        """Takes the lanes that are not `finite` (lanes,) for dead since `step`, unless they were dead before."""
        state = self.state
        finite = finite.to(state.alive.device)
        state.diverged_step = torch.where(state.alive & ~finite, step, state.diverged_step)
        state.alive &= finite

    def end_epoch(self) -> None:
        """Validates, writes the epoch's rows, and keeps each lane's best weights so far by the first metric."""
        state, chooses = self.state, self.task.metrics[0]
        state.epoch += 1
        val = evaluate(self.stack, self.task.val, self.dtype)
        self._mark_diverged(torch.isfinite(val["loss"]), state.step - 1)  # the last step itself may have overflowed
        alive = state.alive.cpu()
        self._write_rows(alive, val)
        value = val[chooses.name]
        better = alive & (value > state.best_value if chooses.higher_is_better else value < state.best_value)
        state.best_value = torch.where(better, value, state.best_value)
        state.best_epoch = torch.where(better, state.epoch, state.best_epoch)
        for name, weights in self.stack.weights().items():
            state.best_weights[name][better] = weights[better]
        state.new_epoch()

    def _write_rows(self, alive: Tensor, val: Measures) -> None:
        state = self.state
        train = {"loss": state.loss_sum, **state.metric_sums}
        train = {name: total.cpu() / state.counted for name, total in train.items()}
        grad_norm = state.norm_sum.cpu() / self.steps
        weight_norm = lane_norms([p.detach() for p in self.stack.parameters.values()]).cpu()
        rate = self.rates[state.step - 1].cpu()
        throughput = state.seen * len(self.lanes) / (state.seconds - state.epoch_start)
        for lane in alive.nonzero().flatten().tolist():
            common = {
                "lr": float(rate[lane]),
                "grad_norm": float(grad_norm[lane]),
                "weight_norm": float(weight_norm[lane]),
                "samples_per_second": throughput,
            }
            for part, measures in (("train", train), ("val", val)):
                row = {"epoch": state.epoch, "step": state.step, "split": part}
                state.history[lane].append(row | {n: float(v[lane]) for n, v in measures.items()} | common)

    def results(self) -> list[LaneResult]:
        """Reads the test set, once, with each lane's last weights and with its best, and sums up. The training part is
        measured once more, as the others are: while it trains a network is another at each step.
        """
        state = self.state
        fitted = evaluate(self.stack, self.task.train, self.dtype)
        last = best = evaluate(self.stack, self.task.test, self.dtype)
        if bool((state.alive.cpu() & (state.best_epoch < state.epoch)).any()):  # else the best are the last
            self.stack.load(state.best_weights)
            best = evaluate(self.stack, self.task.test, self.dtype)
        finite = [torch.isfinite(measures["loss"]) for measures in (fitted, last, best)]
        self._mark_diverged(torch.stack(finite).all(0), state.step - 1)
        return [self._result(lane, fitted, last, best) for lane in range(len(self.lanes))]

    def _result(self, lane: int, fitted: Measures, last: Measures, best: Measures) -> LaneResult:
        state, history = self.state, self.state.history[lane]
        if not bool(state.alive[lane]):
            return LaneResult("diverged", int(state.diverged_step[lane]), None, None, history, len(self.rates))
        final = {f"val_{name}": history[-1][name] for name in last}
        chosen = {
            "epoch": int(state.best_epoch[lane]),
            f"val_{self.task.metrics[0].name}": float(state.best_value[lane]),
        }
        for part, measures in (("train", fitted), ("test", last)):
            final |= {f"{part}_{name}": float(value[lane]) for name, value in measures.items()}
        chosen |= {f"test_{name}": float(value[lane]) for name, value in best.items()}
        weights = {"best": {name: value[lane].clone() for name, value in state.best_weights.items()}}
        return LaneResult("ok", None, final, chosen, history, len(self.rates), weights)


def train_pack(
    recipe: Recipe,
    lanes: list[Lane],
    task: Task,
    work: Path,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    keep_epochs: Collection[int] = (),
    checkpoint_seconds: float = 30.0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[LaneResult]:
    """Trains the lanes to the end of their budget, from the checkpoint in `work` if an earlier attempt left one.

    `keep_epochs` are those after which the weights are kept in the results, besides the best. `progress` gets the
    finished fraction after each epoch. The same call gives the same bits on one machine and thread count, however often
    it was killed and started again.
    """
    training = Training(recipe, lanes, task, device, dtype)
    path = work / "state.pt"
    if path.exists():
        training.state, weights, optimizer = checkpoint.load(path, device)
        training.stack.load(weights)
        training.optimizer.load_state_dict(optimizer)
    state, saved = training.state, time.monotonic()
    began = time.monotonic() - state.seconds
    while state.epoch < recipe.epochs:
        order = epoch_order(len(task.train), recipe.seed, state.epoch)
        for first in range(state.seen, len(order), recipe.batch_size):
            training.step(order[first : first + recipe.batch_size])
            state.seconds = time.monotonic() - began
            if time.monotonic() - saved >= checkpoint_seconds:
                checkpoint.save(path, state, training.stack.weights(), training.optimizer.state_dict())
                saved = time.monotonic()
        training.end_epoch()
        state.seconds = state.epoch_start = time.monotonic() - began
        if state.epoch in keep_epochs:
            write_bytes(work / f"epoch={state.epoch:02d}.safetensors", save(training.stack.weights()))
        progress(state.epoch / recipe.epochs)
    results = training.results()
    for result in results:
        result.seconds = (time.monotonic() - began) / len(lanes)
    _add_epochs(results, work, keep_epochs)
    return results


def _add_epochs(results: list[LaneResult], work: Path, epochs: Collection[int]) -> None:
    for epoch in epochs:
        stacked = load_file(work / f"epoch={epoch:02d}.safetensors")
        for lane, result in enumerate(results):
            if result.status == "ok":
                result.weights[f"epoch={epoch:02d}"] = {name: v[lane].clone() for name, v in stacked.items()}
