"""VGG: exact counts, depths and heads."""

import pytest
import torch

from phase2.errors import UserError
from phase2.models.counting import parameters
from phase2.models.vgg import VGG
from phase2.nn import Linear
from phase2.nn.convolution.conv import Conv2d


def test_vgg16_with_batch_norm_has_the_published_number_of_parameters():
    with torch.device("meta"):
        assert parameters(VGG((3, 32, 32), 10, 16)) == 14_728_266


@pytest.mark.parametrize(
    ("depth", "count"), [(11, 132_863_336), (13, 133_047_848), (16, 138_357_544), (19, 143_667_240)]
)
def test_without_a_norm_the_imagenet_networks_are_the_papers(depth, count):
    with torch.device("meta"):
        assert parameters(VGG((3, 224, 224), 1000, depth, norm="none", head="imagenet")) == count


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_depth_counts_layers_with_weights(depth):
    imagenet = VGG((3, 32, 32), 10, depth, width=1, head="imagenet")
    assert sum(isinstance(module, Conv2d | Linear) for module in imagenet.modules()) == depth


def test_larger_images_leave_a_larger_map_to_the_linear_head():
    assert VGG((3, 64, 96), 10, width=2).classifier[0].in_features == 16 * 2 * 3


def test_the_imagenet_head_takes_images_of_another_size():
    model = VGG((3, 64, 64), 10, width=1, head="imagenet").eval()
    assert model(torch.randn(2, 3, 96, 64)).shape == (2, 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 12}, "VGG: depth=12, expected one of 11, 13, 16, 19"),
        ({"head": "gap"}, "unknown head 'gap': .*Known: imagenet, linear"),
        ({"width": 0}, "VGG: width=0, expected at least 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        VGG((3, 32, 32), 10, **options)
