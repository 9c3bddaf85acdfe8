"""Random residual networks: one with its Jacobians, and one whose branches end in weights that are 0."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

SIZE, BLOCKS = 4, 6  # of the small networks

Branch = Callable[[Tensor], Tensor]


class Network:
    """Branches F(x) = s V relu(√2 U x) with weights of variance 1/n: each Jacobian multiplies the mean square by s²."""

    def __init__(self, rng: np.random.Generator, size: int = SIZE, blocks: int = BLOCKS) -> None:
        self.s = rng.uniform(0.3, 0.9)
        weights = torch.from_numpy(rng.normal(scale=size**-0.5, size=(blocks, 2, size, size)))
        self.branches: list[Branch] = [
            lambda x, U=U, V=V: self.s * V @ torch.relu(2**0.5 * U @ x)  # type: ignore[misc]
            for U, V in weights
        ]
        self.x = torch.from_numpy(rng.normal(size=size))
        self.g = torch.from_numpy(rng.normal(size=size))  # the gradient at the top

    def states(self, x: Tensor, shortcut: float = 1.0) -> list[Tensor]:
        """x_0 to x_L, where x_{l+1} is `shortcut` times x_l and its branch; a plain chain has no shortcut, 0."""
        states = [x]
        for branch in self.branches:
            states.append(shortcut * states[-1] + branch(states[-1]))
        return states

    def jacobians(self, shortcut: float = 1.0) -> list[Tensor]:
        """J_l of every branch at its own input."""
        inputs = self.states(self.x, shortcut)[:-1]
        return [jacobian(branch, x) for branch, x in zip(self.branches, inputs, strict=True)]

    def gradient(self, shortcut: float = 1.0) -> Tensor:
        """∂(g · x_L)/∂x_0 by automatic differentiation."""
        return jacobian(lambda x: self.g @ self.states(x, shortcut)[-1], self.x)

    def singular_values(self, shortcut: float = 1.0) -> Tensor:
        """Those of ∂x_L/∂x_0, the largest first."""
        return torch.linalg.svdvals(jacobian(lambda x: self.states(x, shortcut)[-1], self.x))


class ZeroLast:
    """Residual blocks F(x) = W2 relu(W1 x) of which every W2 is 0; θ holds all W1, then all W2."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.W1 = torch.from_numpy(rng.normal(size=(BLOCKS, SIZE, SIZE)))
        self.W2 = torch.zeros(BLOCKS, SIZE, SIZE, dtype=torch.float64)
        self.x, self.g = torch.from_numpy(rng.normal(size=(2, SIZE)))

    def __call__(self, x: Tensor, W1: Tensor, W2: Tensor) -> Tensor:
        for first, second in zip(W1, W2, strict=True):
            x = x + second @ torch.relu(first @ x)
        return x

    @property
    def gradients(self) -> tuple[Tensor, Tensor, Tensor]:
        """Those of g · x_L by x_0, W1 and W2, by automatic differentiation."""
        return jacobian(lambda *at: self.g @ self(*at), (self.x, self.W1, self.W2))

    @property
    def hidden(self) -> Tensor:
        """What the last layers see, (BLOCKS, SIZE): every block's input is x_0."""
        return torch.relu(self.W1 @ self.x)
