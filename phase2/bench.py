"""`phase2 bench`: runs the measurements in benchmarks/ on the machine at hand and writes results/bench/*.json.

A measurement is a file of benchmarks/ with a function `measure(sizes) -> list[Measured]` and two sizes: `FULL`, and
`TINY`, which shows within seconds that it runs. Ratios come from interleaved repetitions in one run, so that a machine
whose speed drifts does not decide them; the spread is always told.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from types import ModuleType

import psutil
import torch
from rich.console import Console
from rich.table import Table

from phase2.errors import UserError, unknown
from phase2.files import write_json
from phase2.run.config import load
from phase2.run.fill import prepare
from phase2.source import ROOT
from phase2.study.provenance import environment


@dataclass(frozen=True)
class Measured:
    """One measured figure against its bound: `values` are the repetitions, the median is judged."""

    name: str
    values: list[float]
    unit: str
    bound: float
    at_least: bool = False  # the bound is a floor; otherwise a ceiling
    group: str = ""  # of a group's figures, docs/benchmarks.md has the one nearest to its bound

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def met(self) -> bool:
        return self.median >= self.bound if self.at_least else self.median <= self.bound


def interleaved(repeats: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Runs the measures in turn, A B A B ..., and returns each one's values."""
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [list(values) for values in zip(*rounds, strict=True)]


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Lets torch compute with so many threads, and then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Timed:
    """How a command went: wall seconds, and the most memory that it and its children held at once, in bytes."""

    seconds: float
    memory: int
    output: str


def timed(command: list[str], cwd: Path) -> Timed:
    """Runs a command of the environment in the checkout `cwd`, by the code that is there.

    Raises `UserError` with the end of its output if it fails. The command does not outlive an interruption.
    """
    paths = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(cwd)}
    began, memory = time.monotonic(), 0
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = psutil.Popen(command, cwd=cwd, env=os.environ | paths, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                memory = max(memory, _memory_of(process))
                time.sleep(0.1)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise UserError(f"{' '.join(command)} failed in {cwd}:\n{text[-2000:]}")
    return Timed(seconds, memory, text)


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
    _copy_raw_data(folder / "data")
    return folder


def prepare_apart(dataset: str, folder: Path) -> Path:
    """The folder of a data set's arrays, prepared in a folder of its own from the data as they lie here."""
    _copy_raw_data(folder)
    return prepare(dataset, load([ROOT / "config.yaml"]).data.model_copy(update={"folder": folder}))


def _copy_raw_data(folder: Path) -> None:
    if (ROOT / "data" / "raw").is_dir():
        shutil.copytree(ROOT / "data" / "raw", folder / "raw", dirs_exist_ok=True)


def measurements() -> dict[str, Path]:
    """The files of benchmarks/ by name."""
    return {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}


def measure(path: Path, tiny: bool = False) -> list[Measured]:
    """The figures of one measurement; those of its tiny sizes mean nothing."""
    module = load_measurement(path)
    return module.measure(module.TINY if tiny else module.FULL)


def load_measurement(path: Path) -> ModuleType:
    """The module that a file of benchmarks/ is."""
    spec = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bench(names: list[str], output: Path, tiny: bool = False) -> int:
    """Runs the named measurements (all if none is named); 1 if one fails or a figure misses its bound, else 0.

    What was measured is written at once, so that one that fails, or an interruption, takes nothing from the others.
    Tiny ones are neither written nor judged.
    """
    known = measurements()
    for name in names:
        if name not in known:
            raise unknown("measurement", name, known)
    measured: dict[str, list[Measured]] = {}
    failed: dict[str, Exception] = {}
    try:
        for name in names or known:
            try:
                figures = measure(known[name], tiny)
                if not tiny:
                    rows = [asdict(f) | {"median": f.median, "met": f.met} for f in figures]
                    write_json(output / f"{name}.json", {"figures": rows, "environment": environment()})
                measured[name] = figures
            except Exception as error:
                failed[name] = error
    finally:
        _tell(measured, failed, tiny)
    return int(bool(failed) or not (tiny or all(figure.met for figures in measured.values() for figure in figures)))


def _tell(measured: dict[str, list[Measured]], failed: dict[str, Exception], tiny: bool) -> None:
    if tiny:
        for name, figures in measured.items():
            print(f"{name} runs: {len(figures)} figures")
    else:
        Console().print(_table([figure for figures in measured.values() for figure in figures]))
    for name, error in failed.items():
        mendable = isinstance(error, UserError)
        print(f"{name} FAILED: {error if mendable else ''.join(traceback.format_exception(error))}", file=sys.stderr)


def _table(figures: list[Measured]) -> Table:
    table = Table("figure", "median", "min", "max", "bound", "", title="phase2 bench")
    for figure in figures:
        values = [f"{value:.3g} {figure.unit}" for value in (figure.median, min(figure.values), max(figure.values))]
        sign, verdict = ("≥" if figure.at_least else "≤"), ("met" if figure.met else "MISSED")
        table.add_row(figure.name, *values, f"{sign} {figure.bound:g}", verdict)
    return table
