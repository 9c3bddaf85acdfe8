"""Brings the shipped cells of a run into its results, with what is told of their data and their baselines."""

from pathlib import Path

from job import job

from phase2.run.config import validate
from phase2.run.shipped import restore

with job(snakemake):
    config = validate(snakemake.config)
    assert config.shipped is not None
    restore(config, config.shipped, Path("results") / config.run)
