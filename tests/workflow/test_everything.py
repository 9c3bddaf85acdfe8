"""The whole smoke configuration, every study, probe, derivation and notebook, from nothing; and nothing to do after."""

import json
import re

import pandas as pd
import pytest
from checkout import BIN, SMOKE, Checkout, Ran, new_checkout
from pdf import words_of

from phase2.run.config import Config, load

COMMAND = [str(BIN / "snakemake"), "--cores", "2", "all", "--configfile", SMOKE, "planted.yaml"]
PLANTED = '''"""A claim that is false."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="failures")


@claim(beats_linear=False)
def tiny_weights_are_better(failures: Results) -> Evidence:
    """Planted: two layers learn better from tiny weights than from Kaiming's."""
    gap = failures.difference("init", "normal_small", "kaiming", failures.validation, depth=2, lr=0.03)
    return Evidence(gap.above(), gap=gap)
'''


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Ran]:
    checkout = new_checkout(tmp_path_factory.mktemp("everything") / "project")
    (checkout.folder / "my_claims").mkdir()
    (checkout.folder / "my_claims" / "planted.py").write_text(PLANTED)
    (checkout.folder / "planted.yaml").write_text("parts: [my_claims]\n")
    return checkout, checkout.run(COMMAND).succeeded()


def everything_config(everything: tuple[Checkout, Ran]) -> Config:
    checkout, _ = everything
    return load([checkout.folder / "config.yaml", checkout.folder / SMOKE])


def test_every_study_and_probe_leaves_its_tables_and_figures(everything: tuple[Checkout, Ran]):
    checkout, _ = everything
    config = everything_config(everything)
    results = checkout.folder / "results" / "smoke"
    for name, probe in config.probes.items():
        tables = {path.name for path in (results / "tables" / name).iterdir()}
        assert tables == {"provenance.json", *(f"{table}.csv" for table in probe.tables)}
    for name, subject in (config.studies | config.probes).items():
        figures = {path.stem for path in (results / "figures" / name).glob("*.pdf")}
        assert figures == set(subject.figures)


def test_the_companion_has_its_derivations_and_the_mastery_table(everything: tuple[Checkout, Ran]):
    checkout, _ = everything
    words = words_of(checkout.folder / "results" / "smoke" / "companion.pdf")
    for part in ("Contents", "Derivations", "Mastery", "[checked symbolically]", "test_a_chain_of_100_000_nodes"):
        assert part in words
    assert "??" not in words
    assert (checkout.folder / "results" / "smoke" / "mastery.csv").read_text().startswith("part,kind,check,evidence\n")


def test_claims_are_supported_denied_and_left_open_and_the_false_one_is_denied(everything: tuple[Checkout, Ran]):
    results = everything[0].folder / "results" / "smoke"
    claims = {claim["name"]: claim for claim in json.loads((results / "claims.json").read_text())}
    assert {claim["verdict"] for claim in claims.values()} == {"supported", "denied", "cannot say"}
    assert claims["tiny weights are better"]["verdict"] == "denied"
    assert not claims["tiny weights are better"]["registered"]  # it is in no commit
    assert claims["tiny weights stop networks of sixteen layers"]["verdict"] == "supported"
    assert claims["plain networks degrade with depth"]["why"] == "needs 5 seeds, has 1"
    assert claims["kaiming starts deep rectifiers sooner"]["why"] == "this run has no study deep_init"
    assert "Planted: two layers" in words_of(results / "report.pdf")


def test_the_notebooks_are_rendered(everything: tuple[Checkout, Ran]):
    checkout, _ = everything
    for notebook in (checkout.folder / "notebooks").glob("*.ipynb"):
        page = checkout.folder / "results" / "smoke" / "notebooks" / f"{notebook.stem}.html"
        assert "<img" in page.read_text()


def test_what_the_index_links_and_the_readme_names_is_there(everything: tuple[Checkout, Ran]):
    results = everything[0].folder / "results" / "smoke"
    links = re.findall(r'(?:href|src)="([^"#]+)"', (results / "index.html").read_text())
    assert len(links) > 50
    assert not [link for link in links if not (results / link).exists()]
    places = re.findall(r"^\| `([^`]+)` \|", (results / "README.md").read_text(), re.MULTILINE)
    assert "summary.csv" in places
    patterns = [re.sub(r"<\w+>", "*", place).replace("/.../", "/**/") for place in places]
    assert not [pattern for pattern in patterns if not any(results.glob(pattern))]


def test_the_summary_has_a_row_for_every_study(everything: tuple[Checkout, Ran]):
    results = everything[0].folder / "results" / "smoke"
    summary = pd.read_csv(results / "summary.csv", keep_default_na=False)
    assert list(summary["study"]) == sorted(summary["study"], key=list(everything_config(everything).studies).index)
    assert set(summary["study"]) == {path.name for path in (results / "cells").iterdir()}


def test_every_column_of_the_run_is_in_its_dictionary_and_none_besides(everything: tuple[Checkout, Ran]):
    results, config = everything[0].folder / "results" / "smoke", everything_config(everything)
    of = dict.fromkeys(config.studies, "studies") | {name: probe.probe for name, probe in config.probes.items()}
    written = {
        (of[path.parent.name], path.stem, column)
        for path in results.glob("tables/*/*.csv")
        for column in pd.read_csv(path, nrows=0)
    }
    dictionary = pd.read_csv(results / "columns.csv")
    told = {tuple(row) for row in dictionary[["of", "table", "column"]].to_numpy()}
    assert dictionary["meaning"].notna().all()
    assert written | {("run", "summary", column) for column in pd.read_csv(results / "summary.csv")} == told


def test_a_second_run_has_nothing_to_do(everything: tuple[Checkout, Ran]):
    checkout, _ = everything
    assert "Nothing to be done" in checkout.run(COMMAND).succeeded().output


def test_editing_a_probe_measures_it_again_and_trains_nothing(everything: tuple[Checkout, Ran]):
    checkout, _ = everything
    checkout.edit("phase2/probe/batch_noise/measure.py", "import torch\n", "import torch\n\nONE = 1\n")
    planned = checkout.run([*COMMAND, "-n", "-q", "rules"]).succeeded().output
    assert "probe_batch_noise" in planned
    assert not any(f"train_{study}" in planned for study in ("mlp_grid", "norm_depth", "dropout_rates"))
    assert "probe_four_ways" not in planned
