"""Text and numbers as LaTeX: escaping, and one format for each kind of number."""

import math

from phase2 import registry
from phase2.study.score import Score
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


def score_text(score: Score, number: float, digits: int = 2) -> str:
    """A score, or a difference of scores, without its unit: for a column whose head has it; a missing one is a dash."""
    return score.number(score.scale * number, digits) if math.isfinite(number) else MISSING


def quantity(score: Score, number: float, digits: int = 2) -> str:
    """A score with its unit."""
    unit = r"\%" if score.is_share else f" {escape(score.unit)}" if score.unit else ""
    return score_text(score, number, digits) + unit


def apart(score: Score, difference: float, digits: int = 2) -> str:
    """A difference of scores with its unit, which is points of a share."""
    text = score_text(score, difference, digits)
    unit = ("point" if text == "1" else "points") if score.is_share else escape(score.unit)
    return f"{text} {unit}" if unit else text


def signed(score: Score, difference: float) -> str:
    """A difference of scores without its unit, with a sign that is as wide as a digit."""
    sign = "-" if difference < 0 else "+"
    return f"${sign}{score_text(score, abs(difference))}$" if math.isfinite(difference) else MISSING


def between(score: Score, low: float, high: float) -> str:
    """An interval of scores, without their unit; a dash if there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"[${score_text(score, low)}$, ${score_text(score, high)}$]"


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
