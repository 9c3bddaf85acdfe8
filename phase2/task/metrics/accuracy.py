"""Accuracy: the share of right answers."""

from torch import Tensor

from phase2.card import Card

CARD = Card(
    "metric",
    "accuracy",
    label="accuracy",
    definition="the share of answers that are right: the largest output is the label's",
    order=1,
    traits={"better": "higher", "unit": "%", "chance": "1/classes"},
)


def accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Right answers, of outputs (batch, classes) and labels (batch,)."""
    return (outputs.argmax(-1) == targets).sum()
