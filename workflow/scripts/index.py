"""Writes the files that a reader of a run opens first."""

import json
from pathlib import Path

from job import job

from phase2.report.index import Run, write_index
from phase2.run.config import validate

with job(snakemake):
    config, params = validate(snakemake.config), snakemake.params
    environment = json.loads(Path(snakemake.input.environment).read_text(encoding="utf-8"))
    write_index(Run(Path("results", config.run), config, environment, params.command, params.notebooks))
