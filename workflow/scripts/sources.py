"""Writes the report's macros, tables and sentences from the results, and the trace of each."""

import json
from pathlib import Path

from job import job

from phase2.report.build import write_sources

with job(snakemake):
    datasets = {
        Path(path).parent.name: json.loads(Path(path).read_text(encoding="utf-8")) for path in snakemake.input.data
    }
    report = Path(snakemake.output.trace).parent
    write_sources(report.parent, report, snakemake.params.config, datasets)
