"""Brings one pack of cells into the results tree: from the cell store where it can, by training where it must."""

import os
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from job import job

from phase2.study.cell import cells_of, hive, packs_of
from phase2.study.config import validate
from phase2.study.pack import Folders, run_pack
from phase2.study.progress import note_path, write_note
from phase2.train.gpu import claimed_gpu

# On Slurm each job is given its own device, and the checkout, where the locks lie, is shared by all nodes.
claims = bool(snakemake.resources.get("gpu")) and "SLURM_JOB_ID" not in os.environ
with job(snakemake), claimed_gpu(Path(".phase2/gpu")) if claims else nullcontext():
    config = validate(snakemake.config)
    name = snakemake.params.study
    study = config.studies[name]
    note = note_path(Path(".phase2/progress") / config.run, snakemake.output[0])
    folders = Folders(
        prepared=Path(snakemake.input[0]).parent,
        results=Path("results") / config.run,
        checkpoints=Path("checkpoints") / config.run,
        store=Path(".phase2/store"),
        work=Path(".phase2/packs"),
    )
    report = run_pack(
        packs_of(cells_of(name, study))[hive(dict(snakemake.wildcards))],
        study,
        folders,
        config.compute,
        progress=lambda fraction: write_note(note, fraction=fraction),
    )
    write_note(note, fraction=1.0, **asdict(report))
