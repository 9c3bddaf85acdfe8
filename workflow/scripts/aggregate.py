"""Reads all cells of a study into tidy tables."""

import json
from pathlib import Path

from job import job

from phase2.files import atomic_path
from phase2.run.config import validate
from phase2.study.cell import cells_of
from phase2.study.tables import gather, schedule_table

with job(snakemake):
    config = validate(snakemake.config)
    name = snakemake.wildcards.study
    cells = cells_of(name, config.studies[name])
    data = json.loads(Path(snakemake.input.data).read_text(encoding="utf-8"))["hash"]
    table, curves = gather(cells, Path("results") / config.run, data, config.shipped is not None)
    tables = {"cells": table, "curves": curves, "schedules": schedule_table(cells, int(table["steps"].max()))}
    for key, frame in tables.items():
        with atomic_path(Path(snakemake.output[key])) as temporary:
            frame.to_csv(temporary, index=False)
