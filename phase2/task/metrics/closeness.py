"""Closeness: the share of predictions near their targets."""

from torch import Tensor

from phase2.card import Card

CARD = Card(
    "metric",
    "closeness",
    label="closeness",
    definition="the share of rows in which every predicted number is within 0.05 of its target",
    order=2,
    traits={"better": "higher", "unit": "%", "chance": 0.0},
)

TOLERANCE = 0.05


def closeness(outputs: Tensor, targets: Tensor) -> Tensor:
    """Rows within the tolerance, of predictions and targets (batch, outputs)."""
    return ((outputs - targets).abs() < TOLERANCE).all(-1).sum()
