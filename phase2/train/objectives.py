"""What a training minimises, and what it counts as right: one function of a network's outputs and the targets each."""

from collections.abc import Callable

from torch import Tensor

from phase2.nn.loss.cross_entropy import cross_entropy
from phase2.nn.loss.mse import mse_loss

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
TOLERANCE = 0.05  # a predicted number this close to its target counts as right


def classification(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy in nats and right answers, of logits (batch, classes) and labels (batch,)."""
    return cross_entropy(logits, labels), (logits.argmax(-1) == labels).sum()


def regression(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error and rows within the tolerance, of predictions and targets (batch, outputs)."""
    close = ((predictions - targets).abs() < TOLERANCE).all(-1)
    return mse_loss(predictions, targets), close.sum()
