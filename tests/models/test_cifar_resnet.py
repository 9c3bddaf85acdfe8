"""He et al.'s CIFAR networks: the paper's table 6, option A and B, heads, and the plain twins."""

import pytest
import torch

from phase2.errors import UserError
from phase2.models.cifar_resnet import CifarResNet
from phase2.models.counting import operations, parameters
from phase2.models.plain import plain

CIFAR = (3, 32, 32)
COUNTS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}


def batch(dtype=torch.float64):
    return torch.randn(2, *CIFAR, dtype=dtype, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("depth", COUNTS)
def test_the_number_of_parameters_is_the_papers_for_both_twins(depth):
    with torch.device("meta"):
        assert parameters(CifarResNet(CIFAR, 10, depth=depth)) == COUNTS[depth]
        assert parameters(plain(CIFAR, 10, depth=depth)) == COUNTS[depth]


@pytest.mark.parametrize(("depth", "gflop"), [(20, 0.081), (56, 0.251), (110, 0.506)])
def test_the_arithmetic_is_the_papers(depth, gflop):
    assert operations(CifarResNet(CIFAR, 10, depth=depth), CIFAR) / 1e9 == pytest.approx(gflop, abs=5e-4)


def test_option_b_adds_two_projections_and_their_norms():
    added = parameters(CifarResNet(CIFAR, 10, shortcut="B")) - parameters(CifarResNet(CIFAR, 10))
    assert added == (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)


def test_the_dense_head_reads_every_place_of_the_last_map():
    assert CifarResNet(CIFAR, 10, head="dense").fc.in_features == 64 * 8 * 8
    assert CifarResNet((1, 28, 30), 10, head="dense").fc.in_features == 64 * 7 * 8
    assert CifarResNet(CIFAR, 10).fc.in_features == 64


def test_a_plain_network_is_its_residual_twin_without_shortcuts():
    torch.manual_seed(0)
    residual = CifarResNet(CIFAR, 10, depth=8, width=4).double()
    torch.manual_seed(0)
    twin = plain(CIFAR, 10, depth=8, width=4).double()
    torch.testing.assert_close(residual.state_dict(), twin.state_dict(), rtol=0, atol=0)
    x = batch()
    assert not torch.allclose(residual(x), twin(x))
    for block in (*residual.layer1, *residual.layer2, *residual.layer3):
        block.downsample = None
    torch.testing.assert_close(residual(x), twin(x), rtol=0, atol=0)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_a_block_with_no_residual_passes_its_shortcut_on(shortcut):
    block = CifarResNet(CIFAR, 10, depth=8, width=4, shortcut=shortcut).layer2[0].eval().double()
    block.bn2.weight.data.zero_()
    x = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(block(x), block.downsample(x).clamp(min=0), rtol=0, atol=0)


@pytest.mark.parametrize("depth", [8, 20])
def test_the_layers_on_the_way_are_as_many_as_the_depth(depth):
    with torch.device("meta"):
        model = CifarResNet(CIFAR, 10, depth=depth)
    assert sum(name.endswith(("conv1", "conv2", "fc")) for name, _ in model.named_modules()) == depth


@pytest.mark.parametrize("depth", [-4, 0, 2, 7, 18, 21])
def test_a_depth_that_is_not_6n_plus_2_is_refused(depth):
    with pytest.raises(UserError, match=rf"CifarResNet: depth={depth}, expected 6n \+ 2 .* 8, 14, 20"):
        CifarResNet(CIFAR, 10, depth)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shortcut": "C"}, "unknown shortcut 'C'"),
        ({"head": "linear"}, "unknown head 'linear': .*Known: dense, gap"),
        ({"width": 0}, "CifarResNet: width=0, expected at least 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        CifarResNet(CIFAR, 10, **options)
