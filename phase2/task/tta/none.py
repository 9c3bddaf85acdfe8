"""A network asked once."""

from collections.abc import Callable

from torch import Tensor

from phase2.card import Card

CARD = Card("tta", "none", label="none", definition="the network is asked once, about the image as it is", order=1)

Network = Callable[[Tensor], Tensor]
Views = Callable[[Network, Tensor], Tensor]  # a network's outputs, of inputs (batch, ...) however it is asked


def none(network: Network, images: Tensor) -> Tensor:
    """The outputs (batch, outputs) for images (batch, channels, height, width) as they are."""
    return network(images)
