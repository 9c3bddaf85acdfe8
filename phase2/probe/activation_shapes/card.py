"""Every activation with its first and second derivative on a grid."""

from pydantic import Field

from phase2.probe.options import Activations, Probe
from phase2.study.section import Count, Finite


class Options(Probe):
    tables = ("extremes", "shapes")
    inputs = ()
    columns = {
        "x": "input",
        "value": "f(x)",
        "first": "f'(x)",
        "second": "f''(x)",
        "minimum": "least f on the range",
        "argmin": "where it is",
        "max_slope": "largest f'",
        "max_curvature": "largest |f''|",
    }

    activations: Activations = Field(description="non-linearities")
    low: Finite = Field(default=-4.0, description="left end of the grid")
    high: Finite = Field(default=4.0, description="right end of the grid")
    points: Count = Field(default=801, description="points of the grid")
