"""What a linear classifier reads from features: ridge regression on one-hot labels. Alain & Bengio 2017."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

PENALTIES = (0.01, 0.1, 1.0)  # times the number of images: each feature has variance 1
HELD_OUT = 4  # every so many-th training image is left out of the fits that choose the penalty, and judges them


def linear_probe(x: Tensor, labels: Tensor, test_x: Tensor, test_labels: Tensor) -> float:
    """The test accuracy of ridge regression from features x (images, dimension) to their labels (images,).

    The penalty is the one of `PENALTIES` that does best on held-out training images, the smallest of several; the
    classifier is then fitted to all of them. Test images choose nothing.
    """
    held = torch.arange(len(x)) % HELD_OUT == 0
    scores = [_accuracy(fit, x[held], labels[held]) for fit in _ridge(x[~held], labels[~held], PENALTIES)]
    best = PENALTIES[scores.index(max(scores))]
    (fit,) = _ridge(x, labels, [best])
    return _accuracy(fit, test_x, test_labels)


def _ridge(x: Tensor, labels: Tensor, penalties: Sequence[float]) -> list[tuple[Tensor, Tensor]]:
    """For each penalty W (dimension, classes) and b (classes,) of the scores x W + b, by the features standardized."""
    mean, std = x.mean(0), x.std(0, correction=0)
    scale = torch.where(std > 0, 1 / std, 0)  # a constant feature says nothing
    x = (x - mean) * scale
    y = one_hot(labels).to(x.dtype)
    gram, products = (x.T @ x).double(), (x.T @ (y - y.mean(0))).double()
    fits = []
    for penalty in penalties:
        factor = torch.linalg.cholesky(gram + penalty * len(x) * torch.eye(len(gram), dtype=gram.dtype))
        W = scale.unsqueeze(1) * torch.cholesky_solve(products, factor).to(x.dtype)
        fits.append((W, y.mean(0) - mean @ W))
    return fits


def _accuracy(fit: tuple[Tensor, Tensor], x: Tensor, labels: Tensor) -> float:
    W, b = fit
    return ((x @ W + b).argmax(1) == labels).double().mean().item()
