"""Brings the cells of one job into the results tree: from the cell store where it can, by training where it must."""

import math
import os
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from job import job

from phase2.errors import UserError
from phase2.run.config import validate
from phase2.study.cell import cells_of, hive, jobs_of, packs_of
from phase2.study.pack import Folders, run_pack
from phase2.study.progress import note_path, write_note
from phase2.train.gpu import claimed_gpu
from phase2.train.state import OutOfTime

# On Slurm each job is given its own device, and the checkout, where the locks lie, is shared by all nodes.
claims = bool(snakemake.resources.get("gpu")) and "SLURM_JOB_ID" not in os.environ
began = time.monotonic()
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
        logs=Path("logs") / config.run,
    )
    packs = packs_of(jobs_of(cells_of(name, study), study)[hive(dict(snakemake.wildcards))])
    total, minutes = Counter(), config.compute.minutes or math.inf
    for done, pack in enumerate(packs.values()):
        try:
            report = run_pack(
                pack,
                study,
                folders,
                config.compute,
                progress=lambda fraction, done=done: write_note(note, fraction=(done + fraction) / len(packs)),
                deadline=began + 60 * minutes,
            )
        except OutOfTime:
            raise UserError(
                f"compute.minutes: this job stops after {minutes:g} minutes, with a checkpoint, and goes on from there "
                "when it is started again"
            ) from None
        total.update(asdict(report))
    write_note(note, fraction=1.0, **total)
