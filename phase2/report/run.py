"""Macros that say what was run: how much, on what, at which commit, and what is missing."""

from datetime import UTC, datetime

from phase2.claims.claim import DRAWS, ROOM
from phase2.report.inputs import Record
from phase2.report.latex import count, described, escape, listed
from phase2.report.macros import Ledger
from phase2.run.config import Config
from phase2.stats.divergence import STUCK_MARGIN
from phase2.stats.interval import ENOUGH, LEVEL


def state_run(record: Record, ledger: Ledger) -> None:
    """Enters the macros of the whole run."""
    config, say = record.config, ledger.state
    say("Run", escape(config.run), "config", "run")
    say("Missing", _missing(config), "config", "missing and untrained: what is left out")
    seconds = sum(float(study.tables["cells"]["seconds"].sum()) for study in record.studies)
    say("TotalTime", duration(seconds), "cells", "sum of seconds")
    say("Threads", _several(config.compute.threads, "thread"), "config", "compute.threads")
    say("Level", rf"{100 * LEVEL:g}\%", "code", "phase2.stats.interval.LEVEL")
    say("Enough", count(ENOUGH), "code", "phase2.stats.interval.ENOUGH")
    say("StuckMargin", f"{STUCK_MARGIN:g}", "code", "phase2.stats.divergence.STUCK_MARGIN")
    say("Draws", count(DRAWS), "code", "phase2.claims.claim.DRAWS")
    say("Room", rf"{100 * ROOM:g}\%", "code", "phase2.claims.claim.ROOM")
    _state_environment(record, ledger)


def state_document(document: str, record: Record, ledger: Ledger) -> None:
    r"""Enters how much one PDF is about, `record` being its part of the run: \ReportCells and so on."""
    say, named = ledger.state, document.capitalize()
    cells = sum(len(study.tables["cells"]) for study in record.studies)
    data = {study.study.task.dataset for study in record.studies}
    data |= {of for probe in record.probes for of in record.config.datasets_of(probe.name).values()}
    told = listed([described("dataset", name) for name in sorted(data)])
    say(f"{named}Data", told, "config", f"data sets of {document}.pdf")
    say(f"{named}Cells", count(cells), "cells", f"rows of the tables of cells of {document}.pdf")
    say(f"{named}Seeds", _range([study.seeds for study in record.studies]), "cells", "distinct seeds of a study")
    say(f"{named}Studies", _several(len(record.studies), "study"), "config", f"studies of {document}.pdf")
    say(f"{named}Probes", _several(len(record.probes), "probe"), "config", f"probes of {document}.pdf")


def _missing(config: Config) -> str:
    """What the first page says of a report that is not whole; nothing of one that is."""
    gaps = [
        *([f"it lacks {listed(_names(config.missing))}, which failed in this run"] if config.missing else []),
        *(f"of {_names([name])[0]} {escape(told)} are not trained yet" for name, told in config.untrained.items()),
    ]
    return rf"\noindent\textbf{{This report is not whole: {'; '.join(gaps)}.}}\par" if gaps else ""


def _names(names: list[str]) -> list[str]:
    return [rf"\texttt{{{escape(name)}}}" for name in names]


def _state_environment(record: Record, ledger: Ledger) -> None:
    known, say = record.environment, ledger.state
    versions = [f"{escape(name)}~{escape(version)}" for name, version in known["packages"].items() if version]
    say("Python", escape(known["python"]), "environment", "python")
    say("Packages", listed(versions), "environment", "packages")
    say("Platform", escape(known["platform"]), "environment", "platform")
    say("Cpu", escape(known["cpu"]), "environment", "cpu")
    say("Cores", _several(known["cores"], "core"), "environment", "cores")
    commit, time = known["commit"], known["commit_time"]
    say("Commit", escape((commit or "unknown")[:12]), "environment", "commit, its first 12 digits")
    state = "with uncommitted changes in the files" if known["dirty"] else "with no uncommitted changes"
    say("Tree", state if commit else "as the files were not under version control", "environment", "dirty")
    date = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d") if time else "undated"
    say("CommitDate", date, "environment", "commit_time, UTC")


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} seconds"


def _several(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count(number)} {noun if number == 1 else plural}"


def _range(numbers: list[int]) -> str:
    least, most = min(numbers, default=0), max(numbers, default=0)  # of a document without studies
    return _several(most, "seed") if least == most else f"{count(least)} to {_several(most, 'seed')}"
