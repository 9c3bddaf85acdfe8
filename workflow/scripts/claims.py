"""Judges every claim about a run by its tables."""

from pathlib import Path

from job import job

from phase2.files import write_json
from phase2.run.config import validate
from phase2.run.judge import judge

with job(snakemake):
    path = Path(snakemake.output.claims)
    write_json(path, judge(validate(snakemake.config), path.parent))
