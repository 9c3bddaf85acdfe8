"""GELU by its sigmoid approximation, as a level of the axis."""

from phase2.card import Card
from phase2.nn.activation.swish import Swish

CARD = Card(
    "activation",
    "GELUSigmoid",
    label="GELU (sigmoid)",
    definition=r"$x\,\sigma(1.702\,x)$",
    cites="hendrycks2016",
    order=8,
)


class GELUSigmoid(Swish):
    """GELU by its sigmoid approximation, x σ(1.702 x). Hendrycks & Gimpel 2016, section 2."""

    def __init__(self) -> None:
        super().__init__(beta=1.702)
