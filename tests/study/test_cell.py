"""Cells and packs: what an id depends on, and what it does not."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import ROOT, STUDY, cells, study_of

from phase2 import registry
from phase2.files import canonical_json
from phase2.run.config import load
from phase2.study.cell import Cell, cells_of, is_lane, jobs_of, packs_of
from phase2.study.training import defaults

count = st.integers(1, 9)
rate = st.sampled_from([0.0, 1e-4, 0.01, 0.1])
SPEC: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
    ("task", "dataset"): st.sampled_from(["digits", "fashion_mnist", "cifar10"]),
    ("task", "validation"): count,
    ("task", "train"): st.none() | count,
    ("task", "test"): st.none() | count,
    ("task", "size"): st.none() | count,
    ("task", "pixels"): st.sampled_from(["natural", "permuted"]),
    ("task", "augment"): st.sampled_from(["none", "crop_flip", "crop_flip+cutout"]),
    ("task", "augment_options"): st.just({}),  # which there are is the augmentation's to say
    ("task", "tta"): st.sampled_from(registry.names("tta")),
    ("model", "name"): st.just("mlp"),  # it takes all settings of networks
    ("model", "width"): st.none() | count,
    ("model", "depth"): st.none() | count,
    ("model", "activation"): st.sampled_from(registry.names("activation")),
    ("model", "norm"): st.sampled_from(["none", *registry.names("norm")]),
    ("model", "dropout"): st.floats(0, 0.9, allow_nan=False),
    ("init",): st.sampled_from(registry.names("init")),
    ("schedule",): st.sampled_from(registry.names("schedule")),
    ("optimizer", "name"): st.sampled_from(["sgd", "rmsprop"]),
    ("optimizer", "lr"): rate,
    ("optimizer", "weight_decay"): rate,
    ("optimizer", "options"): st.dictionaries(st.just("momentum"), rate.filter(bool)),
    ("budget", "epochs"): count,
    ("budget", "batch_size"): count,
    ("clip",): st.sampled_from(["none", 0.5, 1.0]),
    ("clip_value",): st.sampled_from(["none", 0.5, 1.0]),
    ("task", "label_smoothing"): st.sampled_from([0.0, 0.1]),
    ("optimizer", "bias_lr"): rate.filter(bool) | st.just(1.0),
    ("optimizer", "decay"): st.sampled_from(["all", "weights"]),
    ("budget", "accumulate"): st.just(1),
    ("budget", "sizes"): st.just({}),  # which there can be is for epochs, size and pixels to say
    ("precision",): st.sampled_from(["fp32", "bf16", "fp16"]),
    ("channels_last",): st.booleans(),
    ("compile",): st.booleans(),
    ("average", "name"): st.sampled_from(["none", "ema"]),
    ("average", "options"): st.just({}),
    ("axes", "seed"): st.integers(0, 9).map(lambda seed: [seed]),
}
specs = st.fixed_dictionaries(SPEC)


def only_cell(values: dict[tuple[str, ...], Any], name: str = "grid") -> Cell:
    """The cell of a study that has one."""
    content: dict[str, Any] = {}
    for (*parents, key), value in values.items():
        section = content
        for parent in parents:
            section = section.setdefault(parent, {})
        section[key] = value
    (cell,) = cells_of(name, study_of(**content))
    return cell


def spelled(spec: dict[tuple[str, ...], Any]) -> str:
    return canonical_json({".".join(place): value for place, value in spec.items()})


@settings(deadline=None)
@given(specs, st.sampled_from(sorted(SPEC)), st.data())
def test_an_id_depends_on_every_field_of_the_spec(spec: dict, place: tuple[str, ...], data: st.DataObject):
    other = spec | {place: data.draw(SPEC[place])}
    assert re.fullmatch("[0-9a-f]{12}", only_cell(spec).id)
    assert (only_cell(spec).id == only_cell(other).id) == (spelled(spec) == spelled(other))


def test_a_renamed_study_has_the_same_ids():
    one, other = (cells_of(name, study_of()) for name in ("one", "other"))
    assert [cell.id for cell in one] == [cell.id for cell in other]
    assert {cell.study for cell in one + other} == {"one", "other"}


IDS = {  # a dozen cells, by what differs from STUDY; were one of these to change, every finished cell would be orphaned
    "STUDY": ({}, "7172b338e605"),
    "all training images": ({"task": {"dataset": "fashion_mnist", "validation": 2000}}, "846cc27d0816"),
    "some images": (
        {"task": {"dataset": "fashion_mnist", "validation": 2000, "train": 10_000, "test": 2000}},
        "4914c10bfa2e",
    ),
    "permuted": (
        {"task": {"dataset": "digits", "validation": 40, "pixels": "permuted", "augment": "crop_flip"}},
        "6f121275b6d7",
    ),
    "deep": (
        {"model": {"name": "mlp", "width": 64, "depth": 20, "activation": "gelu", "norm": "batch"}},
        "bf501d13ad9f",
    ),
    "dropout": ({"model": {"name": "mlp", "dropout": 0.5}}, "7c02bc28d901"),
    "options": ({"model": {"name": "cifar_resnet", "options": {"shortcut": "B", "backend": "fused"}}}, "e377d4b95ea7"),
    "adam": (
        {"optimizer": {"name": "adam", "lr": 0.001, "weight_decay": 0.01, "options": {"eps": 1e-6}}},
        "7cd02ec3067a",
    ),
    "nesterov": ({"optimizer": {"name": "nesterov", "lr": 0.1}}, "d7c6e5a753e0"),
    "clipped": ({"clip": 1.0, "clip_value": 0.5}, "e64edd931564"),
    "long": ({"budget": {"epochs": 200, "batch_size": 512}}, "ff80258f896c"),
    "axes": ({"axes": {"init": ["lsuv"], "schedule": ["one_cycle"], "lr": [0.3], "seed": [7]}}, "bfbc64765d66"),
}


@pytest.mark.parametrize(("changes", "id"), IDS.values(), ids=IDS)
def test_ids_are_pinned(changes: dict[str, Any], id: str):
    assert cells(**changes)[0].id == id


def test_defaults_never_change():
    """A spec leaves them out: another default would be another training under the same id. A new one may be added."""
    assert defaults() == {
        "model": {"activation": "relu", "norm": "none", "dropout": 0.0, "width": None, "depth": None, "options": {}},
        "task": {
            **{"name": "images", "train": None, "test": None, "size": None, "pixels": "natural", "augment": "none"},
            **{"augment_options": {}, "tta": "none", "label_smoothing": 0.0},
        },
        "init": "kaiming",
        "schedule": "constant",
        "optimizer": {"weight_decay": 0.0, "bias_lr": 1.0, "decay": "all", "options": {}},
        "clip": "none",
        "clip_value": "none",
        "budget": {"accumulate": 1, "sizes": {}},
        "precision": "fp32",
        "channels_last": False,
        "compile": False,
        "average": {"name": "none", "options": {}},
    }


def test_a_spec_leaves_out_what_equals_its_default_options_too():
    usual = {"model": {"name": "cifar_resnet", "activation": "relu", "options": {"shortcut": "A"}}, "clip": "none"}
    usual["optimizer"] = {"name": "sgd", "lr": 0.05, "options": {"nesterov": False}}
    (cell,) = cells(**usual, axes={"init": ["kaiming"], "seed": [0]})
    assert cell.spec == {
        "model": {"name": "cifar_resnet"},
        "task": {"dataset": "digits", "validation": 40},
        "optimizer": {"name": "sgd", "lr": 0.05},
        "budget": {"epochs": 2, "batch_size": 32},
        "seed": 0,
    }
    assert cell.settings["init"] == "kaiming"


def test_the_fields_varied_above_are_all_settings_but_a_models_options():
    settings = cells()[0].settings
    flat = {(k, *rest) for k, v in settings.items() for rest in (((n,) for n in v) if isinstance(v, dict) else ((),))}
    assert flat - {("seed",), ("task", "name"), ("model", "options")} == SPEC.keys() - {("axes", "seed")}


def test_an_option_of_the_model_is_an_axis():
    grid = cells(model={"name": "lenet"}, axes={"backend": ["scratch", "fused"], "seed": [0]})
    assert [str(cell.partition) for cell in grid] == ["backend=scratch/seed=0", "backend=fused/seed=0"]
    assert [cell.spec["model"] for cell in grid] == [
        {"name": "lenet"},
        {"name": "lenet", "options": {"backend": "fused"}},
    ]


@settings(deadline=None)
@given(st.permutations(list(STUDY["axes"])), st.sets(st.sampled_from(registry.names("init")), min_size=1))
def test_an_id_does_not_depend_on_the_axes_order_or_on_their_other_values(order: list[str], inits: set[str]):
    ids = {tuple(sorted(cell.axes)): cell.id for cell in cells()}
    axes = STUDY["axes"] | {"init": sorted(inits)}
    for cell in cells(axes={name: axes[name] for name in order}):
        if tuple(sorted(cell.axes)) in ids:
            assert cell.id == ids[tuple(sorted(cell.axes))]


def test_an_id_does_not_depend_on_what_is_asked_kept_or_drawn():
    other = cells(question="Why?", keep="all", figures=["ranking"])
    assert [cell.id for cell in other] == [cell.id for cell in cells()]


def test_a_value_is_the_same_on_an_axis_and_off_it():
    on = cells(axes={"activation": ["tanh"], "lr": [0.01], "seed": [0]})
    off = cells(
        model=STUDY["model"] | {"activation": "tanh"}, optimizer=STUDY["optimizer"] | {"lr": 0.01}, axes={"seed": [0]}
    )
    assert [cell.id for cell in on] == [cell.id for cell in off]


def test_the_desk_grid_has_216_cells_in_24_packs_of_9_lanes():
    study = load([ROOT / "config.yaml"]).studies["mlp_grid"]
    grid = cells_of("mlp_grid", study)
    packs = packs_of(grid)
    assert len(grid) == len({cell.id for cell in grid}) == len({cell.partition for cell in grid}) == 216
    assert len(packs) == 24
    assert {len(pack) for pack in packs.values()} == {9}
    assert str(grid[0].partition) == "activation=relu/seed=0/init=xavier/schedule=constant"


def test_a_partition_begins_with_its_packs_folders():
    axes = {"lr": [0.1, 0.01], "activation": ["relu", "tanh"], "schedule": ["step"], "width": [3, 4], "seed": [0, 1]}
    for cell in cells(axes=axes):
        assert not any(map(is_lane, cell.pack_axes))
        pack = "/".join(f"{name}={value}" for name, value in cell.pack_axes.items())
        assert str(cell.partition).startswith(pack + "/")
    assert {len(pack) for pack in packs_of(cells(axes=axes)).values()} == {2}


def test_the_lanes_of_a_pack_differ_along_lane_axes_alone():
    axes = {"weight_decay": [0.0, 0.1], "init": ["lsuv", "xavier"], "depth": [1, 2], "seed": [0, 1]}
    packs = packs_of(cells(axes=axes))
    assert len(packs) == 4
    for pack in packs.values():
        assert len({(cell.settings["model"]["depth"], cell.settings["seed"]) for cell in pack}) == 1
        assert len({(cell.settings["init"], cell.settings["optimizer"]["weight_decay"]) for cell in pack}) == 4


@pytest.mark.parametrize(("jobs", "packs"), [("per_seed", 1), ("per_combination", 3), ("per_study", 6)])
def test_a_job_trains_whole_packs_as_many_as_the_study_says(jobs: str, packs: int):
    axes = {"lr": [0.1, 0.01], "activation": ["relu", "tanh"], "seed": [0, 1, 2]}
    study = study_of(axes=axes, jobs=jobs)
    grid = cells_of("grid", study)
    grouped = jobs_of(grid, study)
    assert sorted(cell.id for job in grouped.values() for cell in job) == sorted(cell.id for cell in grid)
    assert {len(packs_of(job)) for job in grouped.values()} == {packs}
    assert all(len(pack) == 2 for job in grouped.values() for pack in packs_of(job).values())
    for folder, job in grouped.items():
        assert all(cell.partition.is_relative_to(folder) for cell in job)
