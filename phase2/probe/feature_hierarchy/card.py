"""What the layers of trained networks see: filters, maps, and what a linear probe reads."""

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count

LIMIT = 512  # features of a layer whose maps are pooled: more, and a linear classifier fits few images by heart


class Options(Probe):
    tables = ("linear_probes", "filters", "maps")
    inputs = ("data", "runs")
    columns = {
        "filter": "number from 1; 0 is the image itself",
        "channel": "of the filter or the map, from 0",
        "row": "pixel, from the top",
        "column": "pixel, from the left",
        "value": "weight, or output",
        "when": "start or end of training",
        "layer": "activations from 1; 0 is the pixels",
        "position": "layer by the last layer",
        "dimension": "features that the classifier has",
        "accuracy": "of the linear classifier on test images",
    }

    study: str = Field(description="the study whose networks are read")
    train: Count = Field(description="training images of the linear probes, at most")
    test: Count = Field(description="test images that linear probes are judged on, at most")
