"""What the report says of a probe: its tables as a run left them, and the macros of its section."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from phase2.errors import UserError
from phase2.probe.catalog import probes
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import escape, listed
from phase2.report.macros import Ledger
from phase2.report.measured import MEASURED, untold
from phase2.study.tables import read_table
from phase2.words.levels import label


def read_probe(run_dir: Path, name: str, config: dict[str, Any]) -> ProbeInputs:
    """Reads a probe's tables from `run_dir`/tables/<name>/; raises `UserError` for one that is missing."""
    section, folder = get(config, "probes", name), run_dir / "tables" / name
    tables = {table: read_table(folder / f"{table}.csv") for table in probes()[get(section, "probe")].tables}
    return ProbeInputs(name, section, tables, read_provenance(folder))


def read_provenance(folder: Path) -> dict[str, Any]:
    """What a probe's tables were made from."""
    path = folder / "provenance.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} ({error}): delete it and run `snakemake report`") from None


def state_probe(probe: ProbeInputs, ledger: Ledger) -> None:
    """Enters the macros of a probe's section: its title and question, what was measured, and what was found."""
    say = partial(ledger.state, probe.name)
    words = label(probe.name.replace("_", " "))
    say("Title", escape(words[0].upper() + words[1:]), "config", "the probe's name")
    references = [rf"Figure~\ref{{fig:{probe.name}:{name}}}" for name in get(probe.config, "figures")]
    say("Shown", listed(references) or "the tables", "config", "figures")
    say("Question", escape(get(probe.config, "question").strip()), "config", "question")
    measured = MEASURED.get(get(probe.config, "probe"), untold)
    sentences, how = measured(probe, say), f"sentences drawn by code: {measured.__module__}.{measured.__name__}"
    say("Measured", sentences[0], "config", how)
    say("Finding", " ".join(sentences[1:]), next(iter(probe.tables)), how)
