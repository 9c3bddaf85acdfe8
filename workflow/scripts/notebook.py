"""Runs a notebook on the results and writes it as HTML."""

import sys
from pathlib import Path

from job import job

from phase2.files import write_text
from phase2.report.notebook import render

with job(snakemake):
    output = Path(snakemake.output[0])
    write_text(output, render(Path(snakemake.input.notebook), output.parent.parent.resolve(), log=sys.stdout))
