"""Typesets a PDF of the report."""

import json
from pathlib import Path

from job import job

from phase2.report.build import typeset

with job(snakemake):
    pdf = Path(snakemake.output[0])
    epoch = json.loads(Path(snakemake.input.environment).read_text(encoding="utf-8"))["commit_time"] or 0
    typeset(Path("report"), Path(snakemake.input.generated), pdf.parent / "figures", pdf, epoch)
