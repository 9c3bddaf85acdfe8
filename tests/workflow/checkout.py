"""A checkout of the project in a folder of its own, and what its commands do there. Only that folder is written to."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phase2.bench import copy_of_checkout
from phase2.files import sha256_file

BIN = Path(sys.executable).parent
SMOKE, LEAN = "config/smoke.yaml", "tests/workflow/lean.yaml"
OURS = ("OMP_NUM_THREADS", "PHASE2_MIRROR", "PYTHONPATH", "SNAKEMAKE_PROFILE")
CELLS = ("trained", "restored", "diverged", "not finished")


@dataclass(frozen=True)
class Ran:
    """How a command went. `output` is what a user sees: both streams together."""

    code: int
    output: str

    @property
    def jobs(self) -> Counter[str]:
        """How many jobs of each rule finished."""
        return Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", self.output))

    @property
    def cells(self) -> dict[str, int]:
        """The summary's counts: trained, restored, diverged, not finished."""
        summary = re.search("cells: " + ", ".join(rf"(\d+) {name}" for name in CELLS), self.output)
        assert summary, self.output
        return dict(zip(CELLS, map(int, summary.groups()), strict=True))

    def succeeded(self) -> "Ran":
        assert self.code == 0, self.output
        return self

    def failed_with(self, *parts: str) -> "Ran":
        """A failure that names each of these parts, and is a message instead of a traceback."""
        assert self.code == 1, self.output
        assert "Traceback" not in self.output, self.output
        for part in parts:
            assert part in self.output, self.output
        return self


@dataclass(frozen=True)
class Checkout:
    """The project in `folder`, run as a user would: `config` is an overlay over the lean smoke configuration."""

    folder: Path

    def command(self, *targets: str, config: dict[str, Any] | None = None) -> list[str]:
        overlays = [SMOKE, LEAN]
        if config:
            (self.folder / "overlay.json").write_text(json.dumps(config))
            overlays.append("overlay.json")
        return [str(BIN / "snakemake"), "--cores", "2", *targets, "--configfile", *overlays]

    def snakemake(self, *targets: str, config: dict[str, Any] | None = None, **environ: str) -> Ran:
        return self.run(self.command(*targets, config=config), **environ)

    def phase2(self, *arguments: str) -> Ran:
        return self.run([str(BIN / "phase2"), *arguments], PYTHONPATH=str(self.folder))

    def run(self, command: list[str], **environ: str) -> Ran:
        run = subprocess.run(
            command,
            cwd=self.folder,
            env=clean_environ() | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,  # what hangs ends; a slow machine needs a third of it for all of smoke
            check=False,
        )
        return Ran(run.returncode, run.stdout)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces `old`, which stands there once, in a file of the checkout."""
        text = (self.folder / name).read_text()
        assert text.count(old) == 1, f"{old!r} in {name}"
        (self.folder / name).write_text(text.replace(old, new))

    def contents(self, *patterns: str) -> dict[str, str]:
        """The SHA-256 of every file under what the patterns match, by path."""
        found = [path for pattern in patterns for path in self.folder.glob(pattern)]
        files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*"))]
        return {str(file.relative_to(self.folder)): sha256_file(file) for file in files if file.is_file()}

    def cells(self) -> dict[str, str]:
        """The contents of all cells' files."""
        return self.contents("results/smoke/cells/mlp_grid", "checkpoints/smoke/mlp_grid")


def clean_environ() -> dict[str, str]:
    """The environment, without what would change what the project does; its commands come first."""
    environ = {name: value for name, value in os.environ.items() if name not in OURS}
    return environ | {"PATH": f"{BIN}{os.pathsep}{environ['PATH']}"}


def new_checkout(folder: Path) -> Checkout:
    """The project's files, committed, with nothing downloaded and nothing run."""
    folder.mkdir(parents=True)
    copy_of_checkout(folder)
    shutil.rmtree(folder / "data", ignore_errors=True)
    me = ("-c", "user.name=A Reader", "-c", "user.email=reader@example.org")
    for arguments in (("init", "-q"), ("add", "-A"), (*me, "commit", "-q", "-m", "A clone")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return Checkout(folder)
