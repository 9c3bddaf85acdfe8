"""The training loop. There is one: it trains a pack of lanes in lockstep, and a single network is a pack of one."""

import math
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from phase2.files import write_bytes
from phase2.task.draws import Draws
from phase2.task.order import epoch_order, steps_per_epoch
from phase2.task.seeding import drawing
from phase2.task.task import Task
from phase2.task.tta.none import none
from phase2.train import state as checkpoint
from phase2.train.accumulation import backward
from phase2.train.average import average_of, reestimate
from phase2.train.lanes import Stack, build, evaluate
from phase2.train.out_of_memory import naming_what_fits
from phase2.train.precision import warn_if_slow
from phase2.train.recipe import Lane, Recipe
from phase2.train.records import LaneResult, result_of, write_rows
from phase2.train.resizing import check_sizes, resized
from phase2.train.scheduling import momenta, of_each_lane, rates
from phase2.train.state import OutOfTime, State
from phase2.train.step import Stepper
from phase2.train.watch import UNWATCHED, Watch


class Training:
    """A pack in training. `step` and `end_epoch` advance it; its whole state can be saved after any step."""

    def __init__(self, recipe: Recipe, lanes: list[Lane], task: Task, device: torch.device, dtype: torch.dtype):
        self.recipe, self.lanes, self.task, self.dtype = recipe, lanes, task, dtype
        check_sizes(recipe, task)
        self.stack = build(recipe, lanes, task, dtype)
        self.steps = steps_per_epoch(len(task.train), recipe.batch_size)
        self.rates = rates(lanes, self.steps * recipe.epochs).to(device, dtype)
        self.stepper = Stepper(recipe, lanes, self.stack, self.rates)
        self.momenta = momenta(lanes, self.stepper.movers[0].optimizer, self.rates)
        self.average = average_of(recipe)
        self.average.start(self.stack, len(self.rates), recipe.epochs)
        self.state = State.start(len(lanes), task.metrics, self.stack.weights(), device)
        self.losses = self.norms = self.rates.new_zeros(len(lanes))  # of the last step, for who watches

    def step(self, rows: Tensor) -> None:
        """One optimizer step of every lane on one minibatch; lanes that are no longer finite stay where they are."""
        recipe, state, train = self.recipe, self.state, self.task.train
        inputs, targets = train.batch(rows, self.dtype)
        inputs, targets = self.task.augment(inputs, targets, Draws(recipe.seed, state.epoch, rows.to(inputs.device)))
        inputs = resized(inputs, recipe.sizes, state.epoch)
        self.stack.base.train()

        def masks(number: int) -> AbstractContextManager:  # of dropout, for each micro-batch
            return drawing(recipe.seed, "dropout", state.step, *([number] if number else []))

        with naming_what_fits(recipe):
            size = recipe.micro_batch
            sums = backward(self.stack.measure, inputs, targets, train, size, self.stepper.scale, masks)
        if sums.counted:
            norms = self.stepper.clip()
            self.losses, self.norms = sums.losses / sums.counted, norms
            self._mark_diverged(self.stepper.finite(sums.losses, norms), state.step)
            moved = state.alive & norms.isfinite()
            momentum = None if self.momenta is None else of_each_lane(self.momenta, state.taken)
            self.stepper.move(of_each_lane(self.rates, state.taken), momentum, moved)
            state.add(sums, norms, moved)
        state.seen += len(rows)
        state.step += 1
        self.average.after_step(self.stack, state.step)

    def _mark_diverged(self, finite: Tensor, step: int) -> None:
        """Takes the lanes that are not `finite` (lanes,) for dead since `step`, unless they were dead before."""
        state = self.state
        finite = finite.to(state.alive.device)
        state.diverged_step = torch.where(state.alive & ~finite, step, state.diverged_step)
        state.alive &= finite

    @property
    def judged(self) -> Stack:
        """The networks that are validated, kept and tested: the averages of the weights, if there are any."""
        return self.average.judged(self.stack)

    def end_epoch(self) -> Stack:
        """Validates, writes the epoch's rows, and keeps each lane's best weights so far by the first metric; returns
        what it judged.
        """
        state, chooses = self.state, self.task.metrics[0]
        state.epoch += 1
        self.average.after_epoch(self.stack, state.epoch)
        judged = self._reestimated(self.judged)
        val = evaluate(judged, self.task.val, self.dtype)
        self._mark_diverged(torch.isfinite(val["loss"]), state.step - 1)  # the last step itself may have overflowed
        rate = of_each_lane(self.rates, (state.taken - 1).clamp(min=0))
        write_rows(state, rate, list(self.stack.parameters.values()), val)
        value, alive = val[chooses.name], state.alive.cpu()
        better = alive & (value > state.best_value if chooses.higher_is_better else value < state.best_value)
        state.best_value = torch.where(better, value, state.best_value)
        state.best_epoch = torch.where(better, state.epoch, state.best_epoch)
        for name, weights in judged.weights().items():
            state.best_weights[name][better] = weights[better]
        state.new_epoch()
        return judged

    def _reestimated(self, judged: Stack) -> Stack:
        if self.average.reestimated and judged is not self.stack:
            reestimate(judged, self.task.train, self.dtype, self.recipe.micro_batch)
        return judged

    def results(self) -> list[LaneResult]:
        """Reads the test set, once, with each lane's last weights and with its best, and sums up. The training part is
        measured once more, as the others are: while it trains a network is another at each step. Where the task
        declares test-time augmentation, test scores are by it; of the last weights also without it (plain_test).
        """
        state, judged = self.state, self._reestimated(self.judged)
        fitted = evaluate(judged, self.task.train, self.dtype)
        plain = {} if self.task.tta is none else evaluate(judged, self.task.test, self.dtype)
        last = best = evaluate(judged, self.task.test, self.dtype, views=self.task.tta)
        if bool((state.alive.cpu() & (state.best_epoch < state.epoch)).any()):  # else the best are the last
            judged.load(state.best_weights)
            best = evaluate(judged, self.task.test, self.dtype, views=self.task.tta)
        finite = [torch.isfinite(measures["loss"]) for measures in (fitted, last, best)]
        self._mark_diverged(torch.stack(finite).all(0), state.step - 1)
        chooses, steps = self.task.metrics[0].name, len(self.rates)
        return [result_of(lane, state, chooses, steps, fitted, last, best, plain) for lane in range(len(self.lanes))]

    def save(self, path: Path) -> None:
        """Writes a checkpoint."""
        parts = {"weights": self.stack.weights(), "stepper": self.stepper.state_dict()}
        whose = checkpoint.fingerprint(self.recipe, self.lanes)
        checkpoint.save(path, self.state, parts | {"average": self.average.state_dict(), "of": whose})

    def load(self, path: Path, device: torch.device) -> None:
        """Goes on from a checkpoint; raises `UserError` if it is damaged or another training's."""
        whose = checkpoint.fingerprint(self.recipe, self.lanes)
        self.state, parts = checkpoint.load(path, device, whose)
        self.stack.load(parts["weights"])
        self.stepper.load_state_dict(parts["stepper"])
        self.average.load_state_dict(parts["average"])


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
    deadline: float = math.inf,
    watch: Watch = UNWATCHED,
) -> list[LaneResult]:
    """Trains the lanes to the end of their budget, from the checkpoint in `work` if an earlier attempt left one.

    `keep_epochs` are those after which the weights are kept in the results, besides the best. `progress` gets the
    finished fraction after each epoch, `watch` follows every step. The step that ends after `deadline` (of
    `time.monotonic`) is the last: raises `OutOfTime` with the checkpoint written. The same call gives the same bits on
    one machine and thread count, however often it was killed, stopped and started again.
    """
    warn_if_slow(recipe.precision, device.type)
    training = Training(recipe, lanes, task, device, dtype)
    path = work / "state.pt"
    if path.exists():
        training.load(path, device)
    watch.begin(training)
    state, saved = training.state, time.monotonic()
    began = time.monotonic() - state.seconds
    while state.epoch < recipe.epochs:
        order = epoch_order(len(task.train), recipe.seed, state.epoch)
        for first in range(state.seen, len(order), recipe.batch_size):
            training.step(order[first : first + recipe.batch_size])
            state.seconds = time.monotonic() - began
            watch.step(training)
            if time.monotonic() >= min(saved + checkpoint_seconds, deadline):
                watch.save(training)
                training.save(path)
                saved = time.monotonic()
            if saved >= deadline:
                raise OutOfTime
        judged = training.end_epoch()
        state.seconds = state.epoch_start = time.monotonic() - began
        if state.epoch in keep_epochs:
            write_bytes(work / f"epoch={state.epoch:02d}.safetensors", save(judged.weights()))
        watch.epoch(training)
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
