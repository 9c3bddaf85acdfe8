"""Writes the PDFs' macros, tables and claims from the results, the trace of each, and the environment they were written
in.
"""

import json
from pathlib import Path

from job import job

from phase2.files import write_json
from phase2.report.build import write_sources
from phase2.run.config import validate
from phase2.study.provenance import environment

with job(snakemake):
    datasets = {
        Path(path).parent.name: json.loads(Path(path).read_text(encoding="utf-8")) for path in snakemake.input.data
    }
    report = Path(snakemake.output.trace).parent
    known = environment()
    write_json(Path(snakemake.output.environment), known)
    write_sources(report.parent, report, validate(snakemake.config), datasets, known)
