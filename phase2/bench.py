"""`phase2 bench`: runs the measurements in benchmarks/ on the machine at hand and writes results/bench/*.json.

A measurement is a file of benchmarks/ with a function `measure() -> list[Figure]`. Ratios come from interleaved
repetitions in one run, so that a machine whose speed drifts does not decide them; the spread is always told.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from phase2.errors import UserError, unknown
from phase2.files import write_json
from phase2.study.provenance import ROOT, environment


@dataclass(frozen=True)
class Figure:
    """One measured figure against its bound: `values` are the repetitions, the median is judged."""

    name: str
    values: list[float]
    unit: str
    bound: float
    at_least: bool = False  # the bound is a floor; otherwise a ceiling

    @property
    def met(self) -> bool:
        return median(self.values) >= self.bound if self.at_least else median(self.values) <= self.bound


def interleaved(repeats: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Runs the measures in turn, A B A B ..., and returns each one's values."""
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [list(values) for values in zip(*rounds, strict=True)]


@dataclass(frozen=True)
class Run:
    """How a command went: wall seconds, and the most memory that it and its children held at once, in bytes."""

    seconds: float
    memory: int
    output: str


def timed(command: list[str], cwd: Path) -> Run:
    """Runs a command of the environment; raises `UserError` with the end of its output if it fails."""
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    began, memory = time.monotonic(), 0
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = psutil.Popen(
            command, cwd=cwd, env=os.environ | {"PATH": paths}, stdout=output, stderr=subprocess.STDOUT
        )
        while process.poll() is None:
            memory = max(memory, _memory_of(process))
            time.sleep(0.1)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise UserError(f"{' '.join(command)} failed in {cwd}:\n{text[-2000:]}")
    return Run(seconds, memory, text)


def _memory_of(process: psutil.Process) -> int:
    """Resident bytes of a process and all below it; pages that they share count for each."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def copy_of_checkout(folder: Path) -> Path:
    """The project's own files in an empty folder: nothing trained, nothing prepared, the data as it lies here."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    if (ROOT / "data" / "raw").is_dir():
        shutil.copytree(ROOT / "data" / "raw", folder / "data" / "raw")
    return folder


def bench(names: list[str], output: Path) -> int:
    """Runs the named measurements (all if none is named); 1 if a figure misses its bound, else 0."""
    files = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    for name in names:
        if name not in files:
            raise unknown("measurement", name, files)
    table = Table("figure", "median", "min", "max", "bound", "", title="phase2 bench")
    all_met = True
    for name in names or files:
        figures = _load(files[name])()
        write_json(output / f"{name}.json", {"figures": [_row(f) for f in figures], "environment": environment()})
        for figure in figures:
            values = [
                f"{value:.3g} {figure.unit}"
                for value in (median(figure.values), min(figure.values), max(figure.values))
            ]
            sign, verdict = ("≥" if figure.at_least else "≤"), ("met" if figure.met else "MISSED")
            table.add_row(figure.name, *values, f"{sign} {figure.bound:g}", verdict)
            all_met &= figure.met
    Console().print(table)
    return 0 if all_met else 1


def _row(figure: Figure) -> dict[str, object]:
    return asdict(figure) | {"median": median(figure.values), "met": figure.met}


def _load(path: Path) -> Callable[[], list[Figure]]:
    spec = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.measure
