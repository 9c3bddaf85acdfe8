"""BatchNorm's noise against the size of the batch."""

from pydantic import Field

from phase2.probe.options import SEEDS, Counts, Probe, Seeds
from phase2.study.section import Count, Dataset


class Options(Probe):
    tables = ("noise",)
    uses = (("init", "kaiming"),)
    columns = {
        "quantity": "normalized (a sample's value), mean or std (of the batch)",
        "measured": "variance over batches, in units of the population's variance",
        "predicted": "the same by the delta method with the data's moments",
        "gaussian": "the same with Gaussian moments",
    }

    dataset: Dataset = Field(description="name of a data set")
    batch_sizes: Counts = Field(description="images a batch")
    draws: Count = Field(description="random batches of each size")
    width: Count = Field(description="units of the normalized layer")
    seeds: Seeds = Field(description=SEEDS)
