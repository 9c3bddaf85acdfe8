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
    """Right answers, of outputs (batch, classes) and labels (batch,), or probabilities of classes (batch, classes), of
    which the most probable is right.
    """
    labels = targets.argmax(-1) if targets.is_floating_point() else targets
    return (outputs.argmax(-1) == labels).sum()
