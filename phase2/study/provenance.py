"""What a result was made with: commit, versions, machine."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "scipy", "statsmodels", "pandas", "matplotlib", "seaborn", "snakemake", "dvc")
ROOT = Path(__file__).resolve().parents[2]


def _git(*arguments: str) -> str | None:
    """What git prints, or None where it fails. A checkout of another owner is trusted: its code is what runs here."""
    trusting = ("-c", f"safe.directory={ROOT}")
    run = subprocess.run(
        ["git", "--no-optional-locks", *trusting, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return run.stdout.strip() if run.returncode == 0 else None


@cache
def commit() -> dict[str, Any]:
    """The checked-out commit, when it was made (seconds since 1970), and whether files differ from it."""
    try:
        head = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
        time = _git("log", "-1", "--format=%ct")
    except FileNotFoundError:  # no git on this machine
        head = changed = time = None
    return {"commit": head, "dirty": bool(changed), "commit_time": int(time) if time else None}


def environment() -> dict[str, Any]:
    """Versions and machine, without anything that differs between two runs on one machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
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
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
