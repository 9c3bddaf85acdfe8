"""What a derivation is: a claim and the steps to it, each of which can be checked, and is, before it is printed.

A step states `left = right` (or `left <= right`). Where SymPy can hold the statement it is checked by simplification,
else at 50 digits at random points; where matrices are involved both sides are computed in float64 on random inputs,
one of them by automatic differentiation or by plain loops. What is printed is read and has to agree with that. A bound
names a case in which it is reached, or how far from it the case stays. A remark has no check; a derivation has few.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy

from phase2.derive.reader import DIGITS, EXACT
from phase2.derive.reading import pairs

POINTS = 5  # random points at which a statement is evaluated
SLIP = sympy.Rational(1001, 1000)
ROUNDING = 1e-9  # of float64, relative to the largest entry
PINNED = 1.1  # a bound that is larger or smaller by this factor, beside what it says of its slack, does not hold

Case = Callable[[np.random.Generator], Any]


class WrongStep(Exception):
    """A step of a derivation that does not hold; says which, and by how much."""


@dataclass(frozen=True)
class Remark:
    """A sentence between steps: LaTeX, not checked."""

    text: str


@dataclass(frozen=True)
class Symbolic:
    """`left` relates to `right`, as SymPy expressions of symbols whose assumptions say where they live.

    `latex` is what is printed, by default the two sides; what can be read of it has to agree, where `names` stand for
    expressions, or for functions of them. `span` bounds the random points of the symbols. A bound holds `at` a point
    too, and is there at most `slack` times what it bounds.

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
    names: Mapping[str, Any] = field(default_factory=dict)
    at: Mapping[sympy.Symbol, Any] | None = None
    slack: float = 1.0

    @property
    def formula(self) -> str:
        return self.latex or f"{sympy.latex(self.left)} {_sign(self.relation)} {sympy.latex(self.right)}"

    def check(self, rng: np.random.Generator) -> str:
        """How the step was checked; raises `WrongStep` if it does not hold."""
        difference = sympy.sympify(self.left - self.right)
        if self.relation == "=" and sympy.simplify(difference) == 0:
            self._read(self._point(rng))
            return "symbolically"
        for _ in range(POINTS):
            point = self._point(rng)
            self._compare(*(_value(side, point) for side in (self.left, self.right)))
            self._read(point)
        if self.relation == "=":
            return f"at {DIGITS} digits"
        if self.at is None:
            raise WrongStep(f"{self.text}: says nowhere how near the bound is (at=)")
        left, right = (_value(side, self.at) for side in (self.left, self.right))
        self._compare(left, right)
        if not right - left <= (self.slack - 1) * sympy.Abs(left) + _error():
            raise WrongStep(f"{self.text}: the bound is {float(right / left):.5g} times what it bounds")
        return f"at {DIGITS} digits{_nearness(self.slack)}"

    def _compare(self, left: sympy.Expr, right: sympy.Expr, relation: str = "", digits: float = 0.0) -> None:
        error = (left - right) if (relation or self.relation) == "<=" else sympy.Abs(left - right)
        if not sympy.re(error) <= _error() + digits:
            raise WrongStep(f"{self.text}: {self.formula} is off by {sympy.N(error, 5)!s}")

    def _read(self, point: Mapping[sympy.Symbol, Any]) -> None:
        """Compares what is printed with what is checked, at a point."""
        if self.latex is not None:
            read = self.read(point)
            bounds = [pair.right for pair in read if pair.relation == "<=" == self.relation]
            if bounds and not any(abs(bound - _value(self.right, point)) <= _error() for bound in bounds):
                raise WrongStep(f"{self.text}: {self.formula} has another bound than {self.right}")
            for pair in read:
                left, right = (sympy.N(side, DIGITS) for side in (pair.left, pair.right))
                turned = pair.relation == ">="
                relation = "<=" if turned else pair.relation
                self._compare(*((right, left) if turned else (left, right)), relation, pair.printed)

    def read(self, point: Mapping[sympy.Symbol, Any]) -> list[Any]:
        """The sides of what is printed that can be read, in pairs, with the values of a point for the symbols."""
        symbols = {sympy.latex(symbol): symbol for symbol in self._symbols()}
        known = {
            name: each if callable(each) and not isinstance(each, sympy.Basic) else _value(each, point)
            for name, each in {**symbols, **self.names}.items()
        }
        return pairs(str(self.latex), known, EXACT, alone=_value(self.right, point))

    def _symbols(self) -> list[sympy.Symbol]:
        expressions = [each for each in (self.left, self.right, *self.names.values()) if isinstance(each, sympy.Basic)]
        return sorted(set().union(*(each.free_symbols for each in expressions)), key=str)

    def _point(self, rng: np.random.Generator) -> dict[sympy.Symbol, sympy.Expr]:
        """Values that keep to the symbols' assumptions, the same digits on every machine."""
        point = {}
        for symbol in self._symbols():
            value = sympy.Rational(int(rng.integers(1000)), 1000) * sympy.Rational(str(self.span[1] - self.span[0]))
            value += sympy.Rational(str(self.span[0]))
            if symbol.is_integer:
                value = sympy.Integer(int(rng.integers(2, 9)))
            elif not symbol.is_positive and rng.random() < 0.5:
                value = -value
            point[symbol] = value
        return point

    def mistaken(self) -> Iterator["Symbolic"]:
        """The same step with a slip on its right side; a bound is too large and too small."""
        if self.relation == "<=":
            factors = PINNED, 1 / (PINNED * self.slack)
            return (replace(self, right=sympy.Rational(str(factor)) * self.right, latex=None) for factor in factors)
        return iter([replace(self, right=self.right * SLIP + (SLIP - 1), latex=None)])


@dataclass(frozen=True)
class Numeric:
    """`case(rng)` gives both sides as arrays for one random input; they relate to within `tolerance`.

    The tolerance is relative to each entry of the right side; `absolute` is allowed besides, relative to the largest
    entry or to 1. A case may give names with their values instead: then what is printed is read and checked itself. A
    bound holds in the case `at` too, and is there at most `slack` times what it bounds, entry by entry.
    """

    text: str
    latex: str
    case: Case
    relation: str = "="
    tolerance: float = 0.0
    how: str = "in float64 on random inputs"
    absolute: float = ROUNDING
    at: Case | None = None
    slack: float = 1.0

    @property
    def formula(self) -> str:
        return self.latex

    def check(self, rng: np.random.Generator) -> str:
        """How the step was checked; raises `WrongStep` if it does not hold."""
        for _ in range(POINTS):
            for sides in self.sides(self.case(rng)):
                self._compare(*sides)
        if self.relation == "=":
            return self.how
        if self.at is None:
            raise WrongStep(f"{self.text}: says nowhere how near the bound is (at=)")
        for left, right, relation, digits in self.sides(self.at(rng)):
            self._compare(left, right, relation, digits)
            if relation == "<=":
                self._near(left, right)
        return self.how + _nearness(self.slack)

    def sides(self, case: Any) -> Iterator[tuple[np.ndarray, np.ndarray, str, float]]:
        """Left and right, how they relate, and the error that printed digits allow."""
        if isinstance(case, tuple):
            yield np.asarray(case[0], dtype=float), np.asarray(case[1], dtype=float), self.relation, 0.0
            return
        read = pairs(self.latex, case)
        if not read:
            raise WrongStep(f"{self.text}: nothing of {self.latex} can be read")
        for pair in read:
            left, right = np.broadcast_arrays(*(np.asarray(side, dtype=float) for side in (pair.left, pair.right)))
            if pair.relation != "=" and self.relation == "=":
                raise WrongStep(f"{self.text}: {self.latex} is a bound (relation=)")
            turned = pair.relation == ">="
            yield *((right, left) if turned else (left, right)), "<=" if turned else pair.relation, pair.printed

    def _compare(self, left: np.ndarray, right: np.ndarray, relation: str, digits: float) -> None:
        if left.shape != right.shape:
            raise WrongStep(f"{self.text}: {left.shape} on the left, {right.shape} on the right")
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            raise WrongStep(f"{self.text}: a side is not finite")
        error = left - right if relation == "<=" else np.abs(left - right)
        if not (error <= self._allowed(right) + digits).all():
            raise WrongStep(f"{self.text}: {self.latex} is off by {error.max():.3g}")

    def _near(self, left: np.ndarray, right: np.ndarray) -> None:
        if not (right - left <= (self.slack - 1) * np.abs(left) + self._allowed(right)).all():
            with np.errstate(divide="ignore", invalid="ignore"):
                raise WrongStep(f"{self.text}: the bound is {(right / left).max():.5g} times what it bounds")

    def _allowed(self, right: np.ndarray) -> np.ndarray:
        return self.tolerance * np.abs(right) + self.absolute * max(1.0, float(np.abs(right).max(initial=0.0)))

    def mistaken(self) -> Iterator["Numeric"]:
        """The same step with a slip on its right sides; a bound is too large and too small."""
        factors = (PINNED, 1 / (PINNED * self.slack)) if self.relation == "<=" else (1.0,)
        return (_Slipped(**vars(self), factor=factor) for factor in factors)


@dataclass(frozen=True)
class _Slipped(Numeric):
    """A step whose right sides are wrong by a little, and whose bounds by a factor."""

    factor: float = 1.0

    def sides(self, case: Any) -> Iterator[tuple[np.ndarray, np.ndarray, str, float]]:
        slip = max(float(SLIP - 1), 3 * self.tolerance, 3 * self.absolute)
        for left, right, relation, digits in super().sides(case):
            wrong = right + slip * max(1.0, float(np.abs(right).max(initial=0.0))) + 3 * digits
            yield left, self.factor * right if relation == "<=" else wrong, relation, digits


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


def _value(side: Any, point: Mapping[sympy.Symbol, Any]) -> sympy.Expr:
    return sympy.N(sympy.sympify(side).subs(dict(point)).doit(), DIGITS)


def _error() -> sympy.Float:
    return sympy.Float(10) ** (15 - DIGITS)


def _nearness(slack: float) -> str:
    """What is said of a bound beside how it was checked."""
    if slack <= 1.02:
        return ", and reached" if slack == 1 else ", and approached"
    return f", and within a factor of {slack:.3g}"
