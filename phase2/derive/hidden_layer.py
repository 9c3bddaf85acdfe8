"""A random network of one hidden layer in the tangent kernel's scaling: its kernel, its Hessian, its training."""

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.walk import walk
from phase2.optim.sgd import SGD

SAMPLES, INPUTS, WIDTH = 4, 3, 6


class HiddenLayer:
    """f(x) = n^(-1/2) Σ a_k tanh(w_k x / √d) on random inputs X (samples, d) with targets y; θ holds a and w."""

    def __init__(self, rng: np.random.Generator, width: int = WIDTH) -> None:
        self.X, self.y = (
            torch.from_numpy(rng.normal(size=(SAMPLES, INPUTS))),
            torch.from_numpy(rng.normal(size=SAMPLES)),
        )
        self.new = torch.from_numpy(rng.normal(size=(2, INPUTS)))
        self.theta = torch.from_numpy(rng.normal(size=width * (1 + INPUTS)))

    def __call__(self, theta: Tensor, X: Tensor | None = None) -> Tensor:
        """The outputs (samples,) at the parameters θ."""
        a, w = theta.view(-1, 1 + INPUTS).split([1, INPUTS], 1)
        return torch.tanh((self.X if X is None else X) @ w.T / INPUTS**0.5) @ a[:, 0] / len(a) ** 0.5

    def loss(self, theta: Tensor) -> Tensor:
        return ((self(theta) - self.y) ** 2).sum() / 2

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return jacobian(self.loss, torch.from_numpy(theta)).numpy()

    @property
    def J(self) -> Tensor:
        return jacobian(self, self.theta)

    @property
    def kernel(self) -> Tensor:
        return self.J @ self.J.T

    @property
    def residual(self) -> Tensor:
        return self(self.theta) - self.y

    def unit_hessians(self, x: Tensor) -> Tensor:
        """√n times the blocks by unit of the output's Hessian at x (inputs,): (units, 1 + inputs, 1 + inputs)."""
        a, w = self.theta.view(-1, 1 + INPUTS).split([1, INPUTS], 1)
        x = x / INPUTS**0.5
        value = torch.tanh(w @ x)[:, None]
        slope, bend = 1 - value**2, -2 * value * (1 - value**2)
        blocks = torch.zeros(len(a), 1 + INPUTS, 1 + INPUTS, dtype=torch.float64)
        blocks[:, 0, 1:] = blocks[:, 1:, 0] = slope * x
        blocks[:, 1:, 1:] = (a * bend)[:, :, None] * torch.outer(x, x)
        return blocks

    def curvature(self, x: Tensor) -> Tensor:
        """The spectral norm of the output's Hessian at x: that of the largest block."""
        blocks = self.unit_hessians(x)
        return torch.linalg.matrix_norm(blocks, 2).max() / len(blocks) ** 0.5

    def trained(self, rng: np.random.Generator, width: int) -> list[float]:
        """For new weights, trained: change of the outputs, and per unit of it those of weights and of J; and κ."""
        self.theta = torch.from_numpy(rng.normal(size=width * (1 + INPUTS)))
        start, outputs, J = self.theta, self(self.theta), self.J
        kappa = self.curvature(self.X[0]) / J[0].square().sum()
        rate = 1 / float(torch.linalg.eigvalsh(self.kernel)[-1])
        iterates, _ = walk(SGD, self.gradient, start.numpy(), [{}] * 20, lr=rate)
        self.theta = torch.from_numpy(iterates[-1])
        change = (self(self.theta) - outputs).norm()
        moved = (self.theta - start).square().mean().sqrt() / change
        return [float(value) for value in (change, moved, (self.J - J).norm() / J.norm() / change, kappa)]
