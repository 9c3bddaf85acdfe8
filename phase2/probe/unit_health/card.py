"""Saturated and dead units in the trained networks of a study."""

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count


class Options(Probe):
    tables = ("units",)
    inputs = ("data", "runs")

    study: str = Field(description="the study whose best weights are read")
    batch: Count = Field(description="test images that it measures on, at most")
