"""What a result was made with: commit, versions, machine."""

import csv
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from phase2 import registry
from phase2.source import ROOT

PACKAGES = ("torch", "numpy", "scipy", "statsmodels", "pandas", "matplotlib", "seaborn", "snakemake", "dvc")


def git(*arguments: str) -> str | None:
    """What git prints, or None where it fails. A checkout of another owner is trusted: its code is what runs here."""
    trusting = ("-c", f"safe.directory={ROOT}")
    run = subprocess.run(
        ["git", "--no-optional-locks", *trusting, *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return run.stdout.strip() if run.returncode == 0 else None


@cache
def commit() -> dict[str, Any]:
    """The checked-out commit, when it was made (seconds since 1970), and whether files differ from it: the project's,
    or any in the folders of the user's parts, which may not be in it at all.
    """
    try:
        head = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
        new = [
            git("status", "--porcelain", "--untracked-files=all", "--", folder) != ""
            for folder in map(str, registry.own_folders())
        ]
        time = git("log", "-1", "--format=%ct")
    except FileNotFoundError:  # no git on this machine
        head = changed = time = None
        new = []
    return {"commit": head, "dirty": bool(changed) or any(new), "commit_time": int(time) if time else None}


def environment() -> dict[str, Any]:
    """Versions and machine, without anything that differs between two runs on one machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": ", ".join(
            [
                f"{platform.system()} {platform.release().split('-')[0]}",
                platform.machine(),
                " ".join(platform.libc_ver()),
            ]
        ),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        **commit(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def mixtures(tables: Iterable[Path]) -> list[str]:
    """A line for each table of cells whose runs were made with several releases of torch or on several devices.

    Such cells are valid, and differ in their last digits from those that one release and device would make.
    """
    said = []
    for table in tables:
        with open(table, encoding="utf-8", newline="") as file:
            made_with = Counter(f"torch {row['torch']} on {row['device']}" for row in csv.DictReader(file))
        if len(made_with) > 1:
            amounts = ", ".join(f"{count} with {what}" for what, count in sorted(made_with.items()))
            study = table.parent.name
            said.append(f"{study} mixes cells ({amounts}): `phase2 train {study} --again` trains all anew")
    return said
