"""The networks of the papers are as large as they are known to be."""

from types import SimpleNamespace

import pytest

from phase2.models.lenet import LeNet
from phase2.probe.model_sizes.measure import PUBLISHED
from phase2.probe.model_sizes.measure import measure as model_sizes

PARAMETERS = {
    ("LeNet", 5): 62_006,
    ("VGG", 16): 14_728_266,
    ("ResNet", 18): 11_173_962,
    ("CIFAR ResNet", 20): 269_722,
    ("CIFAR ResNet", 32): 464_154,
    ("CIFAR ResNet", 44): 658_586,
    ("CIFAR ResNet", 56): 853_018,
    ("CIFAR ResNet", 110): 1_727_962,
}
GFLOP = {("ResNet", 18): 1.111, ("CIFAR ResNet", 20): 0.081, ("CIFAR ResNet", 56): 0.251, ("CIFAR ResNet", 110): 0.506}


@pytest.fixture(scope="module")
def sizes():
    return model_sizes(SimpleNamespace())["sizes"].set_index(["network", "depth"])


def test_parameters_are_exact(sizes):
    assert {network: sizes.parameters[network] for network in PARAMETERS} == PARAMETERS


def test_operations_are_twice_the_multiply_adds(sizes):
    assert {network: round(sizes.gflop[network], 3) for network in GFLOP} == GFLOP
    maps = 28**2 * 6 * 3 * 25 + 10**2 * 16 * 6 * 25
    dense = sum(layer.weight.numel() for layer in LeNet((3, 32, 32), 10).classifier if hasattr(layer, "weight"))
    assert sizes.gflop["LeNet", 5] == pytest.approx(2 * (maps + dense) / 1e9)


def test_published_numbers_are_ours_as_far_as_they_are_printed(sizes):
    known = sizes.dropna(subset="published_parameters")
    assert list(known.index) == [("CIFAR ResNet", depth) for depth in PUBLISHED]
    for ours, theirs in zip(known.parameters, known.published_parameters, strict=True):
        assert f"{ours:.1e}" == f"{theirs:.1e}"
