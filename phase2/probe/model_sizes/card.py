"""Parameters and operations of the networks of the papers, counted, beside what was published."""

from phase2.probe.options import Probe


class Options(Probe):
    tables = ("sizes",)
    inputs = ()
    uses = (("activation", "relu"), ("norm", "none"), ("norm", "batch"))
    columns = {
        "network": "family",
        "depth": "layers with weights",
        "parameters": "as built here",
        "gflop": "of one forward pass, 2 x multiply-adds / 10^9",
        "published_parameters": "as the paper rounds them; empty if it has none",
    }
