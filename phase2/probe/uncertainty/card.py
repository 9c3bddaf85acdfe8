"""Dropout at inference: scaling right and wrong, Monte-Carlo dropout, calibration, unfamiliar inputs."""

from pydantic import Field

from phase2.probe.options import Probe, Several
from phase2.study.section import Count, Dataset, Finite, Probability

UNFAMILIAR = "unfamiliar"  # kind of input: another data set's


class Options(Probe):
    tables = ("inference", "calibration", "shift", "detection")
    inputs = ("data", "runs", "unfamiliar")

    study: str = Field(description="the study whose best weights are read: it has an axis dropout")
    unfamiliar: Dataset = Field(description="data set that the networks were not trained on")
    dropout: Probability = Field(description="level of the study's axis at which inputs are turned and replaced")
    angles: list[Finite] = Field(description="degrees by which test images are rotated")
    samples: Several = Field(description="Monte-Carlo samples")
    images: Count = Field(description="test images used, at most")
