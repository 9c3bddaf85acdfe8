"""Checks every downloaded file against its publisher's checksum."""

from pathlib import Path

from job import job

from phase2.data.sources import verify
from phase2.files import write_json

with job(snakemake):
    output = Path(snakemake.output[0])
    write_json(output, verify(snakemake.wildcards.dataset, output.parent))
