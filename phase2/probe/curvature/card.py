"""Sharpness, trace of the Hessian and gradient noise of the trained networks of a study."""

from typing import Any

from pydantic import Field

from phase2.probe.options import Probe, Several
from phase2.study.section import Count


class Options(Probe):
    tables = ("curvature",)
    inputs = ("data", "runs")
    columns = {
        "sharpness": "largest eigenvalue of the Hessian",
        "trace": "trace of the Hessian, estimated",
        "trace_error": "the estimate's standard error",
        "gradient_norm": "norm of the loss's gradient",
        "noise_scale": "batch size at which noise and gradient are as large; empty if the gradient may be zero",
        "loss": "cross-entropy on the images, in nats",
    }

    study: str = Field(description="the study whose best weights are read")
    where: dict[str, list[Any]] = Field(default={}, description="levels by axis: cells with others are not read")
    images: Count = Field(description="training images on which loss and gradients are taken, at most")
    draws: Several = Field(description="random vectors of the trace's estimate")
