"""Draws one figure of a study from its tables."""

from pathlib import Path

from job import job

from phase2.figures.catalog import load
from phase2.figures.style import save
from phase2.study.tables import read_table

with job(snakemake):
    tables = {path.stem: read_table(path) for path in map(Path, snakemake.input)}
    save(load(snakemake.wildcards.figure)(**tables), Path(snakemake.output.pdf).with_suffix(""))
