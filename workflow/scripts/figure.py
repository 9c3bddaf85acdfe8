"""Draws one figure of a study from its tables."""

from pathlib import Path

import pandas as pd
from job import job

from phase2.figures.catalog import load
from phase2.figures.style import save

with job(snakemake):
    tables = {Path(path).stem: pd.read_csv(path) for path in snakemake.input}
    save(load(snakemake.wildcards.figure)(**tables), Path(snakemake.output.pdf).with_suffix(""))
