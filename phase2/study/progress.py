"""How far a run is: jobs leave notes in a folder, and the run's main process reads them.

On a terminal a bar shows cells done, cells to go, the rate and the time left; anywhere else only the closing summary
is printed.
"""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

from phase2.files import sha256_text, write_json


def note_path(folder: Path, first_output: str) -> Path:
    """The note of the job whose first declared file is `first_output`."""
    return folder / f"{sha256_text(first_output)[:16]}.json"


def write_note(path: Path, **content: Any) -> None:
    """Says how far a job is: `fraction` of its cells, and once it ends `trained`, `restored`, `diverged`."""
    write_json(path, content)


class Monitor:
    """Watches the notes of one run, from `start` to `stop`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.jobs: dict[Path, int] = {}
        self.began = time.monotonic()
        self._ended = Event()
        self._thread: Thread | None = None

    def start(self, jobs: dict[str, Iterable[str]]) -> None:
        """Begins a run whose training jobs, by first declared file, have these cells."""
        self.jobs = {note_path(self.folder, output): len(list(cells)) for output, cells in jobs.items()}
        for path in self.jobs:
            path.unlink(missing_ok=True)
        if self.jobs and sys.stderr.isatty():
            self._thread = Thread(target=self._show, daemon=True)
            self._thread.start()

    def notes(self) -> dict[Path, dict[str, Any]]:
        """What the jobs have said so far."""
        found = {}
        for path in self.jobs:
            try:
                found[path] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):  # not begun yet
                continue
        return found

    def cells_done(self) -> float:
        """Finished cells, those of unfinished packs counted by the fraction that is done."""
        return sum(self.jobs[path] * note["fraction"] for path, note in self.notes().items())

    def _show(self) -> None:
        # Imported here: every job reads the Snakefile, and one process shows a bar.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("cells"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("cells", total=sum(self.jobs.values()), rate="")
            ended = False
            while not ended:  # once more after the end: what the last job did is shown too
                ended = self._ended.wait(1.0)
                done = self.cells_done()
                rate = done / (time.monotonic() - self.began)
                bar.update(task, completed=int(done), rate=f"{rate:.1f} cells/s")

    def stop(self, report: str | None = None, failed: bool = False, missing: Sequence[str] = ()) -> None:
        """Ends the run and prints its summary."""
        self._ended.set()
        if self._thread:
            self._thread.join(timeout=2)
        print(self.summary(report, failed, missing), file=sys.stderr)

    def summary(self, report: str | None, failed: bool, missing: Sequence[str] = ()) -> str:
        """Cells trained, restored, diverged and failed; wall time; where the report is, what it lacks, and what lies
        beside it.
        """
        notes = self.notes().values()
        count = {name: sum(note.get(name, 0) for note in notes) for name in ("trained", "restored", "diverged")}
        unfinished = sum(self.jobs.values()) - count["trained"] - count["restored"]
        cells = ", ".join(f"{number} {name}" for name, number in count.items())
        minutes, seconds = divmod(round(time.monotonic() - self.began), 60)
        line = f"cells: {cells}, {unfinished} not finished; wall time {minutes} min {seconds:02d} s"
        if failed:
            return f"{line}\nphase2: the run failed; what was finished is kept, and the same command goes on from there"
        if not report or not Path(report).exists():
            return line
        others = [p for p in sorted(Path(report).parent.iterdir()) if p != Path(report)]
        beside = ", ".join(f"{path.name}/" if path.is_dir() else path.name for path in others)
        lacks = f", which lacks {', '.join(missing)}" if missing else ""
        return f"{line}\nreport: {report}{lacks}\nbeside it: {beside}"
