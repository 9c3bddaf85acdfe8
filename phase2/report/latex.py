"""Text and numbers as LaTeX: escaping, and one format for each kind of number."""

import math
import re

from phase2 import registry
from phase2.study.score import Score
from phase2.tex import SPECIAL
from phase2.tex import escape as escape
from phase2.words.levels import label

MISSING = "--"
SYMBOLS = {tex.strip("$"): symbol for symbol, tex in SPECIAL.items() if tex.startswith("$\\")}


def lines(*parts: str) -> str:
    """Parts of a source, each on lines of its own."""
    return "\n".join(parts)


def described(kind: str, name: str) -> str:
    """A part's definition, or its label where it has none, with its citation."""
    card = registry.part(kind, name).card
    return (card.definition or escape(card.label)) + (rf"~\cite{{{card.cites}}}" if card.cites else "")


def title_of(name: str) -> str:
    """The title of a study or a probe: its name as words, the first with a capital.

    >>> title_of("lsuv_by_depth")
    'LSUV by depth'
    """
    words = [known if (known := label(word)).lower() == word else word for word in name.split("_")]
    return escape(" ".join(words)[:1].upper() + " ".join(words)[1:])


def sentence(text: str) -> str:
    """A text of the configuration as LaTeX."""
    return escape(text.strip())


def count(number: float) -> str:
    """A whole number with its thousands apart; a missing one is a dash."""
    return f"{int(number):,}" if math.isfinite(number) else MISSING


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction in percent, without the sign: for a column whose head has it."""
    return f"{100 * fraction:.{digits}f}" if math.isfinite(fraction) else MISSING


def score_text(score: Score, number: float, digits: int = 2) -> str:
    """A score, or a difference of scores, without its unit: for a column whose head has it; a missing one is a dash."""
    return score.number(score.scale * number, digits) if math.isfinite(number) else MISSING


def quantity(score: Score, number: float, digits: int = 2) -> str:
    """A score with its unit; a dash if it is missing."""
    unit = r"\%" if score.is_share else f"~{escape(score.unit)}" if score.unit else ""
    return score_text(score, number, digits) + (unit if math.isfinite(number) else "")


def signed(score: Score, difference: float) -> str:
    """A difference of scores without its unit, with a sign that is as wide as a digit."""
    sign = "-" if difference < 0 else "+"
    return f"${sign}{score_text(score, abs(difference))}$" if math.isfinite(difference) else MISSING


def between(score: Score, low: float, high: float) -> str:
    """An interval of scores, without their unit; a dash if there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"[${score_text(score, low)}$, ${score_text(score, high)}$]"


def p_value(p: float) -> str:
    """A p-value: three decimals, small ones as a bound."""
    if not math.isfinite(p):
        return MISSING
    return "$<$0.001" if p < 0.001 else f"{p:.3f}"


def number(value: float, digits: int = 2) -> str:
    """A plain number in math mode, so that its minus is one; a dash if it is missing."""
    return f"${value:.{digits}f}$" if math.isfinite(value) else MISSING


def significant(value: float, digits: int = 4) -> str:
    """A number of any size in math mode, with so many significant digits; a dash if it is missing or infinite."""
    if not math.isfinite(value):
        return MISSING
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"


def listed(items: list[str]) -> str:
    """Items as an English list.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)


def plain(latex: str) -> str:
    r"""LaTeX as one reads it in print, as far as it is of numbers and words: what a reader looks for.

    >>> plain(r"$+1.20$ [$0.4$, $2\times10^{-3}$] 5\% \emph{of}~all $\cdot$ x")
    '+1.20 [0.4, 2e-3] 5% of all · x'
    """
    text = re.sub(r"\\times10\^\{(-?\d+)\}", r"e\1", latex)
    text = re.sub(r"\\cite\{[^}]*\}", "", text)
    text = re.sub(r"(\\[A-Za-z]+)\s*(?:\{\})?", lambda found: SYMBOLS.get(found[1], ""), text)
    return re.sub(r"\s+", " ", re.sub(r"\\(?=.)|[${}]", "", text).replace("~", " ")).strip()
