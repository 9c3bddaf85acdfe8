"""What a run needs and whether this machine has it, with one line on how to mend each thing that it lacks."""

import os
import platform
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rich.console import Console
from rich.table import Table
from rich.text import Text

from phase2 import registry
from phase2.data.origin import Source
from phase2.data.sources import SYSTEM_ROOTS, source_of
from phase2.errors import UserError
from phase2.run.config import load
from phase2.source import ROOT
from phase2.study.place import check_place
from phase2.study.provenance import commit

ENOUGH_SPACE = 5e9  # bytes: the default run with its data and checkpoints, and room to spare
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
SLURM = ("sbatch", "squeue", "sinfo")


@dataclass(frozen=True)
class Check:
    """One thing looked at: `fail` stops every run, `warn` only what needs it; `mend` says how to mend it."""

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    mend: str = ""


def doctor(root: Path, mirror: Path | None = None) -> int:
    """Prints the table of all checks; 1 if something fails that every run needs, else 0."""
    checks = check_all(root, mirror)
    Console().print(render(checks))
    return int(any(check.status == "fail" for check in checks))


def check_all(root: Path, mirror: Path | None = None) -> list[Check]:
    """Every check of the checkout at `root`; `mirror` is the config's, else the variable PHASE2_MIRROR's."""
    if mirror is None and os.environ.get("PHASE2_MIRROR"):
        mirror = Path(os.environ["PHASE2_MIRROR"])
    root = root.resolve()
    sources = {name: source_of(name) for name in registry.names("dataset")}
    with ThreadPoolExecutor(len(sources)) as pool:  # an address that hangs costs its seconds once
        datasets = [pool.submit(check_dataset, name, source, root, mirror) for name, source in sources.items()]
    return [
        check_python(),
        check_folder(root),
        *check_torch(),
        check_package("snakemake"),
        *(check_writable(root / name) for name in ("results", ".phase2")),
        check_space(root),
        check_latex(root),
        *(dataset.result() for dataset in datasets),
        check_slurm(),
        check_dvc(root),
        check_commit(),
    ]


def render(checks: Iterable[Check]) -> Table:
    """The checks as a table; under each that is not ok stands how to mend it."""
    table = Table("", "check", "found")
    for check in checks:
        found = Text(check.found)
        if check.mend:
            found.append(f"\nmend: {check.mend}", style="bold")
        table.add_row(Text(check.status, style=COLOURS[check.status]), check.name, found)
    return table


def check_python() -> Check:
    """The interpreter against pyproject's `requires-python`."""
    found, wanted = platform.python_version(), metadata("phase2")["Requires-Python"]
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Check("Python", "ok", found)
    mend = "install one (apt-get install python3.11-venv), remove .venv and run make setup"
    return Check("Python", "fail", f"{found}, but {wanted} is needed", mend)


def check_folder(root: Path) -> Check:
    """The paths of the checkout and of its Python: a shell must not take them apart."""
    try:
        check_place(root, root)
    except UserError as error:
        found, _, mend = str(error).rpartition(": ")
        return Check("folder", "fail", found, mend)
    return Check("folder", "ok", str(root))


def check_package(name: str) -> Check:
    """An installed package against the range that pyproject gives."""
    wanted = next(spec for line in requires("phase2") or () if (spec := Requirement(line)).name == name).specifier
    try:
        found = version(name)
    except PackageNotFoundError:
        return Check(name, "fail", f"not installed, but {wanted} is needed", "make setup")
    if wanted.contains(found, prereleases=True):
        return Check(name, "ok", found)
    return Check(name, "fail", f"{found}, but {wanted} is needed", "touch constraints.txt && make setup")


def check_torch() -> list[Check]:
    """torch, which must import, and the GPUs that it can use: none is no fault."""
    package = check_package("torch")
    try:
        import torch
    except (ImportError, OSError) as error:  # a missing shared library is an OSError
        return [Check("torch", "fail", f"does not import: {error}", package.mend or "rm -r .venv && make setup")]
    with warnings.catch_warnings(record=True) as caught:  # torch warns if the driver is too old for it
        warnings.simplefilter("always")
        names = [torch.cuda.get_device_name(device) for device in range(torch.cuda.device_count())]
        usable = torch.cuda.is_available()
    if usable:
        return [package, Check("GPU", "ok", ", ".join(names))]
    reason = f" ({str(caught[0].message).splitlines()[0]})" if caught else ""
    mend = "with an NVIDIA card, install its driver: nvidia-smi then lists the card"
    return [package, Check("GPU", "warn", f"none, everything runs on the CPU{reason}", mend)]


def check_writable(folder: Path) -> Check:
    """Whether files can be written in `folder`, or where it will be made; it is not made."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            return Check(f"{folder.name}/", "ok", "can be written")
    except OSError as error:
        return Check(f"{folder.name}/", "fail", f"{place}: {error.strerror}", f"chown -R $(id -u) {place}")


def check_space(root: Path) -> Check:
    """Room on the disk that holds results, data and checkpoints."""
    free = shutil.disk_usage(root).free
    found = f"{free / 1e9:.1f} GB free"
    if free >= ENOUGH_SPACE:
        return Check("disk", "ok", found)
    mend = f"free some: du -sh {root}/* | sort -h shows the largest"
    return Check("disk", "warn", f"{found}, {ENOUGH_SPACE / 1e9:.0f} GB are comfortable", mend)


def check_latex(root: Path) -> Check:
    """What `make latex` would look for: the tools, and every package that the report names."""
    run = _run("sh", str(root / "tools" / "setup.sh"), "latex-missing")
    missing = ", ".join(run.stdout.split()) if run.returncode == 0 else run.stderr.strip()
    if missing:
        return Check("LaTeX", "warn", f"missing: {missing}; no report.pdf without it", "make latex")
    return Check("LaTeX", "ok", "latexmk, pdflatex, biber and the report's packages")


def check_dataset(name: str, source: Source, root: Path, mirror: Path | None) -> Check:
    """Where the next run would get a dataset from, in the order of `phase2.data.sources`."""
    if not source.files:
        return Check(name, "ok", "bundled")
    places = [("there", root / "data" / "raw" / name)]
    if mirror:
        places.append(("mirror", mirror / name))
    if source.system_folder:
        places += [("system package", folder / source.system_folder) for folder in SYSTEM_ROOTS]
    for kind, folder in places:
        if all((folder / file.name).exists() for file in source.files):
            return Check(name, "ok", f"{kind}: {folder}")
    if all(any(map(_answers, file.urls)) for file in source.files):
        return Check(name, "ok", f"to be downloaded from {urlsplit(source.files[0].urls[0]).netloc}")
    mend = f"set PHASE2_MIRROR to a folder that holds {name}/{source.files[0].name}; or {source.fix}"
    official = any(file.urls for file in source.files)
    return Check(name, "warn", f"not here, and no official address {'answers' if official else 'serves it'}", mend)


def check_slurm() -> Check:
    """Whether jobs can be submitted from this machine."""
    missing = [tool for tool in SLURM if not shutil.which(tool)]
    if missing:
        found = f"no {', '.join(missing)}; only profiles/slurm needs it"
        return Check("Slurm", "warn", found, "run on a login node of the cluster")
    answer = _run("sinfo", "--noheader", "--format=%P")
    if answer.returncode == 0:
        return Check("Slurm", "ok", f"partitions: {' '.join(answer.stdout.split()) or 'none'}")
    reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
    return Check("Slurm", "warn", f"sinfo: {reason}", "start slurmctld, or set SLURM_CONF to the cluster's slurm.conf")


def check_dvc(root: Path) -> Check:
    """DVC, the project's own configuration of it, and whether dvc.yaml has what config.yaml makes."""
    package = check_package("dvc")
    if package.status == "ok" and not (root / ".dvc").is_dir():
        return Check("dvc", "warn", f"{package.found}, but {root} has no .dvc/", "git checkout -- .dvc")
    if package.status == "ok" and (missing := _unversioned(root)):
        return Check(
            "dvc", "warn", f"dvc.yaml does not version {', '.join(missing)}", "name it there under outs and deps"
        )
    return Check("dvc", "ok" if package.status == "ok" else "warn", package.found, package.mend)


def _unversioned(root: Path) -> list[str]:
    """The folders that the run of config.yaml writes and dvc.yaml does not name."""
    if not (root / "config.yaml").exists():
        return []
    config = load([root / "config.yaml"])
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    versioned = {path for stage in stages.values() for out in stage["outs"] for path in out}
    wanted = {f"data/prepared/{dataset}" for dataset in config.datasets}
    return sorted((wanted | {f"results/{config.run}", f"checkpoints/{config.run}"}) - versioned)


def check_commit() -> Check:
    """Whether the results made now can name the code that made them, and git works here for the user."""
    state = commit()
    if "dubious ownership" in _run("git", "-C", str(ROOT), "rev-parse", "HEAD").stderr:
        found = (state["commit"] or "none")[:12] + ", and git refuses commands of yours: the checkout is another user's"
        return Check("commit", "warn", found, f"git config --global --add safe.directory {ROOT}")
    if not state["commit"]:
        return Check("commit", "warn", "no git repository, or no git", "apt-get install git, then git clone")
    if state["dirty"]:
        return Check("commit", "warn", f"{state['commit'][:12]}, with changes of yours", "git commit -a")
    return Check("commit", "ok", state["commit"][:12])


def _answers(url: str) -> bool:
    """Whether an address answers a HEAD request within 3 seconds."""
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "phase2 doctor"})
    try:
        with urllib.request.urlopen(request, timeout=3):
            return True
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        pass
    return False


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=20, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: not found")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"{command[0]} did not answer within 20 s")
