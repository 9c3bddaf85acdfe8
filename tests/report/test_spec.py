"""What the companion says a probe was told: each option in the words of its card."""

from phase2.report.spec import _described
from phase2.run.config import load
from phase2.source import ROOT


def test_an_option_is_told_by_what_its_card_says_and_not_by_its_name():
    probes = load([ROOT / "config.yaml"]).probes
    assert _described(probes["stability"], ("every",)) == "Steps between two measurements of the sharpness"
    assert _described(probes["kernel_regime"], ("memory_mb",)) == "Memory that a kernel's computation may use, in MB"
    assert _described(probes["kernel_regime"], ("seeds",)) == "Seeds"
    assert _described(probes["solutions"], ("where", "epochs")) == "Epochs"
