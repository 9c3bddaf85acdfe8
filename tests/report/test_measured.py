"""The table of sentences on probes is complete, and says of the code what the code is."""

from said import OPTIONS

from phase2.nn.initial import lsuv
from phase2.probe import approximation, gradient_flow, uncertainty
from phase2.probe.catalog import PROBES
from phase2.report import measured_signals, measured_training, measured_uncertainty
from phase2.report.measured import MEASURED


def test_every_probe_has_its_sentences_and_names_one_of_its_tables():
    assert set(MEASURED) == set(PROBES) == set(OPTIONS)
    for kind, (table, _) in MEASURED.items():
        assert table in PROBES[kind].tables


def test_constants_in_the_sentences_are_those_of_the_code():
    assert measured_signals.TOLERANCE == lsuv.TOLERANCE
    assert measured_training.SATURATION == gradient_flow.SATURATION
    assert measured_training.JUMPS in approximation.TARGETS
    assert set(measured_uncertainty.METHODS) == set(uncertainty.METHODS)
    assert measured_uncertainty.UNFAMILIAR == uncertainty.UNFAMILIAR
