"""What notebooks show of a run: figures and tables of what it has, a sentence about what it lacks."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from finished_run import make_claim
from matplotlib.figure import Figure

from phase2.errors import UserError
from phase2.report import display

SHAPES = {"probe": "activation_shapes", "question": "Which < which?", "figures": ["activation_shapes"]}
STUDIES = {
    "grid": {"axes": {"activation": ["relu"], "init": ["lsuv"], "seed": [0], "lr": None}, "question": "?"},
    "activations": {"axes": {"activation": ["relu"], "seed": [0], "lr": None}, "question": "?"},
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"studies": STUDIES, "probes": {"curves": SHAPES}}))
    claims = [
        make_claim("relu < tanh", subject="grid", seeds=1, sentence="ReLU ends < tanh."),
        make_claim("too few", subject="curves", verdict="cannot say", why="needs 8 seeds, has 5", numbers={}),
    ]
    (tmp_path / "claims.json").write_text(json.dumps(claims))
    rows = [("relu", x, max(x, 0.0), float(x > 0), 0.0) for x in (-1.0, 0.0, 1.0)]
    (tmp_path / "tables" / "curves").mkdir(parents=True)
    columns = ["activation", "x", "value", "first", "second"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "tables" / "curves" / "shapes.csv", index=False)
    monkeypatch.setenv(display.RESULTS, str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("run")
def test_a_figure_is_embedded_with_its_caption_under_the_probe_s_name_and_question():
    page = display.probes("activation_shapes").figure("activation_shapes").data
    assert "<code>curves</code> Which &lt; which?" in page
    assert '<img src="data:image/png;base64,' in page
    assert "<figcaption>Every activation with its first and second derivative" in page


@pytest.mark.usefixtures("run")
def test_a_table_is_what_a_function_makes_of_the_probe():
    shown = display.probes("activation_shapes").show(lambda probe: probe.table("shapes").assign(x=1 / 3)).data
    assert "<td>0.3333</td>" in shown


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (lambda: display.probes("four_ways").figure("four_ways"), "This run has no probe four_ways with the figure"),
        (lambda: display.probes("four_ways").show(lambda probe: probe.table("results")), "has no probe four_ways."),
        (lambda: display.studies("depth").figure("depth_curves"), "has no study depth with the figure depth_curves."),
        (lambda: display.study_of("norm").show(lambda study: study.table("cells")), "no study with an axis norm."),
    ],
)
def test_what_a_run_lacks_is_said_in_a_sentence(shown, sentence: str):
    assert sentence in shown().data


@pytest.mark.usefixtures("run")
def test_the_study_of_an_axis_has_the_fewest_other_axes():
    (study,) = display.study_of("activation").members
    assert (study.name, study.factors) == ("activations", ["activation"])


@pytest.mark.usefixtures("run")
def test_a_study_is_found_by_its_name():
    assert [study.name for study in display.studies("grid").members] == ["grid"]


@pytest.mark.usefixtures("run")
def test_claims_are_told_with_verdict_numbers_reason_and_what_stands_behind_them():
    page = display.claims(display.studies("grid"), display.probes("activation_shapes")).data
    first, second = page.split("<li>")[1:]
    assert "<strong class='supported'>Supported</strong> ReLU ends &lt; tanh." in first
    assert "gain +1.2 points [-0.4, 2.0]; 1 seed, 10,000 images, 632 steps (<code>relu &lt; tanh</code>)" in first
    assert "<strong class='cannot-say'>Cannot say</strong>" in second
    assert "needs 8 seeds, has 5; 5 seeds" in second
    assert "claims about <code>grid</code>, <code>curves</code>" in page


@pytest.mark.usefixtures("run")
def test_no_claim_about_anything_shown_is_a_sentence():
    page = display.claims(display.studies("activations"), display.probes("four_ways")).data
    assert "This run judges no claim about a study activations or a probe four_ways." in page


def test_a_figure_that_a_cell_has_drawn_is_embedded():
    assert display.picture(Figure()).data.startswith('<img src="data:image/png;base64,')


def test_a_missing_table_or_run_says_how_to_make_it(run: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match=r"extremes\.csv is missing: run `snakemake`"):
        display.probes("activation_shapes").show(lambda probe: probe.table("extremes"))
    monkeypatch.setenv(display.RESULTS, str(run / "no" / "run"))
    with pytest.raises(UserError, match=r"no/run holds no run .* set PHASE2_RESULTS"):
        display.probes("activation_shapes")
