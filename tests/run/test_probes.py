"""Probes in the configuration: what is refused, what is left out, and what decides whether one is measured again."""

from typing import Any

import pytest
from studies import ROOT, content

from phase2.errors import UserError
from phase2.probe.catalog import PROBES, probe_code
from phase2.run.config import load, validate

SHAPES = {"probe": "activation_shapes", "question": "What?", "activations": ["relu"], "figures": []}
HEALTH = {"probe": "unit_health", "question": "What?", "study": "grid", "batch": 10, "figures": []}
DESK = load([ROOT / "config.yaml"])


def with_probe(**changes: Any) -> dict[str, Any]:
    return content() | {"probes": {"shapes": SHAPES | changes}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"probe": "activation_shape"},
            "probes.shapes: unknown probe 'activation_shape': did you mean 'activation_shapes'?",
        ),
        ({"hihg": 2.0}, "unknown key 'hihg': did you mean 'high'?"),
        ({"activations": ["rleu"]}, "unknown activation 'rleu': did you mean 'relu'?"),
        ({"activations": ["relu", "relu"]}, "relu stands twice"),
        ({"activations": []}, "the list is empty"),
        ({"points": 0}, "points: Input should be greater than 0 (found 0)"),
        (HEALTH | {"study": "grit", "activations": None}, "unknown key 'activations'"),
    ],
)
def test_a_wrong_value_of_a_probe_is_named_with_what_was_expected(changes: dict[str, Any], message: str):
    with pytest.raises(UserError) as error:
        validate(with_probe(**changes))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("probes", "message"),
    [
        ({"grid": SHAPES}, "probes.grid has the name of a study"),
        ({"health": HEALTH | {"study": "grit"}}, "probes.health.study: unknown study 'grit': did you mean 'grid'?"),
    ],
)
def test_a_probe_that_does_not_fit_the_studies_is_refused(probes: dict[str, Any], message: str):
    with pytest.raises(UserError) as error:
        validate(content() | {"probes": probes})
    assert message in str(error.value)


def test_a_probe_of_weights_that_are_not_kept_is_refused():
    with pytest.raises(UserError, match="reads the weights of grid, which keeps none: set its keep to best"):
        validate(content("studies.grid.keep", "none") | {"probes": {"health": HEALTH}})


def test_an_overlay_leaves_a_study_or_a_probe_out_by_null():
    whole = validate(content("studies.other", None) | {"probes": {"shapes": SHAPES, "health": None}})
    assert list(whole.studies) == ["grid"]
    assert list(whole.probes) == ["shapes"]


def test_every_kind_of_probe_in_the_catalog_can_be_configured_and_is_in_the_desk_run():
    assert {probe.probe for probe in DESK.probes.values()} == set(PROBES)


@pytest.mark.parametrize("kind", PROBES)
def test_a_card_says_in_a_short_line_what_each_column_is(kind: str):
    assert PROBES[kind].columns
    for name, says in PROBES[kind].columns.items():
        assert name.split(".")[0] in PROBES[kind].tables or "." not in name
        assert 3 <= len(says) <= 130
        assert says == says.strip().removesuffix(".")


def test_defaults_of_options_never_change():
    """What decides a probe leaves them out: another default would measure nothing again. A new one may be added."""
    told = {"probe", "question", "chapter", "figures"}
    options = {kind: probe.model_fields.items() for kind, probe in PROBES.items()}
    defaults = {
        kind: {name: field.default for name, field in fields if name not in told and not field.is_required()}
        for kind, fields in options.items()
    }
    assert {kind: known for kind, known in defaults.items() if known} == {
        "activation_shapes": {"low": -4.0, "high": 4.0, "points": 801},
        "curvature": {"where": {}},
        "mistakes": {"where": {}},
    }


def test_what_decides_a_probe_is_neither_at_its_default_nor_what_is_only_told():
    shapes = validate(with_probe(points=801, high=2, chapter="optimization")).probes["shapes"]
    assert shapes.deciding() == {"probe": "activation_shapes", "activations": ["relu"], "high": 2.0}


@pytest.mark.parametrize("overlay", ["smoke", "full"])
def test_an_overlay_has_the_probes_of_the_desk_run_that_it_does_not_leave_out(overlay: str):
    config = load([ROOT / "config.yaml", ROOT / "config" / f"{overlay}.yaml"])
    assert set(config.probes) <= set(DESK.probes)
    if overlay == "smoke":  # what is in the box: no download
        datasets = {dataset for name in config.probes for dataset in config.datasets_of(name).values()}
        assert datasets | {study.task.dataset for study in config.studies.values()} == {"digits"}


def test_a_probe_reads_the_data_of_its_study_and_the_data_that_it_names():
    assert DESK.datasets_of("uncertainty") == {"data": "fashion_mnist", "unfamiliar": "digits"}
    assert DESK.datasets_of("batch_noise") == {"data": "fashion_mnist"}
    assert DESK.datasets_of("activation_shapes") == {}


def test_the_code_of_a_probe_covers_the_components_that_it_names_and_no_others():
    few, more = (validate(with_probe(activations=names)).probes["shapes"] for names in (["relu"], ["relu", "tanh"]))
    lsuv = DESK.probes["lsuv"]
    assert probe_code(few) != probe_code(more)
    assert probe_code(lsuv) == probe_code(lsuv.model_copy(update={"question": "Another?", "figures": []}))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("probes.solutions.where.epochs=[]", r"probes.solutions.where.epochs: the list is empty: give levels"),
        ("probes.trainability.weight_stds=[0.0]", r"probes.trainability.weight_stds"),
        ("probes.edge_of_chaos.weight_stds=[1.0e6]", r"probes.edge_of_chaos.weight_stds"),
    ],
)
def test_levels_that_no_network_has_and_sizes_that_overflow_are_refused_before_anything_runs(setting, message):
    with pytest.raises(UserError, match=message):
        load([ROOT / "config.yaml"], [setting])
