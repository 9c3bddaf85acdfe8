"""Derivations as HTML for the notebooks: the claim, then each step with its formula and how it was checked."""

import re
from collections.abc import Callable
from html import escape

from latex2mathml.converter import convert

from phase2.derive.derivation import Derivation, Remark, Step
from phase2.derive.latex import where
from phase2.errors import UserError

Pairs = tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]  # patterns, and what takes their place

# The converter sizes the two sides of \Bigl( \Bigr) by themselves, and an exponent then shrinks the second; the bar of
# "at this point" has no other side. Of two primes after an index it raises the second above the first.
PAIRS: Pairs = (
    (r"\\[bB]igg?l\b", r"\\left"),
    (r"\\[bB]igg?r\b(?!\|_)", r"\\right"),
    (r"(?<!\\left)(?=\\lVert)", r"\\left"),
    (r"(?<!\\right)(?=\\rVert)", r"\\right"),
    ("'{2,}", lambda match: "^{" + r"\prime" * len(match[0]) + "}"),
)
# What it writes that browsers show badly: functions' names set apart as wide as relations or not at all, bold by an
# attribute that is no longer read, a tilde that is no relation, a bar that does not stretch.
MENDED: Pairs = (
    (r"<m([io])>([A-Za-z]{2,})</m\1>", r'<mo lspace="0.167em" rspace="0.167em">\2</mo>'),
    (r'<mn mathvariant="bold">(\d)</mn>', lambda match: f"<mn>{chr(0x1D7CE + int(match[1]))}</mn>"),
    ("<mi>&#x0007E;</mi>", "<mo>∼</mo>"),
    (
        r'<mover>((?:(?!<mover>).)*)<mo accent="true">&#x02015;</mo></mover>',
        r'<mrow style="border-top: 0.06em solid; padding-top: 0.1em">\1</mrow>',
    ),
    ('<mo stretchy="false">&#x0007C;</mo>', '<mo stretchy="false" lspace="0" rspace="0">|</mo>'),
)
PROSE: Pairs = (
    (r"\\texttt\{([^{}]*)\}", r"<code>\1</code>"),
    (r"\\emph\{([^{}]*)\}", r"<em>\1</em>"),
    (r"\\cite\{([^{}]*)\}", lambda match: f"({sources(match[1].split(','))})"),
    (r"\\([%&#_])", r"\1"),
    ("~", "&nbsp;"),
    ("--", "–"),
)
FORMULA = "\0"  # stands for a formula while the prose around it is converted


def to_html(derivation: Derivation, ways: list[str]) -> str:
    """A section; `ways` is what `Derivation.check` returned. Raises `UserError` for LaTeX that it cannot convert."""
    cites = f" ({sources(derivation.cites)})" if derivation.cites else ""
    steps = [_step(step, way) for step, way in zip(derivation.steps, ways, strict=True)]
    return "\n".join(
        [
            f'<section class="derivation" id="derive-{derivation.name}">',
            f"<h3>{prose(derivation.title)}</h3>",
            f"<blockquote><em>Claim.</em> {prose(derivation.claim)}{cites}</blockquote>",
            f"<p>{prose(where(derivation.name))}</p>",
            "<ol>",
            *steps,
            "</ol>",
            "</section>",
        ]
    )


def _step(step: Step, way: str) -> str:
    if isinstance(step, Remark):
        return f"<li>{prose(step.text)}</li>"
    return f"<li>{prose(step.text)} <small>[checked {prose(way)}]</small>\n{mathml(step.formula, display='block')}</li>"


def mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML, which browsers show by themselves; raises `UserError` for a command it does not know."""
    converted = convert(_replaced(latex, PAIRS), display=display)
    if unknown := re.search(r"\\\w+", converted):
        raise UserError(f"the formula {latex} has {unknown[0]}, which MathML has no name for: write it another way")
    return _replaced(converted, MENDED)


def prose(text: str) -> str:
    r"""LaTeX text as HTML: formulas between dollars, \emph, \texttt, \cite, ~ and dashes.

    Raises `UserError` for any other command.
    """
    formulas = re.findall(r"\$([^$]*)\$", text)
    words = _replaced(escape(re.sub(r"\$[^$]*\$", FORMULA, text), quote=False), PROSE)
    if unknown := re.search(r"[\\{}$]\w*", words):
        raise UserError(f"the text {text!r} has {unknown[0]}, expected words, formulas, \\emph, \\texttt or \\cite")
    return "".join(
        word + formula for word, formula in zip(words.split(FORMULA), [*map(mathml, formulas), ""], strict=True)
    )


def _replaced(text: str, pairs: Pairs) -> str:
    for pattern, replacement in pairs:
        text = re.sub(pattern, replacement, text)
    return text


def sources(keys: list[str] | tuple[str, ...]) -> str:
    """Keys of the bibliography as a reader says them.

    >>> sources(("he2016b", "ba2016"))
    'He 2016b, Ba 2016'
    """
    return ", ".join(re.sub(r"(?<=[a-z])(?=\d)", " ", key).capitalize() for key in keys)
