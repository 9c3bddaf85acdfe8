import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.report.latex import between, count, escape, p_value, percent, plain, significant, title_of
from phase2.report.macros import Ledger, Statement
from phase2.report.tabular import ROWS, Behind, Table
from phase2.study.score import Score, card_of_score


@given(st.text(alphabet="ab&%$#_{}~^<>\\"))
def test_escaping_leaves_no_bare_special_character(text):
    escaped = escape(text).replace(r"\textbackslash{}", "").replace(r"\textasciitilde{}", "")
    escaped = escaped.replace(r"\textasciicircum{}", "").replace(r"\textless{}", "").replace(r"\textgreater{}", "")
    for character in "&%$#_{}":
        escaped = escaped.replace(f"\\{character}", "")
    assert set(escaped) <= {"a", "b"}


def test_missing_numbers_print_as_dashes():
    nan, score = float("nan"), Score.of(card_of_score("images"), 10)
    assert {percent(nan), count(nan), p_value(nan), significant(nan), between(score, nan, 1)} == {"--"}


@pytest.mark.parametrize(("value", "shown"), [(-0.5, "-0.5"), (1.23456e-7, "1.235e-7"), (12345.6, "1.235e4")])
def test_a_number_is_found_as_it_is_printed(value, shown):
    assert plain(significant(value)) == shown


@pytest.mark.parametrize(("name", "title"), [("lsuv", "LSUV"), ("batch_sizes", "Batch sizes"), ("x_1", "X 1")])
def test_a_title_has_the_words_of_the_name(name, title):
    assert title_of(name) == title


def test_a_statement_has_one_value_and_macros_are_written(tmp_path):
    ledger = Ledger()
    ledger.state("TotalCells", "1", "cells", "rows")
    ledger.state("TotalCells", "1", "cells", "rows")
    with pytest.raises(ValueError, match="TotalCells"):
        ledger.add("TotalCells", Statement("macro", "2", "cells", "rows"))
    ledger.write(tmp_path / "macros.tex", tmp_path / "trace.json")
    assert (tmp_path / "macros.tex").read_text() == "\\newcommand{\\TotalCells}{1}\n"


def test_a_long_table_prints_its_first_rows_and_names_its_file_and_all_can_be_traced():
    rows = [[str(row)] for row in range(ROWS + 5)]
    table = Table("a:b", "All.", "r", ["x"], rows, "tables/a/b.csv", "counted", "a")
    printed = table.floating()
    assert rf"{ROWS - 1} \\" in printed
    assert rf"{ROWS} \\" not in printed
    assert f"The first {ROWS} of {ROWS + 5} rows" in printed
    assert r"\nolinkurl{tables/a/b.csv}" in printed
    ledger = Ledger()
    ledger.show(table)
    assert ledger.entries["a/b"].rows[-1] == (str(ROWS + 4), Behind("a"))
