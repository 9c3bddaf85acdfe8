"""Writes the few numbers of each study that DVC shows and compares."""

from pathlib import Path

from job import job

from phase2.files import write_json
from phase2.stats.summary import summary
from phase2.study.tables import read_table

with job(snakemake):
    paths = [Path(path) for path in snakemake.input]
    studies = {
        study: summary({path.stem: read_table(path) for path in paths if path.parent.name == study}, factors)
        for study, factors in snakemake.params.factors.items()
    }
    write_json(Path(snakemake.output[0]), studies)
