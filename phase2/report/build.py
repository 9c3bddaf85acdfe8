"""From a run's results to the generated sources of its PDFs: numbers, tables, figures and claims as LaTeX."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from phase2.files import write_text
from phase2.report.claims import claim_macros
from phase2.report.companion import chapters, definitions_table, provenance_table, shipped_table
from phase2.report.inputs import Record, read_record
from phase2.report.macros import Ledger, Statement
from phase2.report.mastery import mastery_frame, mastery_table
from phase2.report.paper import paper
from phase2.report.run import state_document, state_run
from phase2.report.tabular import Behind
from phase2.run.config import Config
from phase2.study.section import COMPANION, Document


def write_sources(
    run_dir: Path,
    out: Path,
    config: Config,
    datasets: Mapping[str, dict[str, Any]],
    environment: Mapping[str, Any],
) -> None:
    """Writes `out`/generated (macros, and the body of each PDF), `out`/trace.json, and `run_dir`/mastery.csv.

    `run_dir` is results/<run>; `datasets` the meta.json of each prepared data set by name. Raises `UserError` for
    whatever is missing.
    """
    folder, ledger = out / "generated", Ledger()
    record = read_record(run_dir, config, datasets, environment)
    state_run(record, ledger)
    for document in get_args(Document):
        part = record.told_in(document)
        state_document(document, part, ledger)
        write_text(folder / f"{document}.tex", paper(part, ledger) + "\n")
    state_document(COMPANION, record, ledger)
    write_text(folder / f"{COMPANION}.tex", chapters(record, ledger) + "\n")
    write_text(folder / "definitions.tex", ledger.show(definitions_table(record.studies)).long() + "\n")
    made = [provenance_table, *([shipped_table] if config.shipped is not None else [])]
    write_text(folder / "provenance.tex", "\n".join(ledger.show(make(record)).long() for make in made) + "\n")
    write_text(folder / "mastery.tex", ledger.show(mastery_table()).long() + "\n")
    write_text(run_dir / "mastery.csv", mastery_frame().to_csv(index=False))
    write_text(folder / "derivations.tex", (run_dir / "derivations" / "derivations.tex").read_text(encoding="utf-8"))
    _enter_claims(record, ledger)
    ledger.write(folder / "macros.tex", out / "trace.json")
    write_text(folder / "claims.tex", claim_macros(record.claims) + "\n")


def _enter_claims(record: Record, ledger: Ledger) -> None:
    for claim in record.claims:
        numbers = tuple((f"{name} {number.text}", Behind(claim.subject)) for name, number in claim.numbers.items())
        told = f"{claim.verdict}: {claim.sentence} ({claim.scale}{', ' + claim.why if claim.why else ''})"
        ledger.add(claim.name, Statement("claim", told, claim.source, "phase2 claims", claim.subject, rows=numbers))
