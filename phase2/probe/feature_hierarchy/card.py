"""What the layers of trained networks see: filters, maps, and what a linear probe reads."""

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count

LIMIT = 512  # features of a layer whose maps are pooled: more, and a linear classifier fits few images by heart


class Options(Probe):
    tables = ("linear_probes", "filters", "maps")
    inputs = ("data", "runs")

    study: str = Field(description="the study whose networks are read")
    train: Count = Field(description="training images of the linear probes, at most")
    test: Count = Field(description="test images that linear probes are judged on, at most")
