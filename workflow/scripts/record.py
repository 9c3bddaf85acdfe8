"""Writes the resolved configuration and the environment beside the results."""

from pathlib import Path

import yaml
from job import job

from phase2.files import write_json, write_text
from phase2.study.provenance import environment

with job(snakemake):
    write_text(Path(snakemake.output.config), yaml.safe_dump(snakemake.params.config, sort_keys=False))
    write_json(Path(snakemake.output.environment), environment())
