"""The table of sentences on probes is complete, and says of the code what the code is."""

from said import OPTIONS

from phase2.nn.initial import lsuv
from phase2.probe.approximation.measure import TARGETS
from phase2.probe.catalog import PROBES
from phase2.probe.lsuv_convergence.card import TOLERANCE
from phase2.probe.uncertainty.measure import METHODS
from phase2.report import measured_training, measured_uncertainty
from phase2.report.measured import MEASURED


def test_every_probe_has_its_sentences():
    assert set(MEASURED) == set(PROBES) == set(OPTIONS)


def test_constants_in_the_sentences_are_those_of_the_code():
    assert TOLERANCE == lsuv.TOLERANCE
    assert measured_training.JUMPS in TARGETS
    assert set(measured_uncertainty.METHODS) == set(METHODS)
