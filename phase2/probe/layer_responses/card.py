"""Standard deviation of every layer's response, and the gradient's norm, before, during and after training."""

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count


class Options(Probe):
    tables = ("responses",)
    inputs = ("data", "runs")
    weights = ("half", "all")

    study: str = Field(description="the study whose networks are measured; it keeps half or all")
    images: Count = Field(description="training images that it measures on")
