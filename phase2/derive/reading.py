r"""Formulas as they are printed, evaluated: so that what a reader sees is what was checked.

The part of LaTeX that the derivations use for algebra is read: sums, products, fractions, powers, roots, functions,
sums and products over an index, transposes. Names stand for numbers, for functions, or for arrays: one of two
dimensions is a matrix and multiplies as such, one of a single dimension holds many values of one number. As on paper,
$a/2b$ is $a/(2b)$, and $\log 2\pi$ is $\log(2\pi)$.
"""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import sympy

Names = Mapping[str, Any]
RELATIONS = {"=": "=", r"\approx": "=", r"\le": "<=", "<": "<=", r"\ge": ">=", ">": ">="}
SIGNS = "|".join(re.escape(sign) + (r"(?![a-zA-Z])" if sign[-1].isalpha() else "") for sign in RELATIONS)
UNREAD = (r"\ne", r"\to", r"\sim", r"\propto", r"\in", "|_")  # relations and the like that nothing is made of
SPACES = r"\\[,;!: ]|~|\\(?:[bB]igg?[lr]?|left|right)(?![a-zA-Z])|\\displaystyle"
CLAUSE = r"\\qquad|\\quad|\\Long(?:left|right|leftright)arrow|[,;:]|\\text\{[^}]*\}"
ORDER = re.compile(r"\+O\(.*\)$")  # what a series leaves out
DECIMAL = re.compile(r"-?\d*\.(\d+)(\\ldots)?(?:\\cdot10\^(?:\{(-?\d+)\}|(\d)))?$")
STOPS = ("+", "-", "/", ")", "}", "]", "|", r"\cdot", r"\odot", r"\otimes", r"\rVert", r"\rfloor", r"\rceil", "")

EXACT = {
    **{name: getattr(sympy, name) for name in ("log", "exp", "sin", "cos", "tanh", "cosh", "gamma", "sqrt", "erf")},
    **{"max": sympy.Max, "min": sympy.Min, "floor": sympy.floor, "ceil": sympy.ceiling, "abs": sympy.Abs},
    **{"artanh": sympy.atanh, "sign": sympy.sign, "binom": sympy.binomial, "pi": sympy.pi, "number": sympy.Rational},
    "infty": sympy.oo,
    "integral": lambda inside, x, low, high: sympy.Integral(inside, (x, low, high)).evalf(50),
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
BRACKETS = {"(": ")", "[": "]", "{": "}", "|": "|", r"\lVert": r"\rVert", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    r"\cdot": lambda x, y: times(x, y),
    "/": operator.truediv,
    r"\odot": operator.mul,
    r"\otimes": np.kron,
}


class Unreadable(Exception):
    """Something in a formula that is not algebra, or a name that stands for nothing."""


class Pair(NamedTuple):
    """Two neighbouring sides of a formula: their values, how they relate, and the error that their digits allow."""

    left: Any
    right: Any
    relation: str
    printed: float


def plain(latex: str) -> str:
    r"""LaTeX without what only spaces it, and with one name for each fraction.

    >>> plain(r"\tfrac12\,\bigl( x + \mu v\bigr)")
    '\\frac12(x+\\mu v)'
    """
    latex = re.sub(r"\\[td]frac", r"\\frac", re.sub(SPACES, " ", latex))
    latex = re.sub(r"\\(hat|bar) ([a-z])", r"\\\1{\2}", latex)
    return re.sub(r"\s+", " ", re.sub(r"(?<![a-zA-Z])\s+|\s+(?![a-zA-Z])", "", latex)).strip()


def pairs(latex: str, names: Names, table: Mapping[str, Any] = FLOAT, alone: Any = None) -> list[Pair]:
    """Neighbouring sides that can both be read, of all clauses of a formula.

    `alone` is what a side equals that stands beside nothing else that can be read; None: it is passed over.
    """
    read = {plain(name): value for name, value in names.items()}
    found = []
    for clause in _split(plain(latex), CLAUSE):
        parts = _split(clause, SIGNS, keep=True)
        sides = [_value(ORDER.sub("", side), read, table) for side in parts[::2]]
        readable = [place for place, side in enumerate(sides) if side is not None]
        for one, other in pairwise(readable):
            signs = {RELATIONS[sign] for sign in parts[2 * one + 1 : 2 * other : 2]} - {"="} or {"="}
            if len(signs) == 1:
                digits = max(_precision(parts[2 * place]) for place in (one, other))
                found.append(Pair(sides[one], sides[other], signs.pop(), digits))
        if alone is not None and len(readable) == 1 and set(parts[1::2]) == {"="}:
            found.append(Pair(alone, sides[readable[0]], "=", _precision(parts[2 * readable[0]])))
    return found


def _value(side: str, names: Names, table: Mapping[str, Any]) -> Any:
    try:
        return Reader(side, names, table).whole()
    except Unreadable:
        return None


def _precision(side: str) -> float:
    """Half a unit of the last digit of a decimal number, a whole one where more digits are said to follow."""
    if not (decimal := DECIMAL.match(side)):
        return 0.0
    digits, more, power, short = decimal.groups()
    return float((1.0 if more else 0.5) * 10.0 ** (int(power or short or 0) - len(digits)))


def _split(latex: str, pattern: str, keep: bool = False) -> list[str]:
    """The parts between matches of a pattern that are in no bracket; with `keep` the matches too, in between."""
    parts, depth, begin, place = [], 0, 0, 0
    while place < len(latex):
        here = re.compile(pattern).match(latex, place) if depth == 0 else None
        if here:
            parts += [latex[begin:place], here[0]] if keep else [latex[begin:place]]
            begin = place = here.end()
        else:
            place += latex[place] == "\\" and latex[place + 1 : place + 2] in ("{", "}")
            depth += (latex[place] in "({[") - (latex[place] in ")}]")
            place += 1
    return [part.strip() for part in [*parts, latex[begin:]]]


class Reader:
    """One side of a formula, read from left to right; raises `Unreadable`."""

    def __init__(self, text: str, names: Names, table: Mapping[str, Any]) -> None:
        self.text, self.names, self.table = text.strip(), names, table
        self.ordered = sorted(names, key=len, reverse=True)

    def whole(self) -> Any:
        if not self.text or any(sign in self.text for sign in UNREAD):
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
        while not self.text.startswith(STOPS[:-1]) and self.text:
            if function and (FUNCTION.match(self.text) or self.text.startswith((r"\sum", r"\prod"))):
                break
            values.append(self.factor())
        return reduce(times, values)

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
        """An integral between two bounds, to as many digits as are checked; only with exact numbers."""
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
        value = self.sum()
        self.need(BRACKETS[begin])
        kind = {"|": "abs", r"\lfloor": "floor", r"\lceil": "ceil"}.get(begin)
        return np.linalg.norm(value) if begin == r"\lVert" else self.table[kind](value) if kind else value


def _goes_on(name: str, rest: str, function: bool) -> bool:
    """Whether what begins like a name is a longer one."""
    if re.search(r"\\[a-zA-Z]+$", name) and rest[:1].isalpha():
        return True
    return rest.startswith(("'", "^*", "^{*")) or (rest.startswith("_") and not function)


def times(one: Any, other: Any) -> Any:
    """The product of numbers, of arrays of numbers, or of matrices."""
    return one @ other if np.ndim(one) == np.ndim(other) == 2 else one * other


def numbers(latex: str) -> Iterator[re.Match[str]]:
    r"""Every number of a formula that is no part of a name: where a slip can be made.

    >>> [number[0] for number in numbers(r"\tfrac12 x_1^2 + 0.5")]
    ['1', '2', '2', '0.5']
    """
    return re.finditer(r"(?<![_\d.])(?<!_\{)(?:\d+\.\d+|\d(?=\D|$)|(?<=frac)\d|(?<=frac\d)\d|\d+)", latex)
