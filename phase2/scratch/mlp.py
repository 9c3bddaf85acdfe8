"""A multi-layer perceptron with backpropagation written by hand, in NumPy alone.

Every local derivative is stated as the Jacobian of one sample (z, h, b vectors; θ = vec W row by row) next to
the product of matrices that applies its transpose to a batch, whose samples are rows. Rumelhart et al. 1986.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from phase2.errors import UserError


class MLP:
    """ReLU layers of `sizes` (in_features, hidden, ..., classes), then softmax cross-entropy, in `dtype`.

    `parameters` is [W_1, b_1, W_2, b_2, ...], shapes (fan_out, fan_in) and (fan_out,), in the order of torch's.
    W ~ N(0, 2 / fan_in) is drawn from `rng` in float64 and rounded to `dtype`, b = 0 (He et al. 2015, eq. 10).
    Raises `UserError` for fewer than two sizes, a size below 1, and a dtype that is not float32 or float64.
    """

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator, dtype: Any = np.float32) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise UserError(f"MLP: sizes={tuple(sizes)}, expected (in_features, hidden, ..., classes), each at least 1")
        if dtype not in (np.float32, np.float64):
            raise UserError(f"MLP: dtype={np.dtype(dtype)}, expected float32 or float64")
        self.sizes, self.dtype = tuple(sizes), np.dtype(dtype)
        self.parameters: list[np.ndarray] = []
        for fan_in, fan_out in pairwise(sizes):
            W = rng.standard_normal((fan_out, fan_in)) * np.sqrt(2 / fan_in)
            self.parameters += [W.astype(dtype), np.zeros(fan_out, dtype)]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Logits (batch, classes) of x (batch, in_features); raises `UserError` if x is anything else."""
        check_input(x, self.sizes[0], self.dtype)
        return self._outputs(x)[-1]

    def gradients(self, x: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """The mean loss in nats over a batch, and its gradient for each of `parameters`.

        Shapes: x (batch, in_features), targets (batch,) of int64, class indices. Raises `UserError` for others.
        """
        check_input(x, self.sizes[0], self.dtype)
        check_targets(targets, len(x), self.sizes[-1], np.dtype(np.int64))
        *h, z = self._outputs(x)
        loss, G = softmax_cross_entropy(z, targets)  # G = ∂L/∂z, a row for each sample
        gradients = []
        for layer in reversed(range(len(h))):
            gradients += [G.sum(0), G.T @ h[layer]]  # z = W h + b:  ∂z/∂b = I,  ∂z/∂θ = I ⊗ hᵀ
            if layer:
                G = G @ self.parameters[2 * layer]  # ∂z/∂h = W
                G *= h[layer] > 0  # h = max(z, 0):  ∂h/∂z = diag [z > 0], and z > 0 where h > 0
        return loss, gradients[::-1]

    def step(self, x: np.ndarray, targets: np.ndarray, lr: float) -> float:
        """One step of gradient descent, θ ← θ - lr ∂L/∂θ; returns the loss before it. Takes what `gradients` takes."""
        loss, gradients = self.gradients(x, targets)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= lr * gradient
        return loss

    def train(
        self, x: np.ndarray, targets: np.ndarray, *, epochs: int, batch_size: int, lr: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Stochastic gradient descent over minibatches in a fresh order each epoch; returns each step's loss (steps,).

        Shapes: x (n, in_features), targets (n,). The last minibatch of an epoch may be smaller.
        """
        losses = []
        for _ in range(epochs):
            order = rng.permutation(len(x))
            for first in range(0, len(x), batch_size):
                rows = order[first : first + batch_size]
                losses.append(self.step(x[rows], targets[rows], lr))
        return np.array(losses)

    def _outputs(self, x: np.ndarray) -> list[np.ndarray]:
        """x, the output of every hidden layer, and the logits."""
        h = [x]
        for W, b in zip(self.parameters[::2], self.parameters[1::2], strict=True):
            if len(h) > 1:
                np.maximum(h[-1], 0, out=h[-1])
            h.append(h[-1] @ W.T)
            h[-1] += b
        return h


def softmax_cross_entropy(z: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """L = mean_i ℓ_i with ℓ = log Σ_c exp z_c - z_t, in nats, and ∂L/∂z, for logits z (batch, classes).

    p = softmax z has ∂p/∂z = diag p - p pᵀ, and ℓ = -log p_t has ∂ℓ/∂p = -e_tᵀ / p_t; so ∂ℓ/∂z = (p - e_t)ᵀ.
    """
    rows = np.arange(len(z))
    shifted = z - z.max(1, keepdims=True)  # the largest exponent is then e⁰: nothing overflows
    p = np.exp(shifted)
    total = p.sum(1, keepdims=True)
    loss = np.mean(np.log(total[:, 0]) - shifted[rows, targets])
    p /= total
    p[rows, targets] -= 1
    p /= len(z)
    return float(loss), p


def check_input(x: Any, features: int, dtype: Any) -> None:
    """Raises `UserError` unless x, an array or a torch tensor, is (batch, features) of `dtype` and finite."""
    if x.ndim != 2 or x.shape[1] != features or len(x) == 0:
        raise UserError(f"MLP: x has shape {tuple(x.shape)}, expected (batch, {features}) with at least one row")
    if x.dtype != dtype:
        raise UserError(f"MLP: x of shape {tuple(x.shape)} is {x.dtype}, expected {dtype}: convert it")
    if not np.isfinite([float(x.min()), float(x.max())]).all():  # both pass NaN on
        raise UserError(f"MLP: x of shape {tuple(x.shape)} holds NaN or infinity, expected finite values")


def check_targets(targets: Any, rows: int, classes: int, dtype: Any) -> None:
    """Raises `UserError` unless targets, an array or a torch tensor, is (rows,) of `dtype` in [0, classes)."""
    if tuple(targets.shape) != (rows,):
        raise UserError(
            f"MLP: targets have shape {tuple(targets.shape)}, expected ({rows},), one class index for each row of x"
        )
    if targets.dtype != dtype:
        raise UserError(f"MLP: targets are {targets.dtype}, expected class indices of {dtype}")
    if targets.min() < 0 or targets.max() >= classes:
        raise UserError(
            f"MLP: targets of shape ({rows},) are in [{targets.min()}, {targets.max()}], "
            f"expected class indices in [0, {classes - 1}]"
        )
