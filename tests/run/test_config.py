"""The configuration refuses what it does not know, and says which value, where, and what was expected."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from studies import ROOT, content

from phase2.errors import UserError
from phase2.run.config import Config, load, schema, validate
from phase2.run.reference import reference

NAN, INF = float("nan"), float("inf")

WRONG = {
    "unknown activation": (
        "studies.grid.axes.activation",
        ["tanh", "rleu"],
        "studies.grid.axes.activation.1: unknown activation 'rleu': did you mean 'relu'? Known: elu, gelu",
    ),
    "unknown init": ("studies.grid.init", "kaimin", "grid.init: unknown init 'kaimin': did you mean 'kaiming'?"),
    "unknown schedule": ("studies.grid.schedule", "cosin", "unknown schedule 'cosin': did you mean 'cosine'?"),
    "unknown optimizer": ("studies.grid.optimizer.name", "adamm", "unknown optimizer 'adamm': did you mean 'adam'?"),
    "unknown model": ("studies.grid.model.name", "mpl", "unknown model 'mpl': did you mean 'mlp'?"),
    "unknown data set": (
        "studies.grid.task.dataset",
        "cifar",
        "studies.grid.task.dataset: unknown dataset 'cifar': did you mean 'cifar10'?",
    ),
    "text": ("studies.grid.task.dataset", "tinyshakespeare", "tinyshakespeare holds text, and the models classify"),
    "unknown key": (
        "studies.grid.budget.epoch",
        3,
        "studies.grid.budget.epoch: unknown key 'epoch': did you mean 'epochs'? Known: accumulate, batch_size,",
    ),
    "unknown key of a study": ("studies.grid.bugdet", {}, "unknown key 'bugdet': did you mean 'budget'?"),
    "unknown axis": (
        "studies.grid.axes.inits",
        ["xavier"],
        "axes.inits: unknown axis of mlp 'inits': did you mean 'init'",
    ),
    "unknown section": ("comptue", {}, "comptue: unknown key 'comptue': did you mean 'compute'?"),
    "no epochs": ("studies.grid.budget.epochs", 0, "grid.budget.epochs: Input should be greater than 0 (found 0)"),
    "negative epochs": ("studies.grid.budget.epochs", -2, "epochs: Input should be greater than 0 (found -2)"),
    "broken batch": ("studies.grid.budget.batch_size", 2.5, "batch_size: Input should be a valid integer (found 2.5)"),
    "no width": ("studies.grid.model.width", 0, "studies.grid.model.width: Input should be greater than 0 (found 0)"),
    "no validation": ("studies.grid.task.validation", 0, "task.validation: Input should be greater than 0 (found 0)"),
    "empty axis": (
        "studies.grid.axes.init",
        [],
        "studies.grid.axes.init: the list is empty: give at least one value, or remove the key",
    ),
    "no seeds": ("studies.grid.axes.seed", [], "studies.grid.axes.seed: the list is empty: give at least one value"),
    "twice": (
        "studies.grid.axes.init",
        ["xavier", "lsuv", "xavier"],
        "studies.grid.axes.init: xavier stands twice: list each value once",
    ),
    "equal numbers": ("studies.grid.axes.lr", [0.1, 1e-1], "axes.lr: 0.1 stands twice"),
    "axis is no list": ("studies.grid.axes.init", "xavier", "axes.init: Input should be a valid list (found 'xavier')"),
    "broken seed": ("studies.grid.axes.seed", [0, 0.5], "axes.seed.1: Input should be a valid integer (found 0.5)"),
    "seed is text": ("studies.grid.axes.seed", ["two"], "axes.seed.0: Input should be a valid integer (found 'two')"),
    "rate is a truth": ("studies.grid.optimizer.lr", True, "optimizer.lr: Input should be a valid number (found True)"),
    "dropout is a truth": ("studies.grid.model.dropout", False, "model.dropout: Input should be a valid number"),
    "option is text": (
        "studies.grid.optimizer.options",
        {"momentum": "much"},
        "optimizer.options.momentum: Input should be a valid number (found 'much')",
    ),
    "setting as an option": (
        "studies.grid.model.options",
        {"width": 4},
        "model.options.width: it is a setting of all models: write model.width",
    ),
    "option is a truth": (
        "studies.grid.model",
        {"name": "lenet", "options": {"backend": True}},
        "backend of lenet",
    ),
    "setting that the model lacks": (
        "studies.grid.model",
        {"name": "lenet", "depth": 3},
        "the model lenet has no depth: leave it out, or write null over another file's. It takes: ",
    ),
    "run is a number": ("run", 2024, "run: Input should be a valid string (found 2024); in quotes it is text"),
    "init is a truth": (
        "studies.grid.init",
        False,
        "(found False); YAML reads yes, no, on and off as True and False; in quotes it is text",
    ),
    "nobody's folder": ("data.folder", "~nobody-at-all/data", "~nobody-at-all/data has no such home folder"),
    "Chinese": ("studies.grid.question", "为什么?", "cannot print 为 (CJK UNIFIED IDEOGRAPH-4E3A), 什 (CJK"),
    "emoji": ("studies.grid.question", "Why? \U0001f600", "(GRINNING FACE): use Latin letters"),
    "half of a character": ("studies.grid.question", "Why? \ud83d", "cannot print '\\ud83d' (no name)"),
    "seed is a truth": ("studies.grid.axes.seed", [True], "axes.seed.0: Input should be a valid integer (found True)"),
    "negative seed": ("studies.grid.axes.seed", [-1], "seed.0: Input should be greater than or equal to 0 (found -1)"),
    "negative rate": ("studies.grid.optimizer.lr", -0.1, "optimizer.lr: Input should be greater than or equal to 0"),
    "rate is NaN": ("studies.grid.axes.lr", [NAN], "axes.lr.0: Input should be a finite number (found nan)"),
    "option is NaN": ("studies.grid.optimizer.options", {"momentum": NAN}, "Input should be a finite number"),
    "endless clip": (
        "studies.grid.clip",
        INF,
        "studies.grid.clip: expected a number above 0, or none, which clips nothing (found inf)",
    ),
    "no clip": (
        "studies.grid.clip",
        0,
        "studies.grid.clip: expected a number above 0, or none, which clips nothing (found 0)",
    ),
    "keep": ("studies.grid.keep", "some", "keep: Input should be 'none', 'best', 'half' or 'all' (found 'some')"),
    "device": ("compute.device", "gpu", "compute.device: Input should be 'auto', 'cpu' or 'cuda' (found 'gpu')"),
    "no mirror": (
        "data.mirror",
        "no/such/folder",
        "data.mirror: no/such/folder is not a folder: expected <mirror>/<dataset>/<file>; correct the path, or set it",
    ),
    "run is a path": ("run", "a/b", "run: String should match pattern '^[A-Za-z0-9_-]{1,100}$' (found 'a/b')"),
    "study's name": ("studies.My-Grid", {}, "studies.My-Grid.[key]: String should match pattern"),
    "no studies": ("studies", {}, "studies: Dictionary should have at least 1 item"),
    "study is nothing": ("studies.grid", 3, "studies.grid: Input should be a valid dictionary"),
}


@pytest.mark.parametrize(("place", "value", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_value_is_named_with_its_place_and_what_was_expected(place: str, value: Any, message: str):
    with pytest.raises(UserError) as caught:
        validate(content(place, value))
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [False, None])
@pytest.mark.parametrize(
    "place", ["model.norm", "clip", "clip_value", "task.augment", "keep", "axes.norm", "axes.clip"]
)
def test_where_none_is_a_word_what_yaml_reads_instead_is_told(place: str, value: bool | None):
    levels = [value] if place.startswith("axes") else value
    with pytest.raises(UserError, match=rf"studies\.grid\.{place}.*YAML reads no, off .*found {value}\): write none"):
        validate(content(f"studies.grid.{place}", levels))


@pytest.mark.parametrize(
    ("place", "value", "read"),
    [
        ("clip", "1e-1", 0.1),
        ("optimizer.lr", "1e-1", 0.1),
        ("optimizer.lr", 1, 1.0),
        ("optimizer.options", {"momentum": "9e-1", "nesterov": True}, {"momentum": 0.9, "nesterov": True}),
        ("budget.epochs", "3", 3),
        ("task.train", 1e3, 1000),
        ("axes.seed", ["0", "1"], [0, 1]),
    ],
)
def test_a_number_that_comes_as_text_is_the_number(place: str, value: Any, read: Any):
    found: Any = validate(content(f"studies.grid.{place}", value)).studies["grid"]
    for part in place.split("."):
        found = getattr(found, part)
    assert repr(found) == repr(read)


def test_a_tilde_is_the_home_folder_and_a_variable_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert validate(content("data.folder", "~/data")).data.folder == tmp_path / "data"
    assert validate(content("data.mirror", "~")).data.mirror == tmp_path
    assert validate(content("data.folder", "$HOME/data")).data.folder == Path("$HOME/data")


def test_a_question_may_have_greek_accents_and_signs():
    question = "Hält β₂ ≤ 0.999, was Šímová über α → ∞ verspricht – „immer“?"
    assert validate(content("studies.grid.question", question)).studies["grid"].question == question


@pytest.mark.parametrize("key", ["question", "task", "model", "optimizer", "budget", "axes", "figures"])
def test_a_missing_key_is_named(key: str):
    whole = content()
    del whole["studies"]["grid"][key]
    with pytest.raises(UserError, match=rf"studies\.grid\.{key}: is missing"):
        validate(whole)


def test_all_mistakes_are_told_at_once():
    whole = content("studies.grid.budget.epochs", 0) | {"run": "a b"}
    with pytest.raises(UserError, match=r"(?s)run: String.*budget\.epochs: Input"):
        validate(whole)


def test_a_mirror_that_exists_is_taken(tmp_path: Path):
    assert validate(content("data.mirror", str(tmp_path))).data.mirror == tmp_path


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        validate(content()).run = "other"


def test_factors_are_the_axes_without_the_seed():
    assert validate(content()).studies["grid"].factors == ["init", "schedule"]


def sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and every model below its fields."""
    yield model
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from sections(kind)


def test_every_field_of_every_section_is_described():
    found = list(sections(Config))
    assert {section.__name__ for section in found} >= {"Config", "Data", "Compute", "Study", "Axes", "Budget", "Task"}
    bare = [f"{s.__name__}.{name}" for s in found for name, f in s.model_fields.items() if not f.description]
    assert bare == []


def test_the_schema_file_is_the_models():
    """Written by `phase2 schema > config/schema.json`."""
    text = (ROOT / "config" / "schema.json").read_text()
    assert json.loads(text) == schema()
    assert text == json.dumps(schema(), indent=1) + "\n"


@pytest.mark.parametrize("overlay", [None, *sorted(path.name for path in (ROOT / "config").glob("*.yaml"))])
def test_the_shipped_configurations_are_valid(overlay: str | None):
    config = load([ROOT / "config.yaml", *([ROOT / "config" / overlay] if overlay else [])])
    assert config.run == (Path(overlay).stem if overlay else "desk")


def test_the_fast_recipe_is_one_in_both_configurations_that_have_it():
    here, there = (load([ROOT / "config.yaml", ROOT / "config" / f"{run}.yaml"]) for run in ("cifar", "reference"))
    one, other = (config.studies["fast"].model_dump() for config in (here, there))
    other["task"]["dataset"] = "cifar10"
    other |= {"precision": "fp32", "keep": "best", "hours": None}
    other["axes"]["seed"] = [0]
    assert one == other


def test_the_reference_page_is_the_models():
    page = (ROOT / "config" / "README.md").read_text()
    assert page == reference(), "run `phase2 schema --markdown > config/README.md`"
