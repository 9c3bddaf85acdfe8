"""Sharpness, trace of the Hessian and gradient noise of the trained networks of a study."""

from typing import Any

from pydantic import Field

from phase2.probe.options import Probe, Several
from phase2.study.section import Count


class Options(Probe):
    tables = ("curvature",)
    inputs = ("data", "runs")

    study: str = Field(description="the study whose best weights are read")
    where: dict[str, list[Any]] = Field(default={}, description="levels by axis: cells with others are not read")
    images: Count = Field(description="training images on which loss and gradients are taken, at most")
    draws: Several = Field(description="random vectors of the trace's estimate")
