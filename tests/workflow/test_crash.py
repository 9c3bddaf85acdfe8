"""A run that is killed at any moment and started again ends with the same bits as one that was not."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checkout import Checkout, clean_environ, new_checkout

# One pack that trains for some seconds and saves its state all the time.
SLOW: dict[str, Any] = {
    "compute": {"checkpoint_seconds": 0.05},
    "studies": {"mlp_grid": {"budget": {"epochs": 60}, "axes": {"activation": ["relu"], "seed": [0]}}},
}
VARYING = ("seconds", "samples_per_second", "finished", "files", "checksum")


@contextmanager
def running(project: Checkout) -> Iterator[subprocess.Popen[bytes]]:
    """A Snakemake under way in a process group of its own, which is killed whole at the end."""
    command = project.command("grid", config=SLOW)
    shutil.rmtree(project.folder / ".phase2" / "progress", ignore_errors=True)
    with open(project.folder / "first.out", "wb") as output:
        process = subprocess.Popen(
            command, cwd=project.folder, env=clean_environ(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def fraction(project: Checkout) -> float:
    """How far the pack says it is."""
    notes = [json.loads(path.read_text()) for path in project.folder.glob(".phase2/progress/smoke/*.json")]
    return max((note["fraction"] for note in notes), default=0.0)


def training_process(project: Checkout) -> int:
    """The pack's own process, below Snakemake and its shell."""
    scripts = str(project.folder / ".snakemake" / "scripts")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # it has ended
            continue
        if len(arguments) > 1 and arguments[1].startswith(scripts):
            return int(entry.name)
    raise AssertionError("no pack is in training")


def result(project: Checkout) -> dict[str, Any]:
    """Everything that the cells' files say, but what differs from run to run: times and speeds."""
    found: dict[str, Any] = {}
    for path in sorted((project.folder / "results/smoke/cells/mlp_grid").rglob("*.json")):
        metrics = json.loads(path.read_text())
        kept = {**metrics, "provenance": {**metrics["provenance"]}}
        for place in (kept, kept["provenance"]):
            for name in VARYING:
                place.pop(name, None)
        found[str(path.relative_to(project.folder))] = kept
    for path in sorted((project.folder / "results/smoke/cells/mlp_grid").rglob("*.csv")):
        with open(path, newline="") as file:
            rows = [{key: value for key, value in row.items() if key not in VARYING} for row in csv.DictReader(file)]
        found[str(path.relative_to(project.folder))] = rows
    return found | project.contents("checkpoints")


def test_a_killed_pack_and_a_killed_run_go_on_to_the_same_bits(tmp_path: Path):
    whole = new_checkout(tmp_path / "whole")
    killed = Checkout(Path(shutil.copytree(whole.folder, tmp_path / "killed")))
    assert whole.snakemake("grid", config=SLOW).succeeded().cells["trained"] == 4

    with running(killed) as process:
        wait_for(lambda: fraction(killed) > 0.2)
        os.kill(training_process(killed), signal.SIGKILL)
        assert process.wait(timeout=60) == 1
    states = list(killed.folder.glob(".phase2/packs/*/state.pt"))
    assert len(states) == 1
    assert not killed.cells()

    with running(killed) as process:
        wait_for(lambda: fraction(killed) > 0)
        assert fraction(killed) > 0.2  # it goes on from where it was killed
        wait_for(lambda: fraction(killed) > 0.6)
        os.killpg(process.pid, signal.SIGKILL)
    killed.snakemake("grid", config=SLOW).failed_with("cannot be locked", "--unlock")
    killed.snakemake("--unlock", config=SLOW).succeeded()

    assert killed.snakemake("grid", config=SLOW).succeeded().cells["trained"] == 4
    assert not states[0].exists()
    assert result(killed) == result(whole)
    assert len(result(whole)) == 4 * 3


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(project: Checkout):
    with running(project) as process:
        wait_for(lambda: fraction(project) > 0)
        second = project.snakemake("report")
        second.failed_with("cannot be locked", str(project.folder), "no other Snakemake process")
        assert process.wait(timeout=200) == 0
    first = (project.folder / "first.out").read_text()
    assert "cells: 4 trained, 0 restored, 0 diverged, 0 not finished" in first


def test_a_pack_whose_snakemake_was_killed_is_not_trained_twice_at_once(project: Checkout):
    """When only Snakemake dies, its packs live on; this one is stopped, so that it is there for as long as needed."""
    with running(project) as process:
        wait_for(lambda: fraction(project) > 0)
        pack = training_process(project)
        os.kill(pack, signal.SIGSTOP)
        process.kill()
        process.wait()
        project.snakemake("--unlock", config=SLOW).succeeded()
        project.snakemake("grid", config=SLOW).failed_with("another run is training this pack", "wait for it")
        os.kill(pack, signal.SIGKILL)
