"""Brings a data set's files into data/raw/, from the first source that has them whole."""

from pathlib import Path

from job import job

from phase2.data.sources import download
from phase2.files import write_json
from phase2.run.config import validate

with job(snakemake):
    data = validate(snakemake.config).data
    output = Path(snakemake.output[0])
    files = download(snakemake.wildcards.dataset, output.parent, mirror=data.mirror)
    write_json(output, [file.name for file in files])
