r"""Formulas as they are printed, evaluated: so that what a reader sees is what was checked.

The part of LaTeX that the derivations use for algebra is read: sums, products, fractions, powers, roots, functions,
sums and products over an index, transposes. Names stand for numbers, for functions, or for arrays: one of two
dimensions is a matrix and multiplies as such, one of a single dimension holds many values of one number. As on paper,
$a/2b$ is $a/(2b)$, and $\log 2\pi$ is $\log(2\pi)$.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from phase2.derive.reader import FLOAT, Names, Reader, Unreadable

RELATIONS = {"=": "=", r"\approx": "=", r"\le": "<=", "<": "<=", r"\ge": ">=", ">": ">="}
SIGNS = "|".join(re.escape(sign) + (r"(?![a-zA-Z])" if sign[-1].isalpha() else "") for sign in RELATIONS)
SPACES = r"\\[,;!: ]|~|\\(?:[bB]igg?[lr]?|left|right)(?![a-zA-Z])|\\displaystyle"
CLAUSE = r"\\qquad|\\quad|\\Long(?:left|right|leftright)arrow|[,;:]|\\text\{[^}]*\}"
ORDER = re.compile(r"\+O\(.*\)$")  # what a series leaves out
DECIMAL = re.compile(r"-?\d*\.(\d+)(\\ldots)?(?:\\cdot10\^(?:\{(-?\d+)\}|(\d)))?$")


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
