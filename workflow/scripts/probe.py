"""Measures one probe and writes its tables, and what they were made from."""

from pathlib import Path

from job import job

from phase2.files import atomic_path, write_json
from phase2.run.config import validate
from phase2.run.measure import measure

with job(snakemake):
    config = validate(snakemake.config)
    tables, provenance = measure(snakemake.params.probe, config, Path("checkpoints") / config.run)
    for key, frame in tables.items():
        with atomic_path(Path(snakemake.output[key])) as temporary:
            frame.to_csv(temporary, index=False)
    write_json(Path(snakemake.output.provenance), provenance)
