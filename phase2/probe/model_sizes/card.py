"""Parameters and operations of the networks of the papers, counted, beside what was published."""

from phase2.probe.options import Probe


class Options(Probe):
    tables = ("sizes",)
    inputs = ()
    uses = (("activation", "relu"), ("norm", "none"), ("norm", "batch"))
