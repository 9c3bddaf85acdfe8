"""What a derivation is: a claim and the steps to it, each of which can be checked, and is, before it is printed.

A step states `left = right` (or `left <= right`). Where SymPy can hold the statement it is checked by simplification,
else at 50 digits at random points; where matrices are involved both sides are computed in float64 on random inputs,
one of them by automatic differentiation or by plain loops. A remark has no check; a derivation has few of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy

DIGITS = 50
POINTS = 5  # random points at which a statement is evaluated
SLIP = sympy.Rational(1001, 1000)

Case = Callable[[np.random.Generator], tuple[Any, Any]]


class WrongStep(Exception):
    """A step of a derivation that does not hold; says which, and by how much."""


@dataclass(frozen=True)
class Remark:
    """A sentence between steps: LaTeX, not checked."""

    text: str


@dataclass(frozen=True)
class Symbolic:
    """`left` relates to `right`, as SymPy expressions of symbols whose assumptions say where they live.

    `latex` is what is printed, by default the two sides. `span` bounds the random points of the symbols.

    >>> x = sympy.Symbol("x", positive=True)
    >>> Symbolic("a square", (x + 1) ** 2, x**2 + 2 * x + 1).check(np.random.default_rng(0))
    'symbolically'
    """

    text: str
    left: sympy.Expr
    right: sympy.Expr
    relation: str = "="
    latex: str | None = None
    span: tuple[float, float] = (0.1, 2.0)

    @property
    def formula(self) -> str:
        return self.latex or f"{sympy.latex(self.left)} {_sign(self.relation)} {sympy.latex(self.right)}"

    def check(self, rng: np.random.Generator) -> str:
        """How the step was checked; raises `WrongStep` if it does not hold."""
        difference = sympy.sympify(self.left - self.right)
        if self.relation == "=" and sympy.simplify(difference) == 0:
            return "symbolically"
        for _ in range(POINTS):
            value = sympy.N(difference.subs(self._point(rng)).doit(), DIGITS)
            error = sympy.re(value) if self.relation == "<=" else sympy.Abs(value)
            if not error <= sympy.Float(10) ** (15 - DIGITS):
                raise WrongStep(f"{self.text}: {self.formula} is off by {sympy.N(value, 5)}")
        return f"at {DIGITS} digits"

    def _point(self, rng: np.random.Generator) -> dict[sympy.Symbol, sympy.Expr]:
        """Values that keep to the symbols' assumptions, the same digits on every machine."""
        symbols = sorted((self.left - self.right).free_symbols, key=str)
        point = {}
        for symbol in symbols:
            value = sympy.Rational(int(rng.integers(1000)), 1000) * sympy.Rational(str(self.span[1] - self.span[0]))
            value += sympy.Rational(str(self.span[0]))
            if symbol.is_integer:
                value = sympy.Integer(int(rng.integers(2, 9)))
            elif not symbol.is_positive and rng.random() < 0.5:
                value = -value
            point[symbol] = value
        return point

    def mistaken(self) -> "Symbolic":
        """The same step with a slip on its right side; an inequality is turned round."""
        if self.relation == "<=":
            return replace(self, left=self.right, right=self.left)
        return replace(self, right=self.right * SLIP + (SLIP - 1))


@dataclass(frozen=True)
class Numeric:
    """`case(rng)` gives both sides as arrays for one random input; they relate to within `tolerance`.

    The tolerance is relative to the largest entry of the right side, or absolute where that is below 1.
    """

    text: str
    latex: str
    case: Case
    relation: str = "="
    tolerance: float = 1e-9
    how: str = "in float64 on random inputs"

    @property
    def formula(self) -> str:
        return self.latex

    def check(self, rng: np.random.Generator) -> str:
        """How the step was checked; raises `WrongStep` if it does not hold."""
        for _ in range(POINTS):
            left, right = (np.asarray(side, dtype=float) for side in self.case(rng))
            if left.shape != right.shape:
                raise WrongStep(f"{self.text}: {left.shape} on the left, {right.shape} on the right")
            if not (np.isfinite(left).all() and np.isfinite(right).all()):
                raise WrongStep(f"{self.text}: a side is not finite")
            scale = max(1.0, float(np.abs(right).max(initial=0.0)))
            difference = left - right
            error = float((difference if self.relation == "<=" else np.abs(difference)).max(initial=-np.inf))
            if not error <= self.tolerance * scale:
                raise WrongStep(f"{self.text}: {self.latex} is off by {error:.3g}")
        return self.how

    def mistaken(self) -> "Numeric":
        """The same step with a slip on its right side; an inequality is turned round."""
        slip = max(float(SLIP - 1), 3 * self.tolerance)

        def slipped(rng: np.random.Generator) -> tuple[Any, Any]:
            left, right = (np.asarray(side, dtype=float) for side in self.case(rng))
            return (right, left) if self.relation == "<=" else (left, right + slip * np.abs(right).max(initial=1.0))

        return replace(self, case=slipped)


Step = Symbolic | Numeric | Remark


@dataclass(frozen=True)
class Derivation:
    """A claim (LaTeX) with the steps to it and the keys of its sources in report/references.bib."""

    name: str
    title: str
    claim: str
    steps: list[Step] = field(default_factory=list)
    cites: tuple[str, ...] = ()

    def check(self, seed: int = 0) -> list[str]:
        """Checks every step; returns how each was checked, "" for a remark. Raises `WrongStep` for one that fails."""
        ways = []
        for number, step in enumerate(self.steps, start=1):
            try:
                ways.append("" if isinstance(step, Remark) else step.check(np.random.default_rng((seed, number))))
            except WrongStep as error:
                raise WrongStep(f"{self.name}, step {number}: {error}") from None
        return ways


def _sign(relation: str) -> str:
    return r"\le" if relation == "<=" else relation
