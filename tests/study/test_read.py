"""Files, overlays and values of the command line are read in one way, and what would be lost silently is an error."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config
from studies import ROOT

from phase2.errors import UserError
from phase2.run.config import load
from phase2.study.read import as_number, check_options, merge, read

values = st.one_of(st.none(), st.integers(0, 3), st.lists(st.integers(0, 3), max_size=2))
trees = st.recursive(values, lambda below: st.dictionaries(st.sampled_from("abc"), below, min_size=1, max_size=3))
mappings = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@settings(deadline=None)
@given(mappings, mappings)
def test_overlays_are_merged_as_snakemake_merges_them(base: dict, overlay: dict):
    expected = deepcopy(base)
    update_config(expected, overlay)
    before = deepcopy((base, overlay))
    assert merge(base, overlay) == expected
    assert (base, overlay) == before


@pytest.mark.parametrize("text", ["run: [", "- a list", "just text", b"\xff\xfe\x00"])
def test_a_file_that_is_no_configuration_is_named(text: str | bytes, tmp_path: Path):
    (tmp_path / "mine.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=r"configuration .*mine\.yaml"):
        load([ROOT / "config.yaml", tmp_path / "mine.yaml"])


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"there is no .*none\.yaml in .*: go to the folder of config\.yaml"):
        read([tmp_path / "none.yaml"])


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("run: a\nstudies: {}\nrun: b\n", "run", (1, 3)),
        ("studies:\n  grid:\n    budget: {epochs: 1,\n      epochs: 2}\n", "epochs", (3, 4)),
        ("studies:\n  - {clip: 1, clip: 2}\n", "clip", (2, 2)),
        ('{"run": "a",\n "run": "b"}', "run", (1, 2)),
    ],
)
def test_a_key_that_stands_twice_is_named_with_its_file_and_both_lines(
    text: str, key: str, lines: tuple[int, int], tmp_path: Path
):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read([tmp_path / "mine.yaml"])
    assert f"{tmp_path / 'mine.yaml'}: the key {key} stands twice" in str(caught.value)
    assert f"in line {lines[0]} and in line {lines[1]}: keep one" in str(caught.value)


def test_keys_that_an_anchor_brings_may_be_overridden(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text("a: &a {x: 1, y: 2}\nb: [&b {<<: *a, x: 3}]\nc: {<<: *b, y: 4}\nd: *a\n")
    found = read([tmp_path / "mine.yaml"])
    assert (found["b"], found["c"], found["d"]) == ([{"x": 3, "y": 2}], {"x": 3, "y": 4}, {"x": 1, "y": 2})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1e-1", 0.1), ("1E5", 1e5), ("1.e-1", 0.1), (".5", 0.5), ("-3", -3), ("010", 10), ("10_000", 10_000)),
        *(("-.inf", -float("inf")), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ('"1e-1"', "1e-1")),
        *(("true", True), ("null", None), ("none", "none"), ("e5", "e5")),
    ],
)
def test_numbers_are_those_of_yaml_1_2(text: str, value: Any, tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(f"a: {text}")
    assert repr(read([tmp_path / "mine.yaml"])["a"]) == repr(value)


@given(st.floats(allow_nan=False) | st.integers())
def test_every_number_that_python_writes_is_read_back(value: float):
    text = repr(value).replace("inf", ".inf")
    assert as_number(text) == value


BASE = """
run: base
studies:
  grid: {budget: {epochs: 1, batch_size: 8}, axes: {seed: [0, 1]}}
  gone: null
probes: {shapes: {points: 5}}
"""


def assigned(tmp_path: Path, *assignments: str) -> dict[str, Any]:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "overlay.yaml").write_text("studies: {grid: {budget: {epochs: 2}}}")
    return read([tmp_path / "base.yaml", tmp_path / "overlay.yaml"], assignments)


@pytest.mark.parametrize(
    "assignments",
    [
        ("studies.grid.budget.epochs=3", "studies.grid.axes.seed=[7]"),
        ("studies={grid.budget.epochs: 3, grid.axes.seed: [7]}",),
        ("studies={'grid': {'budget': {'epochs': 3}, 'axes': {'seed': [7]}}}",),
        ("studies={grid.budget.epochs: 3}", "studies={grid.axes: {seed: [7]}}"),
    ],
)
def test_assignments_lie_over_overlays_and_overlays_over_files(assignments: tuple[str, ...], tmp_path: Path):
    found = assigned(tmp_path, *assignments)
    assert found["studies"]["grid"] == {"budget": {"epochs": 3, "batch_size": 8}, "axes": {"seed": [7]}}
    assert found["run"] == "base"


def test_an_assignment_of_nothing_leaves_a_study_out(tmp_path: Path):
    assert assigned(tmp_path, "studies.grid=null")["studies"]["grid"] is None


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("studies.gird.budget.epochs=3", "unknown study 'gird': did you mean 'grid'? Known: grid"),
        ("studies.gone.budget.epochs=3", "unknown study 'gone'"),
        ("probes.shape.points=3", "unknown probe 'shape': did you mean 'shapes'?"),
        ("run", "'run' is not key=value: write for example studies.mlp_grid.budget.epochs=3"),
        ("run=[", "cannot read the value of 'run=['"),
        ("studies={grid: {a: 1, a: 2}}", "the key a stands twice"),
    ],
)
def test_a_wrong_assignment_is_named(assignment: str, message: str, tmp_path: Path):
    with pytest.raises(UserError) as caught:
        assigned(tmp_path, assignment)
    assert message in str(caught.value)


def test_an_unknown_place_of_an_assignment_gets_the_nearest_name():
    with pytest.raises(UserError, match=r"mlp_grid\.budget\.epoch: unknown key 'epoch': did you mean 'epochs'"):
        load([ROOT / "config.yaml"], ["studies.mlp_grid.budget.epoch=3"])
    with pytest.raises(UserError, match="unknown key 'comptue': did you mean 'compute'"):
        load([ROOT / "config.yaml"], ["comptue.device=cpu"])


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        ("--configfile a.yaml --cores 2 --configfile b.yaml c.yaml -n", "--configfile a.yaml b.yaml c.yaml"),
        ("--configfile=a.yaml --configfiles b.yaml", "--configfile a.yaml b.yaml"),
        ("--config run=a -C studies={} all", "--config run=a studies={} all"),
    ],
)
def test_an_option_of_which_snakemake_would_drop_the_first_is_refused_with_the_right_spelling(
    arguments: str, mend: str
):
    with pytest.raises(UserError) as caught:
        check_options(["snakemake", *arguments.split()])
    assert str(caught.value).endswith(f"write it once, with all that it says: {mend}")


def test_options_that_are_given_once_pass():
    check_options(["snakemake", "--configfile", "a.yaml", "b.yaml", "--config", "run=a", "studies={}", "--configure"])


def test_an_option_that_does_not_reach_the_jobs_is_refused():
    with pytest.raises(UserError, match="does not reach Snakemake's jobs"):
        check_options(["snakemake", "--replace-workflow-config", "--configfile", "a.yaml"])
