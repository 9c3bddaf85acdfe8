"""Dropout at inference: scaling right and wrong, Monte-Carlo dropout, calibration, unfamiliar inputs."""

from pydantic import Field

from phase2.probe.options import Probe, Several
from phase2.study.section import Count, Dataset, Finite, Probability

UNFAMILIAR = "unfamiliar"  # kind of input: another data set's


class Options(Probe):
    tables = ("inference", "calibration", "shift", "detection")
    inputs = ("data", "runs", "unfamiliar")
    columns = {
        "dropout": "rate of the study",
        "method": "deterministic, unscaled (1/(1-p) forgotten) or monte_carlo",
        "accuracy": "share of test images told right; empty for unfamiliar data",
        "nll": "mean of -log p(label), in nats",
        "brier": "mean squared distance of the probabilities from the label, 0 to 2",
        "ece": "expected calibration error",
        "mean_confidence": "mean of the largest probability",
        "bin": "of confidence, 1 to 15",
        "confidence": "mean in the bin; empty if it is",
        "count": "images in the bin",
        "kind": "degrees by which images are turned, or unfamiliar",
        "predictive_entropy": "of the mean prediction, in nats",
        "expected_entropy": "mean entropy of the masks, in nats",
        "mutual_information": "what the masks disagree on, in nats",
        "score": "what is held against the images as they are",
        "auroc": "how often the score is higher on the strange of two images",
    }

    study: str = Field(description="the study whose best weights are read: it has an axis dropout")
    unfamiliar: Dataset = Field(description="data set that the networks were not trained on")
    dropout: Probability = Field(description="level of the study's axis at which inputs are turned and replaced")
    angles: list[Finite] = Field(description="degrees by which test images are rotated")
    samples: Several = Field(description="Monte-Carlo samples")
    images: Count = Field(description="test images used, at most")
