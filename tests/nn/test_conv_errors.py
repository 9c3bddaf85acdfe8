"""What convolutions refuse, in torch's words where torch has any."""

import re

import pytest
import torch
import torch.nn.functional as F

from phase2.errors import UserError
from phase2.nn.convolution.conv import Conv1d, Conv2d
from phase2.nn.convolution.convolve import conv1d, conv2d

x, w = torch.randn(2, 4, 5, 5), torch.randn(6, 4, 3, 3)


@pytest.mark.parametrize(
    ("ours", "theirs", "tensors", "options"),
    [
        (conv2d, F.conv2d, (x, w), {"dilation": 3}),
        (conv2d, F.conv2d, (torch.randn(2, 4, 0, 5), w), {"padding": 1}),
        (conv2d, F.conv2d, (x[:, :3], w), {}),
        (conv2d, F.conv2d, (x, w), {"groups": 2}),
        (conv2d, F.conv2d, (x, torch.randn(5, 2, 3, 3)), {"groups": 2}),
        (conv2d, F.conv2d, (x[0, 0], w), {}),
        (conv2d, F.conv2d, (x, w, torch.randn(5)), {}),
        (conv2d, F.conv2d, (x, w), {"padding": (1, 2, 3)}),
        (conv2d, F.conv2d, (x, w), {"stride": (1, 2, 3)}),
        (conv1d, F.conv1d, (x[0, :3], w[..., 0]), {}),
        (conv1d, F.conv1d, (x, w[..., 0]), {}),
        (conv1d, F.conv1d, (x[:, :, 0], w[..., 0]), {"dilation": 3}),
    ],
)
def test_what_does_not_fit_is_refused_in_torchs_words(ours, theirs, tensors, options):
    with pytest.raises(RuntimeError) as refused:
        theirs(*tensors, **options)
    words = str(refused.value).replace("[1, 2, 3]", "(1, 2, 3)")  # torch's list is our tuple
    with pytest.raises(UserError, match=re.escape(words)):
        ours(*tensors, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stride": 0}, "non-positive stride is not supported: stride=(0, 0)"),
        ({"dilation": (1, 0)}, "non-positive dilation is not supported: dilation=(1, 0)"),
        ({"padding": -1}, "negative padding is not supported: padding=-1"),
        ({"padding": "smae"}, "Invalid padding string 'smae', should be one of 'valid', 'same'"),
        ({"padding": "same", "stride": 2}, "padding='same' is not supported for strided convolutions"),
        ({"groups": 0}, "groups must be a positive integer, but got groups=0"),
    ],
)
def test_options_out_of_range_are_named_by_layer_and_function(options, words):
    with pytest.raises(UserError, match=re.escape(words)):
        conv2d(x, w, **options)
    with pytest.raises(UserError, match=re.escape(words)):
        Conv2d(4, 6, 3, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((4, 6, 3), {"groups": 3}, "in_channels must be divisible by groups, but got in_channels=4 and groups=3"),
        ((4, 6, 3), {"groups": 4}, "out_channels must be divisible by groups, but got out_channels=6 and groups=4"),
        ((0, 6, 3), {}, "in_channels=0, expected at least 1"),
        ((4, -1, 3), {}, "out_channels=-1, expected at least 1"),
        ((4, 6, 0), {}, "non-positive kernel_size is not supported: kernel_size=(0, 0)"),
        ((4, 6, 3.0), {}, "expected kernel_size to be a single integer value or a list of 2 values"),
        ((4, 6, (3,)), {}, "expected kernel_size to be a single integer value or a list of 2 values"),
        ((4, 6, 3), {"padding_mode": "zero"}, "padding_mode must be one of"),
        ((4, 6, 3), {"backend": "fast"}, "unknown backend 'fast'"),
    ],
)
def test_layers_that_cannot_be_are_refused_when_they_are_made(arguments, options, words):
    with pytest.raises(UserError, match=re.escape(words)):
        Conv2d(*arguments, **options)


@pytest.mark.parametrize(
    ("mode", "padding", "words"),
    [
        ("reflect", 5, "Padding size should be less than the corresponding input dimension, but got: padding (5, 5)"),
        ("circular", 6, "Padding value causes wrapping around more than once: padding (6, 6), size 5"),
    ],
)
def test_more_padding_than_there_is_input_is_refused(mode, padding, words):
    with pytest.raises(UserError, match=re.escape(words)):
        Conv2d(4, 6, 3, padding=padding, padding_mode=mode)(x)
    with pytest.raises(RuntimeError):
        torch.nn.Conv2d(4, 6, 3, padding=padding, padding_mode=mode)(x)


def test_wrong_types_are_named():
    with pytest.raises(UserError, match=r"input of shape \(2, 4, 5, 5\) is torch.int64, .*use input.float\(\)"):
        conv2d(x.long(), w.long())
    with pytest.raises(UserError, match=r"Input type \(torch.float64\) and weight type \(torch.float32\)"):
        conv2d(x.double(), w)
    with pytest.raises(UserError, match=r"Input type \(torch.float32\) and bias type \(torch.float64\)"):
        conv2d(x, w, torch.zeros(6, dtype=torch.float64))


def test_a_weight_of_the_wrong_dimensions_is_named():
    with pytest.raises(UserError, match=r"conv2d: weight has shape \[6, 4, 3\], expected 4 dimensions"):
        conv2d(x, w[..., 0])
    with pytest.raises(UserError, match=r"conv2d: weight has shape \[6, 0, 3, 3\], .* none of them 0"):
        conv2d(x[:, :0], w[:, :0])
    with pytest.raises(UserError, match=r"to have 4 channels, but got 5 channels instead"):
        Conv1d(4, 6, 3)(torch.randn(2, 5, 7))
