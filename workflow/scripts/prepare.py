"""Turns a verified data set into memory-mapped arrays with a content hash."""

from pathlib import Path

from job import job

from phase2 import registry

with job(snakemake):
    raw, prepared = Path(snakemake.input[0]).parent, Path(snakemake.output[0]).parent
    registry.load("dataset", snakemake.wildcards.dataset)(raw, prepared)
