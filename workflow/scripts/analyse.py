"""Draws the statistics of a study from its table of cells."""

import json
from pathlib import Path

from job import job

from phase2.files import atomic_path
from phase2.stats.analysis import analyse
from phase2.study.score import Score
from phase2.study.tables import read_table

with job(snakemake):
    classes = len(json.loads(Path(snakemake.input.data).read_text(encoding="utf-8"))["classes"])
    score = Score.of(snakemake.params.score, classes)
    tables = analyse(read_table(Path(snakemake.input.cells)), snakemake.params.factors, score)
    for key, frame in tables.items():
        with atomic_path(Path(snakemake.output[key])) as temporary:
            frame.to_csv(temporary, index=False)
