"""A stand-in for the package wandb: its calls as phase2 makes them, and of what they do what matters here.

Compared with wandb itself: `init` returns a run with `log` and `finish`; a run of a known id goes on where `resume`
says allow, and leaves out steps below its last; several are under way at once where `reinit` is create_new.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


class Run:
    def __init__(self, **settings: Any):
        self.settings = settings
        self.rows: dict[int, dict[str, float]] = {}
        self.attempts = 0
        self.finished = False

    def log(self, data: dict[str, float], step: int) -> None:
        assert not self.finished
        if step >= max(self.rows, default=0):
            self.rows.setdefault(step, {}).update(data)

    def finish(self) -> None:
        self.finished = True


class Fake(ModuleType):
    """The module: `runs` by id. It refuses a run where `refuse` says why."""

    class Error(Exception): ...

    def __init__(self) -> None:
        super().__init__("wandb")
        self.runs: dict[str, Run] = {}
        self.refuse = ""

    def init(
        self,
        *,
        project: str,
        group: str,
        name: str,
        id: str,
        resume: str,
        dir: str,
        config: dict[str, Any],
        reinit: str,
    ) -> Run:
        if self.refuse:
            raise self.Error(self.refuse)
        assert Path(dir).is_dir()
        assert (resume, reinit) == ("allow", "create_new")
        run = self.runs.setdefault(id, Run(project=project, group=group, name=name, config=config))
        run.attempts, run.finished = run.attempts + 1, False
        return run


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake
