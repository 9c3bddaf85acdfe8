"""Fits the baselines of the studies of one task, and writes them into the tables of each."""

from pathlib import Path

import torch
from job import job

from phase2.data.checked import open_checked
from phase2.files import atomic_path
from phase2.run.baseline import baseline
from phase2.run.config import validate

with job(snakemake):
    torch.set_num_threads(1)
    study = validate(snakemake.config).studies[snakemake.params.studies[0]]
    table = baseline(study, open_checked(Path(snakemake.input[0]).parent))
    for path in snakemake.output.tables:
        with atomic_path(Path(path)) as temporary:
            table.to_csv(temporary, index=False)
