"""What the convolutional networks share: norms by name, centring, memory layout, shortcuts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import Identity

from phase2 import registry
from phase2.errors import UserError
from phase2.models.blocks import ChannelsLast, Style, centred, check_sizes, convolution, layout, norm2d
from phase2.models.residual import shortcut_of, stages
from phase2.nn import BatchNorm2d, GroupNorm

NORMS = [name for name, part in registry.parts("norm").items() if part.card.traits.get("images", True)]
STYLE = Style("relu", "batch", "scratch")


def test_norms_are_found_by_name():
    assert isinstance(norm2d("none", 8), Identity)
    assert isinstance(norm2d("batch", 8), BatchNorm2d)
    assert [norm2d(name, 8).num_groups for name in ("layer", "group")] == [1, 4]
    assert isinstance(norm2d("layer", 8), GroupNorm)


def test_layer_norm_standardizes_each_image():
    x = torch.randn(3, 8, 4, 4, dtype=torch.float64) * 5 + 2
    y = norm2d("layer", 8).double()(x).flatten(1)
    torch.testing.assert_close(y.mean(1), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(y.var(1, correction=0), torch.ones(3, dtype=torch.float64), rtol=1e-5, atol=0)


def test_an_unknown_norm_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="unknown norm 'bach': did you mean 'batch'"):
        norm2d("bach", 8)


@given(rows=st.integers(1, 40), columns=st.integers(1, 40), side=st.integers(1, 36), channels=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_centring_adds_zeros_evenly_around_a_small_image(rows, columns, side, channels):
    x = torch.rand(2, channels, rows, columns) + 1
    y = centred(x, side)
    assert y.shape == (2, channels, max(rows, side), max(columns, side))
    top, left = max(side - rows, 0) // 2, max(side - columns, 0) // 2
    torch.testing.assert_close(y[:, :, top : top + rows, left : left + columns], x, rtol=0, atol=0)
    assert y.count_nonzero() == x.numel()


@pytest.mark.parametrize("norm", NORMS)
def test_a_convolution_has_a_bias_only_where_no_norm_follows(norm):
    assert (convolution(3, 4, 3, 1, STYLE._replace(norm=norm)).bias is not None) == (norm == "none")


def test_only_the_fused_backend_rearranges_the_input():
    x = torch.randn(2, 3, 4, 5)
    assert layout("scratch")(x) is x
    y = layout("fused")(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y, x, rtol=0, atol=0)
    assert isinstance(layout("fused"), ChannelsLast)


def test_option_a_takes_every_second_place_and_adds_zero_channels():
    x = torch.randn(2, 3, 5, 6)
    y = shortcut_of("A", 3, 5, 2, STYLE)(x)
    assert y.shape == (2, 5, 3, 3)
    torch.testing.assert_close(y[:, :3], x[:, :, ::2, ::2], rtol=0, atol=0)
    assert not y[:, 3:].any()


@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_shortcut_is_the_identity_where_shapes_agree(kind):
    assert isinstance(shortcut_of(kind, 4, 4, 1, STYLE), Identity)


def test_an_unknown_shortcut_is_refused():
    with pytest.raises(UserError, match="unknown shortcut 'C': Known: A, B, none"):
        shortcut_of("C", 4, 4, 1, STYLE)


def test_stages_double_the_channels_and_halve_the_image():
    made = []
    stages(16, (1, 2, 3), lambda *sizes: made.append(sizes) or Identity())
    assert made == [(16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 64, 1)]


@pytest.mark.parametrize("shape", [(64,), (28, 28), (3, 0, 32), (1, 3, 32, 32)])
def test_a_shape_that_is_not_an_images_is_refused(shape):
    with pytest.raises(UserError, match=r"Net: shape=.*expected \(channels, height, width\)"):
        check_sizes("Net", shape)


def test_a_size_below_one_is_named():
    with pytest.raises(UserError, match="Net: width=0, expected at least 1"):
        check_sizes("Net", (3, 32, 32), width=0)
