"""Random convolutions of a line and of images: what they compute by torch, and by selections and windows."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.functional import jacobian

BATCH, CHANNELS, FILTERS = 2, 2, 3


class _Random:
    """Random kernel size k, stride s, dilation d and padding p ≤ d (k - 1), in which every tap meets some input."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.k, self.s, self.d = int(rng.integers(2, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
        self.reach = self.d * (self.k - 1)
        self.p = int(rng.integers(self.reach + 1))
        self.options: dict[str, Any] = {"stride": self.s, "padding": self.p, "dilation": self.d}

    def size(self, rng: np.random.Generator) -> int:
        """A random size of an input, with two outputs at least."""
        return self.reach + 1 + self.s + int(rng.integers(4))

    def selections(self, n: int) -> np.ndarray:
        """The matrices S_a (k, n', n): S_a takes from an input (n,) what tap a meets at each output (n',)."""
        outputs = (n + 2 * self.p - self.reach - 1) // self.s + 1
        S = np.zeros((self.k, outputs, n))
        for a in range(self.k):
            for i in range(outputs):
                j = self.s * i + self.d * a - self.p
                if 0 <= j < n:
                    S[a, i, j] = 1
        return S


class Line(_Random):
    """One channel in one dimension: input x (n,), kernel w (k,), bias b (1,), and the error δ (n',) of the output."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.S = self.selections(self.size(rng))
        _, outputs, n = self.S.shape
        self.x, self.w, self.b, self.delta = (
            torch.from_numpy(rng.normal(size=size)) for size in (n, self.k, 1, outputs)
        )
        self.T = np.tensordot(self.w, self.S, 1)
        self.unread = (n + 2 * self.p - self.reach - 1) % self.s  # inputs behind the last window

    def output(self, **changed: Tensor) -> Tensor:
        """y (n',) by torch's convolution, with some quantities changed."""
        v = {**vars(self), **changed}
        return F.conv1d(v["x"][None, None], v["w"][None, None], v["b"], **self.options)[0, 0]

    def jacobian(self, name: str) -> Tensor:
        """∂y/∂name by automatic differentiation."""
        return jacobian(lambda value: self.output(**{name: value}), getattr(self, name))

    def gradient(self, name: str) -> Tensor:
        """∂L/∂name of a loss L with ∂L/∂y = δ, by automatic differentiation."""
        return jacobian(lambda value: self.delta @ self.output(**{name: value}), getattr(self, name))


class Images(_Random):
    """Images x (batch, channels, height, width) under weights W, and the error of the output in the output's shape."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.shape = self.size(rng), self.size(rng)
        self.S = [self.selections(n) for n in self.shape]
        self.outputs = tuple(S.shape[1] for S in self.S)

        def normal(*shape: int) -> Tensor:
            return torch.from_numpy(rng.normal(size=shape))

        self.x, self.b = normal(BATCH, CHANNELS, *self.shape), normal(FILTERS)
        self.W = normal(FILTERS, CHANNELS, self.k, self.k)
        self.delta = normal(BATCH, FILTERS, *self.outputs)
        self.X = self.unfold()
        self.Delta = self.delta.movedim(1, -1).reshape(-1, FILTERS)

    def output(self, **changed: Tensor) -> Tensor:
        """y (batch, filters, height', width') by torch's convolution, with some quantities changed."""
        v = {**vars(self), **changed}
        return F.conv2d(v["x"], v["W"], v["b"], **self.options)

    def gradient(self, name: str) -> Tensor:
        """∂L/∂name by automatic differentiation, in the shape of `name`."""
        return jacobian(lambda value: (self.delta * self.output(**{name: value})).sum(), getattr(self, name))

    def places(self) -> list[tuple[int, int, slice, slice]]:
        """For each tap (a, b) what it meets in the padded image."""
        rows, columns = (
            [slice(self.d * a, self.d * a + self.s * n, self.s) for a in range(self.k)] for n in self.outputs
        )
        return [(a, b, rows[a], columns[b]) for a in range(self.k) for b in range(self.k)]

    def unfold(self) -> Tensor:
        """The windows as rows (batch · height' · width', channels · k²)."""
        padded = F.pad(self.x, (self.p,) * 4)
        taps = torch.stack([padded[:, :, rows, columns] for _, _, rows, columns in self.places()], 2)
        return taps.flatten(1, 2).movedim(1, -1).flatten(0, 2)

    def fold(self, rows: Tensor) -> Tensor:
        """Rows in the shape of the unfolded input, each entry added to the input that it came from."""
        height, width = self.shape
        padded = torch.zeros(BATCH, CHANNELS, height + 2 * self.p, width + 2 * self.p, dtype=torch.float64)
        taps = rows.view(BATCH, *self.outputs, CHANNELS, self.k, self.k)
        for a, b, at_rows, at_columns in self.places():
            padded[:, :, at_rows, at_columns] += taps[..., a, b].movedim(-1, 1)
        return padded[:, :, self.p : self.p + height, self.p : self.p + width]

    @property
    def by_products(self) -> list[Tensor]:
        """The output and ∂L/∂W, ∂L/∂b and ∂L/∂x in the shapes of y, W, b and x, by products of matrices."""
        W = self.W.flatten(1)
        y = (self.X @ W.T + self.b).view(BATCH, *self.outputs, FILTERS).movedim(-1, 1)
        return [y, (self.Delta.T @ self.X).view_as(self.W), self.Delta.sum(0), self.fold(self.Delta @ W)]
