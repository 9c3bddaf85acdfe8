"""The plain twins of the residual networks for CIFAR-10. He et al. 2016a, section 4.2."""

from phase2.card import Card, Option
from phase2.models.cifar_resnet import CifarResNet

CARD = Card(
    "model",
    "plain",
    label="plain",
    definition="a CIFAR network without shortcuts",
    cites="he2016",
    order=5,
    options={
        "head": Option(
            "what reads the last map: its averages, or all of its places", ("gap", "dense"), {"gap": "global average"}
        ),
        "backend": Option("who computes convolutions and pooling", ("scratch", "fused")),
    },
)


def plain(
    shape: tuple[int, ...],
    outputs: int,
    depth: int = 20,
    width: int = 16,
    activation: str = "relu",
    norm: str = "batch",
    head: str = "gap",
    backend: str = "scratch",
) -> CifarResNet:
    """The residual network without its shortcuts, layer by layer the same."""
    return CifarResNet(shape, outputs, depth, width, activation, norm, "none", head, backend)
