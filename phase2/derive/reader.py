"""One side of a printed formula, read from left to right, with its names standing for numbers, functions or arrays."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import mpmath
import numpy as np
import sympy

DIGITS = 50

Names = Mapping[str, Any]
UNREAD = re.compile(r"\\(ne|to|sim|propto|in)(?![a-zA-Z])|\|_")  # relations and the like that nothing is made of
STOPS = (
    ",",
    "+",
    "-",
    "/",
    ")",
    "}",
    "]",
    "|",
    r"\cdot",
    r"\odot",
    r"\otimes",
    r"\rVert",
    r"\rfloor",
    r"\rceil",
    r"\rvert",
)

EXACT = {
    **{name: getattr(sympy, name) for name in ("log", "exp", "sin", "cos", "tanh", "cosh", "gamma", "sqrt", "erf")},
    **{"max": sympy.Max, "min": sympy.Min, "floor": sympy.floor, "ceil": sympy.ceiling, "abs": sympy.Abs},
    **{"artanh": sympy.atanh, "sign": sympy.sign, "binom": sympy.binomial, "pi": sympy.pi, "number": sympy.Rational},
    "infty": sympy.oo,
    "integral": lambda *integral: _quadrature(*integral),
}
FLOAT = {
    **{
        name: getattr(np, name) for name in ("log", "exp", "sin", "cos", "tanh", "cosh", "sqrt", "sign", "abs", "floor")
    },
    **{"max": np.maximum, "min": np.minimum, "ceil": np.ceil, "artanh": np.arctanh, "pi": np.pi, "number": float},
    "infty": np.inf,
    **{"binom": math.comb, "gamma": math.gamma, "diag": lambda x: np.diag(np.ravel(x))},
}
FUNCTION = re.compile(
    r"\\(?:operatorname\{([a-z]+)\}|(log|exp|sin|cos|tanh|cosh|max|min|sup))(?![a-zA-Z])|\\(Gamma)(?=\()"
)
BRACKETS = {
    **{"(": ")", "[": "]", "{": "}", "|": "|"},
    **{rf"\l{kind}": rf"\r{kind}" for kind in ("Vert", "vert", "floor", "ceil")},
}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    r"\cdot": lambda x, y: times(x, y),
    "/": operator.truediv,
    r"\odot": operator.mul,
    r"\otimes": np.kron,
}


def _quadrature(inside: sympy.Expr, x: sympy.Symbol, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    """A definite integral to some 50 digits; unlike SymPy's, it comes to an end where there is none."""
    with mpmath.workdps(DIGITS + 10):
        ends = [sympy.lambdify((), end, "mpmath")() for end in (low, high)]
        return sympy.Float(str(mpmath.re(mpmath.quad(sympy.lambdify(x, inside, "mpmath"), ends))), DIGITS)


class Unreadable(Exception):
    """Something in a formula that is not algebra, or a name that stands for nothing."""


class Reader:
    """One side of a formula, read from left to right; raises `Unreadable`."""

    def __init__(self, text: str, names: Names, table: Mapping[str, Any]) -> None:
        self.text, self.names, self.table = text.strip(), names, table
        self.ordered, self.bars = sorted(names, key=len, reverse=True), 0

    def whole(self) -> Any:
        if not self.text or UNREAD.search(self.text):
            raise Unreadable(self.text)
        if self.text in self.names:
            return self.names[self.text]
        value = self.sum()
        if self.text:
            raise Unreadable(self.text)
        return value

    def take(self, *words: str) -> str:
        """The word that is next, now behind us; "" if none of them is."""
        self.text = self.text.lstrip()
        for word in words:
            if self.text.startswith(word) and not (word[-1].isalpha() and self.text[len(word) :][:1].isalpha()):
                self.text = self.text[len(word) :].lstrip()
                return word
        return ""

    def need(self, word: str) -> None:
        if not self.take(word):
            raise Unreadable(self.text)

    def sum(self) -> Any:
        sign = self.take("-", "+")
        value = -self.product() if sign == "-" else self.product()
        while sign := self.take("-", "+"):
            value = value - self.product() if sign == "-" else value + self.product()
        return value

    def product(self) -> Any:
        value = self.row()
        while sign := self.take(*OPERATORS):
            value = OPERATORS[sign](value, self.row())
        return value

    def row(self, function: bool = False) -> Any:
        """Factors side by side; those of a function's argument end where the next function begins."""
        values = [self.factor()]
        while not self.ends():
            if function and (FUNCTION.match(self.text) or self.text.startswith((r"\sum", r"\prod"))):
                break
            values.append(self.factor())
        return reduce(times, values)

    def ends(self) -> bool:
        """Whether no factor follows; a bar is the end of what is between bars, else the beginning."""
        bar = self.text.startswith("|") and not self.bars
        return not self.text or (self.text.startswith(STOPS) and not bar)

    def factor(self) -> Any:
        if (name := self.named()) is not None:
            return self.raised(self.called(name))
        if self.take(r"\int"):
            return self.integral()
        if word := self.take(r"\sum", r"\prod"):
            return self.over(operator.add if word == r"\sum" else times)
        if function := FUNCTION.match(self.text):
            return self.function(function)
        return self.raised(self.atom())

    def raised(self, value: Any) -> Any:
        while self.take("^"):
            value = np.transpose(value) if self.take(r"{\top}", r"\top") else value ** self.argument()
        return value

    def argument(self) -> Any:
        """What stands in braces, or the next digit, letter or command."""
        if self.take("{"):
            value = self.sum()
            self.need("}")
            return value
        if digit := re.match(r"\d", self.text):
            self.text = self.text[1:]
            return self.table["number"](digit[0])
        return self.atom()

    def function(self, match: re.Match[str]) -> Any:
        self.text = self.text[match.end() :].lstrip()
        name = match[1] or match[2] or "gamma"
        if name in ("max", "min", "sup") and self.take("_"):
            return self.extreme(np.min if name == "min" else np.max)
        if name not in self.table:
            raise Unreadable(name)
        power = self.argument() if self.take("^") else 1
        if name in ("max", "min", "diag", "gamma") or self.text.startswith("("):
            values = self.listed("(", ")")
            if len(values) == 1 and name not in ("max", "min", "diag", "gamma"):
                values = [self.raised(values[0])]
        else:
            values = [self.row(function=True)]
        return reduce(self.table[name], values) ** power if len(values) > 1 else self.table[name](*values) ** power

    def extreme(self, of: Callable[[Any], Any]) -> Any:
        """The largest or smallest value of what follows, over the array that its variable stands for."""
        subscript = re.match(r"[a-z]|\{[^{}]*\}", self.text)
        if not subscript:
            raise Unreadable(self.text)
        self.text = self.text[subscript.end() :]
        return of(self.row())

    def listed(self, begin: str, end: str) -> list[Any]:
        self.need(begin)
        values = [self.sum()]
        while self.take(","):
            values.append(self.sum())
        self.need(end)
        return values

    def over(self, combine: Callable[[Any, Any], Any]) -> Any:
        """A sum or a product over an index that runs through whole numbers."""
        self.need("_{")
        index = re.match(r"([a-zA-Z])=", self.text)
        if not index:
            raise Unreadable(self.text)
        self.text = self.text[index.end() :]
        first = self.sum()
        self.need("}")
        self.need("^")
        last = self.argument()
        if not math.isfinite(last):
            raise Unreadable("a series")
        body, names, values = self.text, self.names, []
        for value in range(round(float(first)), round(float(last)) + 1):
            self.text, self.names = body, {**names, index[1]: self.table["number"](value)}
            self.ordered = sorted(self.names, key=len, reverse=True)
            values.append(self.product())
        self.names = names
        if not values:
            raise Unreadable("an empty sum")
        return reduce(combine, values)

    def atom(self) -> Any:
        if (name := self.named()) is not None:
            return self.called(name)
        if number := re.match(r"\d*\.?\d+(\\ldots)?", self.text):
            self.text = self.text[number.end() :].lstrip()
            return self.table["number"](number[0].removesuffix(r"\ldots"))
        if self.take(r"\frac"):
            over = self.argument()
            return over / self.argument()
        if self.take(r"\sqrt"):
            return self.table["sqrt"](self.argument())
        if self.take(r"\binom"):
            return self.table["binom"](self.argument(), self.argument())
        if constant := self.take(r"\pi", r"\infty"):
            return self.table[constant[1:]]
        if self.take("e^"):
            return self.table["exp"](self.argument())
        return self.bracket()

    def named(self) -> Any:
        """What the longest name that is next stands for; None if there is none."""
        for name in self.ordered:
            if self.text.startswith(name) and not _goes_on(name, self.text[len(name) :], callable(self.names[name])):
                self.text = self.text[len(name) :].lstrip()
                return self.names[name]
        return None

    def integral(self) -> Any:
        """An integral between two bounds; only with exact numbers."""
        if "integral" not in self.table:
            raise Unreadable(self.text)
        self.need("_")
        low = self.argument()
        self.need("^")
        high = self.argument()
        end = re.search(r"d([a-z]|\\[a-z]+)(?![a-zA-Z])", self.text)
        if not end:
            raise Unreadable(self.text)
        variable = sympy.Dummy(real=True)
        inside = Reader(self.text[: end.start()], {**self.names, end[1]: variable}, self.table).whole()
        self.text = self.text[end.end() :].lstrip()
        return self.table["integral"](inside, variable, low, high)

    def called(self, value: Any) -> Any:
        """The value of a name, or of the function that it stands for, at the index or argument behind it."""
        if not callable(value):
            return value
        if self.take("_"):
            return value(self.argument())
        return value(*self.listed("(", ")"))

    def bracket(self) -> Any:
        begin = self.take(*BRACKETS)
        if not begin:
            raise Unreadable(self.text)
        self.bars += begin == "|"
        value = self.sum()
        self.bars -= begin == "|"
        self.need(BRACKETS[begin])
        kind = {"|": "abs", r"\lvert": "abs", r"\lfloor": "floor", r"\lceil": "ceil"}.get(begin)
        return np.linalg.norm(value) if begin == r"\lVert" else self.table[kind](value) if kind else value


def _goes_on(name: str, rest: str, function: bool) -> bool:
    """Whether what begins like a name is a longer one."""
    if re.search(r"\\[a-zA-Z]+$", name) and rest[:1].isalpha():
        return True
    return rest.startswith(("'", "^*", "^{*")) or (rest.startswith("_") and not function)


def times(one: Any, other: Any) -> Any:
    """The product of numbers, of arrays of numbers, or of matrices."""
    return one @ other if np.ndim(one) == np.ndim(other) == 2 else one * other
