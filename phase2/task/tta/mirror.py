"""A network asked about an image and its mirror image."""

from torch import Tensor

from phase2.card import Card
from phase2.task.tta.none import Network

CARD = Card(
    "tta",
    "mirror",
    label="mirror images",
    definition="the mean of the outputs for an image and for it mirrored left to right",
    order=2,
)


def mirror(network: Network, images: Tensor) -> Tensor:
    """The mean of the outputs (batch, outputs) for images (batch, channels, height, width) and for them mirrored.

    It is taken in the images' type, of which a network under autocast answers in half.
    """
    return (network(images).to(images.dtype) + network(images.flip(-1)).to(images.dtype)) / 2
