"""Writes the resolved configuration beside the results."""

from pathlib import Path

import yaml
from job import job

from phase2.files import write_text

with job(snakemake):
    write_text(Path(snakemake.output.config), yaml.safe_dump(snakemake.params.config, sort_keys=False))
