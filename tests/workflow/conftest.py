"""One smoke run from nothing to the PDF, shared by all tests: each test works in a copy of it."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from checkout import Checkout, Ran, new_checkout
from filelock import FileLock

# Python imports this module by itself at its start: it notes which processes import torch, and with how many threads.
SPY = """
import json, os, sys

class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            sys.meta_path.remove(self)
            with open(os.environ["TORCH_SPY"], "a") as file:
                file.write(json.dumps([sys.argv[0], os.environ.get("OMP_NUM_THREADS")]) + "\\n")

sys.meta_path.insert(0, Spy())
"""


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run (`project`), its output (`ran.json`) and which processes import torch (`torch.jsonl`)."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # one run for all workers
        root = root.parent
    folder = root / "smoke"
    with FileLock(root / "smoke.lock"):
        if not (folder / "ran.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            checkout = new_checkout(folder / "project")
            (folder / "spy").mkdir()
            (folder / "spy" / "sitecustomize.py").write_text(SPY)
            spying = {"PYTHONPATH": str(folder / "spy"), "TORCH_SPY": str(folder / "torch.jsonl")}
            ran = checkout.snakemake("report", **spying).succeeded()
            (folder / "ran.json").write_text(json.dumps(asdict(ran)))
    return folder


@pytest.fixture(scope="session")
def smoke_run(smoke: Path) -> Ran:
    """How the run went."""
    return Ran(**json.loads((smoke / "ran.json").read_text()))


@pytest.fixture(scope="session")
def finished(smoke: Path) -> Checkout:
    """The run's own folder: to be looked at, never changed."""
    return Checkout(smoke / "project")


@pytest.fixture
def project(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished run, to be changed at will."""
    return Checkout(Path(shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)))


@pytest.fixture
def clone(tmp_path: Path) -> Checkout:
    """A checkout in which nothing was run."""
    return new_checkout(tmp_path / "clone")
