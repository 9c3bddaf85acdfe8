"""Functions of the plane on which optimizers are compared. Plain arithmetic: `value` takes numbers, arrays, tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Function:
    """`value(x, y)`, the point from which optimizers start, and the minimum, where the value is zero."""

    value: Callable[[Any, Any], Any]
    start: tuple[float, float]
    minimum: tuple[float, float]


def functions(condition: float) -> dict[str, Function]:
    """The functions by name; `condition` is the condition number of the quadratic."""
    return {
        "quadratic": quadratic(condition),
        "rosenbrock": Function(rosenbrock, (-1.2, 1.0), (1.0, 1.0)),
        "beale": Function(beale, (1.0, 1.0), (3.0, 0.5)),
    }


def quadratic(condition: float) -> Function:
    """(u^2 + condition v^2) / 2 with u = (x + y - 2) / sqrt 2 and v = (x - y) / sqrt 2.

    Its axes are diagonal, so that the Hessian's diagonal is constant and scaling the coordinates, as adaptive methods
    do, is no remedy. Its minimum is not at the origin, where weight decay would lead to it. The Hessian's eigenvalues
    are 1 and `condition`.
    """

    def value(x: Any, y: Any) -> Any:
        return ((x + y - 2) ** 2 + condition * (x - y) ** 2) / 4

    return Function(value, (0.0, 0.4), (1.0, 1.0))


def rosenbrock(x: Any, y: Any) -> Any:
    """The curved valley, from its customary start (Moré, Garbow & Hillstrom 1981, problem 1)."""
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(x: Any, y: Any) -> Any:
    """Plateaus and steep walls (Moré, Garbow & Hillstrom 1981, problem 5)."""
    return sum((c - x * (1 - y**power)) ** 2 for power, c in ((1, 1.5), (2, 2.25), (3, 2.625)))
