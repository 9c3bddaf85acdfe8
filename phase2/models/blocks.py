"""What the convolutional networks share: layers by name, images centred in larger ones, and checks of sizes."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Identity, Module
from torch.nn.functional import pad

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.convolution.conv import Conv2d


class Style(NamedTuple):
    """The choices that hold in every block of a network, by their names in a configuration."""

    activation: str
    norm: str
    backend: str


def norm2d(name: str, channels: int, backend: str = "scratch") -> Module:
    """The normalization of (batch, channels, height, width); raises `UserError` for an unknown name.

    BatchNorm alone has another backend: the others normalize each image by itself, and are quick.
    """
    return registry.load("norm", name)(channels, images=True, backend=backend)


def nonlinearity(name: str, backend: str = "scratch") -> Module:
    """A new activation, by `backend` if it has several; raises `UserError` for a name that `phase2.registry` does not
    know.
    """
    options = {"backend": backend} if "backend" in registry.part("activation", name).arguments else {}
    return registry.load("activation", name)(**options)


def convolution(in_channels: int, out_channels: int, kernel_size: int, stride: int, style: Style) -> Conv2d:
    """A convolution that keeps the image's size but for its stride; it has a bias where no norm follows to give one."""
    bias = style.norm == "none"
    return Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=bias, backend=style.backend)


def conv3x3(in_channels: int, out_channels: int, stride: int, style: Style) -> Conv2d:
    """A 3x3 `convolution`."""
    return convolution(in_channels, out_channels, 3, stride, style)


class ChannelsLast(Module):
    """The same values with the channels of a place side by side in memory, as the fused kernels like them best."""

    def forward(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last)


def layout(backend: str) -> Module:
    """How a network lays out its input in memory: `ChannelsLast` for the fused backend, as it comes for the other."""
    return ChannelsLast() if backend == "fused" else Identity()


def centred(x: Tensor, side: int) -> Tensor:
    """Images (batch, channels, height, width) amid zeros, at least side x side; larger ones as they are.

    LeCun et al. 1998, section III.A: 28x28 digits in 32x32, so that strokes' ends reach a kernel's centre.
    """
    missing_rows, missing_columns = (max(side - size, 0) for size in x.shape[-2:])
    if not missing_rows and not missing_columns:
        return x
    top, left = missing_rows // 2, missing_columns // 2
    return pad(x, (left, missing_columns - left, top, missing_rows - top))


def check_sizes(model: str, shape: tuple[int, ...], **sizes: int) -> None:
    """Raises `UserError` unless shape is (channels, height, width) and all sizes are at least 1."""
    if len(shape) != 3 or min(shape) < 1:
        raise UserError(f"{model}: shape={shape}, expected (channels, height, width) of images, each at least 1")
    for name, size in sizes.items():
        if size < 1:
            raise UserError(f"{model}: {name}={size}, expected at least 1")
