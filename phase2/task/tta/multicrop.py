"""A network asked about an image, it moved by a pixel along either diagonal, and the mirror images of all three."""

from torch import Tensor

from phase2.card import Card
from phase2.task.augmentation.windows import reflected_outside
from phase2.task.tta.mirror import mirror
from phase2.task.tta.none import Network

CARD = Card(
    "tta",
    "multicrop",
    label="crops and mirror images",
    definition="the mean of the outputs for an image and its mirror image (1/2 together) and for both moved by "
    "(1, 1) and by (-1, -1) pixels (1/4 each)",
    cites="jordan2024",
    order=3,
)


def multicrop(network: Network, images: Tensor) -> Tensor:
    """The mean of the outputs (batch, outputs) of six views of images (batch, channels, height, width), the unmoved two
    with half of the weight; what comes in at an edge is the image's reflection. Jordan 2024, section 3.
    """
    moved = [mirror(network, reflected_outside(images, images.new_full((len(images), 2), by).long())) for by in (-1, 1)]
    return mirror(network, images) / 2 + (moved[0] + moved[1]) / 4
