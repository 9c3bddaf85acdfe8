"""LeNet-5, with ReLU and max pooling as it is built today. LeCun et al. 1998, section II.B and figure 2."""

from torch import Tensor
from torch.nn import Flatten, Module, Sequential

from phase2.card import Card, Option
from phase2.models.blocks import centred, check_sizes, layout, nonlinearity, norm2d
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.linear import Linear
from phase2.nn.pooling.max import MaxPool2d

CARD = Card(
    "model",
    "LeNet",
    label="LeNet-5",
    definition="LeNet-5",
    cites="lecun1998",
    order=2,
    options={
        "backend": Option("who computes convolutions and pooling", ("scratch", "fused")),
    },
)

SIDE = 32  # pixels: what the network was drawn for


class LeNet(Module):
    """Two 5x5 convolutions of 6 and 16 channels, each with a pooling by 2, then 120 and 84 units and the outputs; for
    another `width` than 6, the same in proportion.

    Shapes: input (batch, channels, height, width) for `shape` = (channels, height, width), centred in 32x32 if smaller;
    output (batch, outputs). 62,006 parameters for 3 channels and 10 outputs. `activation` and `norm` are names;
    `backend` is that of convolutions and pooling. Raises `UserError` for an unknown name or a size below 1.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        width: int = 6,
        activation: str = "relu",
        norm: str = "none",
        backend: str = "scratch",
    ) -> None:
        super().__init__()
        check_sizes("LeNet", shape, outputs=outputs, width=width)
        channels, *sides = shape
        second, third, fourth = (round(size * width / 6) for size in (16, 120, 84))
        rows, columns = ((max(side, SIDE) - 12) // 4 for side in sides)
        self.layout = layout(backend)
        self.conv1 = Conv2d(channels, width, 5, backend=backend)
        self.norm1 = norm2d(norm, width, backend)
        self.act1 = nonlinearity(activation)
        self.pool1 = MaxPool2d(2, backend=backend)
        self.conv2 = Conv2d(width, second, 5, backend=backend)
        self.norm2 = norm2d(norm, second, backend)
        self.act2 = nonlinearity(activation)
        self.pool2 = MaxPool2d(2, backend=backend)
        self.classifier = Sequential(
            Flatten(),
            Linear(second * rows * columns, third),
            nonlinearity(activation),
            Linear(third, fourth),
            nonlinearity(activation),
            Linear(fourth, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.layout(centred(x, SIDE))
        x = self.pool1(self.act1(self.norm1(self.conv1(x))))
        x = self.pool2(self.act2(self.norm2(self.conv2(x))))
        return self.classifier(x)
