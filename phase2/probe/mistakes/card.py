"""What trained networks mistake for what, and the images that they are wrong about and most sure of."""

from typing import Any

from pydantic import Field

from phase2.probe.options import Probe
from phase2.study.section import Count


class Options(Probe):
    tables = ("confusion", "mistaken")
    inputs = ("data", "runs")
    columns = {
        "label": "class of the images",
        "answer": "class that the network takes them for",
        "images": "test images of that class that it takes for this one",
        "rank": "1 is the mistake that the networks are most sure of",
        "image": "number of the image in the test part",
        "confidence": "probability of the answer, mean over the networks",
        "row": "of the pixel, 0 at the top",
        "column": "of the pixel, 0 on the left",
        "channel": "of the pixel",
        "value": "of the pixel there, 0 to 255",
    }

    study: str = Field(description="the study whose best weights are read")
    where: dict[str, list[Any]] = Field(
        default={}, description="levels by axis: cells with others are not read; one of each axis but seed is left"
    )
    shown: Count = Field(description="mistakes of which the images are kept, at most")
