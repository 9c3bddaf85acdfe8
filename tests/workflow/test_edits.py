"""Whatever happens to a checkout, one run of Snakemake ends in the results of a fresh clone.

Random sequences of what users do: edits of the configuration and of code, files deleted, touched, overwritten, copied
from another run, Snakemake's memory or the cell store lost, results pulled into a clone. Three sequences are tried
each time; PHASE2_SEQUENCES=200 tries as many.
"""

import atexit
import csv
import io
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from checkout import Checkout, new_checkout

CLONES = tempfile.mkdtemp()  # shared by all sequences of a process, gone at its end
atexit.register(shutil.rmtree, CLONES, ignore_errors=True)
SEQUENCES = int(os.environ.get("PHASE2_SEQUENCES", "3"))
SGD, FIGURE = "phase2/optim/sgd.py", "phase2/figures/ranking.py"
HALVED = ("add_scaled_(params, grads, -lr)", "add_scaled_(params, grads, -lr / 2)")
RESULTS = ("results/smoke", "checkpoints/smoke", "data/prepared")
# What is asked for in the end, and the results that it brings.
CELLS = ("results/smoke/cells/mlp_grid", "checkpoints", "data")
TARGETS = {
    "figures": (*CELLS, "results/smoke/figures", "results/smoke/tables/mlp_grid"),
    "results/smoke/tables/unit_health/units.csv": (*CELLS, "results/smoke/tables/unit_health"),
    "results/smoke/metrics.json": (*CELLS, "results/smoke/metrics.json", "results/smoke/tables/mlp_grid/cells.csv"),
}
VARYING = {"seconds", "samples_per_second", "finished", "dirty", "checksum", "files", "lanes", "commit", "commit_time"}
CONFIGS: list[dict[str, Any]] = [
    {"budget": {"epochs": 1}},
    {"budget": {"epochs": 2}, "keep": "all"},
    {"budget": {"epochs": 1}, "axes": {"seed": [0, 1]}},
    {"budget": {"epochs": 1}, "optimizer": {"lr": 0.02}, "keep": "all"},
]


def overlay(number: int) -> dict[str, Any]:
    """A small grid with one figure and a probe that reads its weights."""
    axes = {"activation": ["relu"], "init": ["kaiming"], "schedule": ["constant", "cosine"], "seed": [0]}
    chosen = CONFIGS[number]
    study = {"figures": ["ranking"], **chosen, "axes": axes | chosen.get("axes", {})}
    probes = {"activation_shapes": None, "unit_health": {"figures": []}}
    return {"studies": {"mlp_grid": study}, "probes": probes}


class World:
    """A checkout under edits, and what its configuration and code are by now."""

    def __init__(self, checkout: Checkout, dice: random.Random):
        self.checkout, self.dice = checkout, dice
        self.config, self.halved = 0, False
        self.story: list[str] = []
        self.target = dice.choice(list(TARGETS))

    @property
    def folder(self) -> Path:
        return self.checkout.folder

    def run(self) -> None:
        ran = self.checkout.snakemake(self.target, config=overlay(self.config))
        assert ran.code == 0, f"{self.story}\n{ran.output}"

    def files(self, *below: str) -> list[Path]:
        found = (path for place in below or RESULTS for path in (self.folder / place).rglob("*"))
        return sorted(path for path in found if path.is_file())

    def some(self, *below: str) -> list[Path]:
        files = self.files(*below)
        return self.dice.sample(files, min(len(files), self.dice.randint(1, 3)))

    # What may happen.

    def edit_the_configuration(self) -> None:
        self.config = self.dice.randrange(len(CONFIGS))

    def edit_the_optimizer(self) -> None:
        self.checkout.edit(SGD, *(reversed(HALVED) if self.halved else HALVED))
        self.halved = not self.halved

    def edit_a_comment(self) -> None:
        with open(self.folder / FIGURE, "a") as file:
            file.write("# A last remark.\n")

    def delete_files(self) -> None:
        for path in self.some():
            path.unlink()

    def delete_a_folder(self) -> None:
        folders = ["results/smoke/tables", "results/smoke/cells/mlp_grid", "checkpoints", "results", "data"]
        chosen = self.dice.choice(folders)
        shutil.rmtree(self.folder / chosen, ignore_errors=True)

    def touch_files(self) -> None:
        files = self.files()
        self.dice.shuffle(files)
        for path in files:
            os.utime(path, (self.dice.randrange(10**9, 2 * 10**9),) * 2)

    def damage_files(self) -> None:
        for path in self.some():
            content = bytearray(path.read_bytes() or b" ")
            content[self.dice.randrange(len(content))] ^= 1
            before = path.stat()
            path.write_bytes(content)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def swap_two_files_of_a_name(self) -> None:
        one = self.dice.choice(self.files() or [self.folder / "Snakefile"])
        other = self.dice.choice([path for path in self.files() if path.name == one.name] or [one])
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)

    def copy_from_another_run(self) -> None:
        source = finished(self.dice.randrange(len(CONFIGS)), self.dice.random() < 0.5).folder
        for place in self.dice.sample(RESULTS, self.dice.randint(1, 2)):
            shutil.copytree(source / place, self.folder / place, dirs_exist_ok=True)

    def pull_into_a_clone(self) -> None:
        for lost in (".snakemake", ".phase2", "logs", *RESULTS):
            shutil.rmtree(self.folder / lost, ignore_errors=True)
        self.copy_from_another_run()

    def lose_snakemakes_memory(self) -> None:
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)

    def lose_the_store(self) -> None:
        shutil.rmtree(self.folder / ".phase2", ignore_errors=True)

    def train_without_snakemake(self) -> None:
        self.checkout.phase2("train", "mlp_grid", "--configfile", "config/smoke.yaml", *self._last_overlays())

    def _last_overlays(self) -> list[str]:
        self.checkout.command(config=overlay(self.config))  # writes overlay.json
        return ["--configfile", "tests/workflow/lean.yaml", "--configfile", "overlay.json"]

    def accept_all_times(self) -> None:
        self.checkout.snakemake(self.target, "--touch", config=overlay(self.config))


EVENTS: list[tuple[Callable[[World], None], int]] = [
    (World.edit_the_configuration, 6),
    (World.edit_the_optimizer, 3),
    (World.edit_a_comment, 1),
    (World.delete_files, 3),
    (World.delete_a_folder, 2),
    (World.touch_files, 2),
    (World.damage_files, 3),
    (World.swap_two_files_of_a_name, 2),
    (World.copy_from_another_run, 3),
    (World.pull_into_a_clone, 2),
    (World.lose_snakemakes_memory, 3),
    (World.lose_the_store, 1),
    (World.train_without_snakemake, 1),
    (World.accept_all_times, 1),
    (World.run, 2),
]


@cache
def finished(config: int, halved: bool) -> Checkout:
    """A fresh clone with this configuration and code, run."""
    checkout = new_checkout(Path(tempfile.mkdtemp(dir=CLONES)) / "project")
    if halved:
        checkout.edit(SGD, *HALVED)
    checkout.snakemake(*TARGETS, config=overlay(config)).succeeded()
    return checkout


def results(checkout: Checkout, target: str) -> dict[str, Any]:
    """What a target brings, by path: what it says, without times and who made it; other files by their bytes."""
    found: dict[str, Any] = {}
    for path in sorted(path for place in RESULTS for path in (checkout.folder / place).rglob("*") if path.is_file()):
        name = str(path.relative_to(checkout.folder))
        if path.name in ("environment.json", "provenance.json", ".snakemake_timestamp") or "/receipts/" in name:
            continue
        if not name.startswith(TARGETS[target]):
            continue
        if path.name == "metrics.json":
            found[name] = _told(json.loads(path.read_text()))
        elif path.suffix == ".csv":
            rows = csv.DictReader(io.StringIO(path.read_text()))
            found[name] = [_told(row) for row in rows]
        else:
            found[name] = path.read_bytes()
    return found


def _told(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _told(value) for key, value in content.items() if key not in VARYING}
    return content


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_after_any_edits_one_run_ends_in_the_results_of_a_fresh_clone(seed: int, tmp_path: Path):
    dice = random.Random(seed)
    world = World(Checkout(Path(shutil.copytree(finished(0, False).folder, tmp_path / "project", symlinks=True))), dice)
    events, weights = zip(*EVENTS, strict=True)
    for event in dice.choices(events, weights, k=dice.randint(2, 5)):
        world.story.append(event.__name__)
        event(world)
    world.run()
    there, wanted = (
        results(checkout, world.target) for checkout in (world.checkout, finished(world.config, world.halved))
    )
    if not (
        world.folder / "data/prepared"
    ).exists():  # once all is trained, nothing needs data, and they are not made again
        wanted = {name: said for name, said in wanted.items() if not name.startswith("data/")}
    wrong = {name: "missing" if name not in there else "differs" for name in wanted if there.get(name) != wanted[name]}
    assert not wrong, f"{world.story}, {world.target} with configuration {world.config}, halved {world.halved}: {wrong}"
