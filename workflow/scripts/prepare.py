"""Checks a data set's files once more and turns them into memory-mapped arrays with a content hash."""

from pathlib import Path

from job import job

from phase2 import registry
from phase2.data.sources import raw_folder, verify

raw, prepared = Path(snakemake.input[0]).parent, Path(snakemake.output.meta).parent
with job(snakemake, also=lambda: prepared.glob("*.npy")):
    verify(snakemake.wildcards.dataset, raw)
    dataset = snakemake.wildcards.dataset
    registry.load("dataset", dataset)(raw_folder(dataset, raw.parents[1]), prepared)
