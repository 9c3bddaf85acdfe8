"""What trainings will cost on this machine, before they start: by like ones in the store, or by a few timed steps."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from phase2.data.checked import open_checked
from phase2.data.prepared import Prepared
from phase2.files import canonical_json
from phase2.run.config import Config
from phase2.run.fill import prepare
from phase2.study.cell import Cell, packs_of
from phase2.study.config import Compute
from phase2.study.factors import SEED
from phase2.study.pack import Folders, device_name, device_of, standing
from phase2.study.provenance import environment
from phase2.study.results import METRICS
from phase2.study.store import Store
from phase2.study.training import AXES, with_defaults
from phase2.task.opening import open_task
from phase2.task.order import epoch_order
from phase2.train.display import span
from phase2.train.loop import Training
from phase2.train.recipe import lane_of, recipe_of
from phase2.train.resizing import size_in

STEPS, SECONDS = 10, 0.5  # timed of a pack, whichever is over first, after one that warms up
EVALUATED = 500  # samples, of validation


@dataclass(frozen=True)
class Cost:
    """Of the cells that the store lacks of a study: how many, of how many the store has like ones, and the seconds of
    them all, one pack after the other."""

    study: str
    cells: int
    known: int
    seconds: float


def costs(config: Config, chosen: Mapping[str, Sequence[Cell]], store: Path, work: Path) -> list[Cost]:
    """What training these cells of each study would cost from its start, with the device and threads of `config`.

    Cells are alike that differ in seed and in what differs between lanes. By those that were trained on this processor
    it is told what one takes; else some steps of a pack are taken here and thrown away.
    """
    known, timed = _known(Store(store), config.compute), dict[str, float]()
    found = []
    for name, cells in chosen.items():
        study = config.studies[name]
        folder = prepare(study.task.dataset, config.data)
        folders = Folders(folder, Path(), Path(), store, work, Path())
        lacking = [lack for pack in packs_of(list(cells)).values() if (lack := standing(pack, study, folders)[0])]
        likes = [_like(pack[0].spec) for pack in lacking]
        for like, pack in zip(likes, lacking, strict=True):
            if like not in known and like not in timed:
                timed[like] = _timed(pack, open_checked(folder), config.compute) / len(pack)
        sized = [(like, len(pack)) for like, pack in zip(likes, lacking, strict=True)]
        seconds = sum(cells * (timed | known)[like] for like, cells in sized)
        before = sum(cells for like, cells in sized if like in known)
        found.append(Cost(name, sum(map(len, lacking)), before, seconds))
    return found


def told(found: Sequence[Cost]) -> str:
    """Costs as text: a line a study that lacks cells, and their sum."""
    lines = [f"{cost.study}: {cost.cells} cells, {span(cost.seconds)}" for cost in found if cost.cells]
    cells = sum(cost.cells for cost in found)
    if not cells:
        return "the store has every cell asked for"
    known = sum(cost.known for cost in found)
    how = f"{known} by like ones in the store, {cells - known} by a few steps timed now"
    about = span(sum(cost.seconds for cost in found))
    total = f"to train: {cells} cells, about {about} here, one job at a time ({how})"
    return "\n".join([*lines, total] if len(lines) > 1 else [total])


def say_on_cpu(config: Config, chosen: Mapping[str, Sequence[Cell]], store: Path, work: Path) -> None:
    """Tells on standard error, where there is no GPU, what a run is about to cost."""
    if device_of(config.compute.device) == "cpu":
        print(told(costs(config, chosen, store, work)), file=sys.stderr)


def _like(spec: Mapping[str, Any]) -> str:
    """What cells have in common that take equally long."""
    settings = with_defaults(dict(spec))
    for name, place in AXES.items():
        if name == SEED or place.axis.lane:
            section = settings
            for key in place.path[:-1]:
                section = section[key]
            del section[place.path[-1]]
    return canonical_json(settings)


def _known(store: Store, compute: Compute) -> dict[str, float]:
    """Seconds that cells of the store took on this processor, the median of like ones."""
    here = {"cpu": environment()["cpu"], "device": device_name(device_of(compute.device)), "threads": compute.threads}
    seconds: dict[str, list[float]] = {}
    for key in store:
        try:
            metrics = json.loads((store.folder(key) / METRICS).read_text(encoding="utf-8"))
            if here.items() <= metrics["provenance"].items():
                seconds.setdefault(_like(metrics["spec"]), []).append(metrics["seconds"])
        except (OSError, ValueError, KeyError, TypeError):  # damaged: found and set aside when it is asked for
            continue
    return {like: median(values) for like, values in seconds.items()}


def _timed(pack: Sequence[Cell], prepared: Prepared, compute: Compute) -> float:
    """Seconds that a pack would take, by some of its steps and a look at some of its samples."""
    torch.set_num_threads(compute.threads)
    device, settings = torch.device(device_of(compute.device)), pack[0].settings
    task = open_task(settings["task"], prepared, device)
    training = Training(recipe_of(settings), [lane_of(cell.settings) for cell in pack], task, device, torch.float32)
    epochs, sizes = training.recipe.epochs, training.recipe.sizes
    by_size = {size_in(sizes, epoch): epoch for epoch in range(epochs)}
    steps = {size: _a_step(training, epoch) for size, epoch in by_size.items()}
    evaluated = epochs * len(task.val) + len(task.train) + 2 * len(task.test)
    trained = training.steps * sum(steps[size_in(sizes, epoch)] for epoch in range(epochs))
    return trained + evaluated * _a_sample(training)


def _a_step(training: Training, epoch: int) -> float:
    recipe = training.recipe
    rows = epoch_order(len(training.task.train), recipe.seed, epoch)[: recipe.batch_size]
    times: list[float] = []
    while len(times) <= STEPS and (len(times) < 2 or sum(times) < SECONDS):
        began = time.perf_counter()
        training.state.epoch, training.state.step = epoch, 0  # a budget may be shorter than what is timed
        training.state.taken.zero_()
        training.step(rows)
        float(training.losses.sum())  # which waits for a GPU
        times.append(time.perf_counter() - began)
    return median(times[1:])  # the first warms up


@torch.no_grad()
def _a_sample(training: Training) -> float:
    training.stack.base.eval()
    rows = torch.arange(min(EVALUATED, len(training.task.val)))
    began = time.perf_counter()
    losses, _ = training.stack.measure(*training.task.val.batch(rows, training.dtype))
    float(losses.sum())
    return (time.perf_counter() - began) / len(rows)
