"""ResNet-18 and -34: exact counts, stems and arithmetic."""

import pytest
import torch

from phase2.errors import UserError
from phase2.models.counting import operations, parameters
from phase2.models.resnet import ResNet


@pytest.mark.parametrize(
    ("depth", "stem", "outputs", "count"),
    [
        (18, "cifar", 10, 11_173_962),
        (34, "cifar", 10, 21_282_122),
        (18, "imagenet", 1000, 11_689_512),
        (34, "imagenet", 1000, 21_797_672),
    ],
)
def test_the_number_of_parameters_is_exact(depth, stem, outputs, count):
    with torch.device("meta"):
        assert parameters(ResNet((3, 32, 32), outputs, depth, stem=stem)) == count


def test_resnet18_takes_1_111_gflop_with_the_cifar_stem():
    assert operations(ResNet((3, 32, 32), 10), (3, 32, 32)) / 1e9 == pytest.approx(1.111, abs=5e-4)


def test_the_imagenet_stem_leaves_a_quarter_of_the_size():
    sizes = {}
    for stem in ("cifar", "imagenet"):
        model = ResNet((3, 64, 48), 10, width=2, stem=stem)
        model.layer1.register_forward_pre_hook(lambda _, inputs, stem=stem: sizes.update({stem: inputs[0].shape[-2:]}))
        model(torch.randn(2, 3, 64, 48))
    assert sizes == {"cifar": (64, 48), "imagenet": (16, 12)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 20}, "ResNet: depth=20, expected one of 18, 34"),
        ({"stem": "cfar"}, "unknown stem 'cfar': did you mean 'cifar'"),
        ({"width": 0}, "ResNet: width=0, expected at least 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        ResNet((3, 32, 32), 10, **options)
