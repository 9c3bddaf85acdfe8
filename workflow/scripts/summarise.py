"""Writes the few numbers of each study that DVC shows and compares."""

from pathlib import Path

import pandas as pd
from job import job

from phase2.files import write_json
from phase2.stats.summary import summary

with job(snakemake):
    paths = [Path(path) for path in snakemake.input]
    studies = {
        study: summary({path.stem: pd.read_csv(path) for path in paths if path.parent.name == study}, factors)
        for study, factors in snakemake.params.factors.items()
    }
    write_json(Path(snakemake.output[0]), studies)
