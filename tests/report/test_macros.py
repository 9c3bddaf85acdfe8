import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.report.latex import count, escape, interval, p_value, percent
from phase2.report.macros import Ledger
from phase2.tex import macro_name


@given(st.text(min_size=1))
def test_macro_names_are_letters_only(text):
    assert all(c.isascii() and c.isalpha() for c in macro_name(text, text))


def test_digits_in_names_are_spelt_out():
    assert macro_name("cifar10_jpeg", "top 2") == "CifaronezerojpegTopTwo"


@given(st.text(alphabet="ab&%$#_{}~^<>\\"))
def test_escaping_leaves_no_bare_special_character(text):
    escaped = escape(text).replace(r"\textbackslash{}", "").replace(r"\textasciitilde{}", "")
    escaped = escaped.replace(r"\textasciicircum{}", "").replace(r"\textless{}", "").replace(r"\textgreater{}", "")
    for character in "&%$#_{}":
        escaped = escaped.replace(f"\\{character}", "")
    assert set(escaped) <= {"a", "b"}


def test_missing_numbers_print_as_dashes():
    nan = float("nan")
    assert {percent(nan), count(nan), p_value(nan), interval(nan, 1)} == {"--"}


def test_every_macro_has_a_trace_and_plain_values(tmp_path):
    ledger = Ledger()
    call = ledger.state("mlp_grid", "Best Mean", "88.1", "ranking", "mean", {"seed": np.int64(3), "init": "lsuv"})
    ledger.write(tmp_path / "macros.tex", tmp_path / "trace.json")
    assert call == r"\MlpgridBestMean{}"
    assert (tmp_path / "macros.tex").read_text() == "\\newcommand{\\MlpgridBestMean}{88.1}\n"
    assert json.loads((tmp_path / "trace.json").read_text())["MlpgridBestMean"] == {
        "kind": "macro",
        "value": "88.1",
        "study": "mlp_grid",
        "selection": {"seed": 3, "init": "lsuv"},
        "table": "ranking",
        "how": "mean",
    }


def test_one_name_cannot_have_two_values():
    ledger = Ledger()
    ledger.state(None, "Cells", "1", "cells", "rows")
    ledger.state(None, "Cells", "1", "cells", "rows")
    with pytest.raises(ValueError, match="Cells"):
        ledger.state(None, "Cells", "2", "cells", "rows")
