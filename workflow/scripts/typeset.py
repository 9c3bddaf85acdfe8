"""Typesets a PDF of the report, and keeps the last one that succeeded: Snakemake deletes its place before this runs."""

import json
from pathlib import Path

from job import job

from phase2.errors import UserError
from phase2.files import write_bytes
from phase2.report.typeset import typeset

with job(snakemake):
    pdf, labels = Path(snakemake.output.pdf), Path(snakemake.output.labels)
    epoch = json.loads(Path(snakemake.input.environment).read_text(encoding="utf-8"))["commit_time"] or 0
    kept = pdf.parent / "report" / pdf.name
    try:
        typeset(Path("report"), Path(snakemake.input.generated), pdf.parent / "figures", pdf, labels, epoch)
    except UserError as error:
        raise UserError(f"{error}\nThe PDF of before is {kept}" if kept.exists() else str(error)) from None
    write_bytes(kept, pdf.read_bytes())
