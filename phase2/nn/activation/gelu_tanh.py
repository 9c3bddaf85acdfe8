"""GELU by its tanh approximation, as a level of the axis."""

from phase2.card import Card
from phase2.nn.activation.gelu import GELU

CARD = Card(
    "activation",
    "GELUTanh",
    label="GELU (tanh)",
    definition=r"$x\,(1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^3)))/2$",
    cites="hendrycks2016",
    order=7,
)


class GELUTanh(GELU):
    """GELU by its tanh approximation."""

    def __init__(self) -> None:
        super().__init__(approximate="tanh")
