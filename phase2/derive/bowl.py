"""A convex function of known curvatures, and Nesterov's momentum on it, in his form and by the library's."""

from collections.abc import Callable

import numpy as np

from phase2.derive.walk import descend

STEPS, SIZE = 15, 3

Gradient = Callable[[np.ndarray], np.ndarray]


def look_ahead(
    gradient: Gradient, start: np.ndarray, rate: float, momentum: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """θ and v, both (steps + 1, parameters), of v ← μ v - η ∇f(θ + μ v), θ ← θ + v."""
    theta, v = [start], [np.zeros_like(start)]
    for _ in range(steps):
        v.append(momentum * v[-1] - rate * gradient(theta[-1] + momentum * v[-1]))
        theta.append(theta[-1] + v[-1])
    return np.array(theta), np.array(v)


def by_code(
    gradient: Gradient, start: np.ndarray, rate: float, momentum: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same of φ and b of the library's SGD."""
    return descend(gradient, start, [rate] * steps, momentum=momentum, nesterov=True)


class Bowl:
    """f(x) = Σ log cosh(A x) + ½ ℓ ‖x‖²: its curvature lies between ℓ and L, and its minimum at 0 is 0."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.A, self.ell = rng.normal(size=(SIZE, SIZE)), rng.uniform(0.01, 0.5)
        self.L = np.linalg.norm(self.A, 2) ** 2 + self.ell
        self.start = 3 * rng.normal(size=SIZE)
        self.rate, self.momentum = rng.uniform(0.1, 1.0) / self.L, rng.uniform(0.5, 0.95)

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.log(np.cosh(x @ self.A.T)).sum(-1) + self.ell / 2 * (x**2).sum(-1)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        return self.A.T @ np.tanh(self.A @ x) + self.ell * x

    def run(self, method: Callable[..., tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        return method(self.gradient, self.start, self.rate, self.momentum, STEPS)
