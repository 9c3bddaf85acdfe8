"""Text and numbers as LaTeX: escaping, and one format for each kind of number."""

import math

from phase2 import registry
from phase2.tex import escape as escape

MISSING = "--"


def lines(*parts: str) -> str:
    """Parts of a source, each on lines of its own."""
    return "\n".join(parts)


def described(kind: str, name: str) -> str:
    """A part's definition with its citation."""
    card = registry.part(kind, name).card
    return card.definition + (rf"~\cite{{{card.cites}}}" if card.cites else "")


def count(number: float) -> str:
    """A whole number with its thousands apart; a missing one is a dash."""
    return f"{int(number):,}" if math.isfinite(number) else MISSING


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction in percent, without the sign: for a column whose head has it."""
    return f"{100 * fraction:.{digits}f}" if math.isfinite(fraction) else MISSING


def percentage(fraction: float, digits: int = 2) -> str:
    """A fraction in percent, with the sign."""
    return percent(fraction, digits) + r"\%"


def signed(fraction: float) -> str:
    """A difference of fractions in percentage points, with a sign that is as wide as a digit."""
    return f"${100 * fraction:+.2f}$" if math.isfinite(fraction) else MISSING


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval of fractions in percent; a dash if there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"[${100 * low:.{digits}f}$, ${100 * high:.{digits}f}$]"


def p_value(p: float) -> str:
    """A p-value for a table: three decimals, small ones as a bound."""
    if not math.isfinite(p):
        return MISSING
    return "$<$0.001" if p < 0.001 else f"{p:.3f}"


def p_phrase(p: float) -> str:
    """A p-value for a sentence: the relation with it."""
    return "$p<0.001$" if p < 0.001 else f"$p={p:.3f}$"


def number(value: float, digits: int = 2) -> str:
    """A plain number in math mode, so that its minus is one; a dash if it is missing."""
    return f"${value:.{digits}f}$" if math.isfinite(value) else MISSING


def listed(items: list[str]) -> str:
    """Items as an English list.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)


def plural(number: int, noun: str) -> str:
    """A number of things.

    >>> plural(1000, "run")
    '1,000 runs'
    """
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
