"""Derivations as HTML: whole, with nothing left in LaTeX, and formulas that browsers show by themselves."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from phase2.derive.catalog import DERIVATIONS, load
from phase2.derive.derivation import Derivation, Remark, Symbolic
from phase2.derive.html import mathml, prose, sources, to_html
from phase2.errors import UserError


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_derivation_converts_with_nothing_left_in_latex(name: str):
    derivation = load(name)()
    page = to_html(derivation, [f"somehow {getattr(step, 'how', '')}" for step in derivation.steps])
    assert not re.search(r"[\\$]", page)
    for formula in re.findall(r"<math.*?</math>", page, re.DOTALL):
        ElementTree.fromstring(formula)  # raises if it is not whole
    checked = [step for step in derivation.steps if not isinstance(step, Remark)]
    assert page.count("[checked somehow ") == page.count('display="block"') == len(checked)
    assert page.count("<li>") == len(derivation.steps)


def test_a_derivation_has_title_claim_sources_steps_and_how_each_was_checked():
    x = load("relu")().steps[0].left
    steps = [Symbolic("Twice $x$ is even.", x, x, latex="2x = x + x"), Remark("That is all.")]
    page = to_html(Derivation("twice", "On doubling", "Doubling $x$ works.", steps, ("he2015",)), ["by eye", ""])
    assert '<section class="derivation" id="derive-twice">' in page
    assert "<h3>On doubling</h3>" in page
    assert "(He 2015)</blockquote>" in page
    assert "[checked by eye]" in page
    assert "<li>That is all.</li>" in page


def test_prose_converts_words_around_formulas():
    text = r"Hahn--Banach~\cite{cybenko1989,gal2016}: \emph{here $p < 1$} of \texttt{none} & more"
    html = prose(text)
    assert html.startswith("Hahn–Banach&nbsp;(Cybenko 1989, Gal 2016): <em>here <math")
    assert html.endswith("</math></em> of <code>none</code> &amp; more")
    assert sources(("he2015", "ba2016")) == "He 2015, Ba 2016"


@pytest.mark.parametrize("text", [r"a \footnote{b}", r"an \emph{open", "one $ sign"])
def test_text_it_does_not_know_is_refused(text: str):
    with pytest.raises(UserError, match="expected words, formulas"):
        prose(text)


def test_a_command_without_mathml_is_named():
    with pytest.raises(UserError, match=r"has \\nosuch, which MathML has no name for"):
        mathml(r"x + \nosuch{y}")


def test_an_exponent_belongs_to_the_whole_of_what_large_brackets_hold():
    (power,) = ElementTree.fromstring(mathml(r"\Bigl(\frac{a}{b}\Bigr)^2")).findall(".//{*}msup")
    assert "".join(power[0].itertext()) == "(ab)"


def test_a_bar_spans_all_that_is_under_it_and_ones_are_bold():
    formula = mathml(r"\overline{h \odot \hat x}\; \mathbf{1}")
    (barred,) = (part for part in ElementTree.fromstring(formula).iter() if "border-top" in part.get("style", ""))
    assert "".join(barred.itertext()).startswith("h⊙x")
    assert "\N{MATHEMATICAL BOLD DIGIT ONE}" in formula
