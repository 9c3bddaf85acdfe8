"""The pre-activation network: the clean shortcut path of He et al. 2016b, and its size."""

import pytest
import torch

from phase2.errors import UserError
from phase2.models.cifar_resnet import CifarResNet
from phase2.models.counting import operations, parameters
from phase2.models.preact_resnet import PreActResNet

CIFAR = (3, 32, 32)


@pytest.mark.parametrize("depth", [8, 20, 110])
def test_with_option_a_it_is_as_large_as_the_original(depth):
    with torch.device("meta"):
        assert parameters(PreActResNet(CIFAR, 10, depth)) == parameters(CifarResNet(CIFAR, 10, depth))


def test_its_arithmetic_is_the_originals():
    assert operations(PreActResNet(CIFAR, 10), CIFAR) == operations(CifarResNet(CIFAR, 10), CIFAR)


def test_the_shortcut_path_is_a_plain_sum():
    model = PreActResNet(CIFAR, 10, depth=20, width=4).double()
    stage = model.layer2
    x = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    h = stage[0](x)
    total = h
    for block in stage[1:]:
        residual = block.conv2(block.act2(block.bn2(block.conv1(block.act1(block.bn1(total))))))
        total = total + residual
    torch.testing.assert_close(stage(x), total, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_blocks_that_change_the_shape_and_the_first_take_the_shortcut_from_the_activation(shortcut):
    model = PreActResNet(CIFAR, 10, depth=14, width=4, shortcut=shortcut)
    flags = [[block.activates_shortcut for block in stage] for stage in (model.layer1, model.layer2, model.layer3)]
    assert flags == [[True, False]] * 3
    block = model.layer2[0].eval()
    block.conv2.weight.data.zero_()
    x = torch.randn(2, 4, 8, 8)
    expected = block.downsample(block.act1(block.bn1(x)))
    torch.testing.assert_close(block(x), expected, rtol=0, atol=0)
    assert expected.shape == (2, 8, 4, 4)


def test_option_b_adds_two_bare_projections():
    added = parameters(PreActResNet(CIFAR, 10, shortcut="B")) - parameters(PreActResNet(CIFAR, 10))
    assert added == 16 * 32 + 32 * 64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 21}, r"PreActResNet: depth=21, expected 6n \+ 2"),
        ({"shortcut": "none"}, "unknown shortcut 'none': .*Known: A, B"),
        ({"width": 0}, "PreActResNet: width=0, expected at least 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        PreActResNet(CIFAR, 10, **options)
