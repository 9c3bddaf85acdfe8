"""What the configuration lets pass is printed by the report's fonts; names of macros never meet."""

import re
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pdf import words_of

from phase2.source import ROOT
from phase2.tex import PLAIN, SPECIAL, escape, unprintable

words = st.text("abz019_", min_size=1, max_size=6).filter(lambda text: text.strip("_"))


def test_every_character_that_passes_is_printed_upright_and_slanted(tmp_path: Path):
    """Without an error, and in outlines: a bitmap font would stand for a glyph that Times has not."""
    fonts = re.search(r"(?s)\\usepackage\[T1\].*?mathptmx\}", (ROOT / "report" / "preamble.tex").read_text())
    assert fonts
    known = [character for character in sorted({*PLAIN, *SPECIAL}) if not character.isspace()]
    body = "\n".join(rf"{escape(c)} \emph{{{escape(c)}}}" for c in known)
    head = r"\documentclass{article}" + fonts.group() + r"\usepackage{amsmath,amssymb}\begin{document}"
    (tmp_path / "all.tex").write_text(f"{head}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    log = (tmp_path / "all.log").read_text(errors="replace")
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Missing character" not in log
    assert ".pk" not in log
    assert {"α", "≤", "é", "ß", "„"} <= set(words_of(tmp_path / "all.pdf"))


@given(st.text())
def test_escaping_leaves_no_character_that_tex_would_stop_at(text: str):
    escaped = escape(text)
    assert not unprintable(escaped)
    assert set(escaped) <= PLAIN


def test_a_decomposed_accent_is_one_character():
    assert unprintable("e\u0301") == []
    assert escape("e\u0301") == "é"


def test_what_is_not_printed_is_named_once_and_in_its_order():
    assert unprintable("a 文 b 中 文") == ["文", "中"]
    assert escape("中") == "U+4E2D"
