"""Saturated and dead units in the trained networks of a study."""

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count


class Options(Probe):
    tables = ("units",)
    inputs = ("data", "runs")
    columns = {
        "val_accuracy": "share of validation images told right",
        "learned": "whether that is clearly above the share of the largest class",
        "saturated": "share of unit-image pairs with |f'| < 0.01",
        "dead": "share of units that are the same on all images",
        "mean": "of the outputs",
        "std": "of the outputs",
    }

    study: str = Field(description="the study whose best weights are read")
    batch: Count = Field(description="test images that it measures on, at most")
