"""Cells and packs: what an id depends on, and what it does not."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import ROOT, STUDY, cells, study_of

from phase2 import registry
from phase2.files import canonical_json
from phase2.study.cell import LANE_AXES, PLACES, Cell, cells_of, jobs_of, packs_of
from phase2.study.config import Axes, load

count = st.integers(1, 9)
rate = st.sampled_from([0.0, 1e-4, 0.01, 0.1])
SPEC: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
    ("task", "dataset"): st.sampled_from(["digits", "fashion_mnist", "cifar10"]),
    ("task", "validation"): count,
    ("task", "train"): st.none() | count,
    ("task", "test"): st.none() | count,
    ("task", "pixels"): st.sampled_from(["natural", "permuted"]),
    ("task", "augment"): st.sampled_from(["none", "crop_flip"]),
    ("model", "name"): st.sampled_from(registry.names("model")),
    ("model", "width"): st.none() | count,
    ("model", "depth"): st.none() | count,
    ("model", "activation"): st.sampled_from(registry.names("activation")),
    ("model", "norm"): st.sampled_from(["none", *registry.names("norm")]),
    ("model", "dropout"): st.floats(0, 0.9, allow_nan=False),
    ("model", "options"): st.dictionaries(st.sampled_from(["head", "width_factor"]), count | st.booleans()),
    ("init",): st.sampled_from(registry.names("init")),
    ("schedule",): st.sampled_from(registry.names("schedule")),
    ("optimizer", "name"): st.sampled_from(registry.names("optimizer")),
    ("optimizer", "lr"): rate,
    ("optimizer", "weight_decay"): rate,
    ("optimizer", "options"): st.dictionaries(st.sampled_from(["momentum", "eps"]), rate | st.booleans()),
    ("budget", "epochs"): count,
    ("budget", "batch_size"): count,
    ("clip",): st.sampled_from(["none", 0.5, 1.0]),
    ("clip_value",): st.sampled_from(["none", 0.5, 1.0]),
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


def test_an_id_is_pinned():
    """If this value changes, every finished cell is orphaned."""
    assert cells()[0].id == "e6b8475a15b3"


def test_the_fields_varied_above_are_all_that_a_spec_has():
    spec = cells()[0].spec
    flat = {(k, *rest) for k, v in spec.items() for rest in (((n,) for n in v) if isinstance(v, dict) else ((),))}
    assert flat - {("seed",)} == SPEC.keys() - {("axes", "seed")}


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


def test_every_axis_has_a_place_in_the_spec():
    assert PLACES.keys() == Axes.model_fields.keys()
    assert set(LANE_AXES) <= PLACES.keys()


def test_the_desk_run_has_750_cells_in_30_packs_of_25_lanes():
    study = load([ROOT / "config.yaml"]).studies["mlp_grid"]
    grid = cells_of("mlp_grid", study)
    packs = packs_of(grid)
    assert len(grid) == len({cell.id for cell in grid}) == len({cell.partition for cell in grid}) == 750
    assert len(packs) == 30
    assert {len(pack) for pack in packs.values()} == {25}
    assert str(grid[0].partition) == "activation=relu/seed=0/init=xavier/schedule=constant"


def test_a_partition_begins_with_its_packs_folders():
    axes = {"lr": [0.1, 0.01], "activation": ["relu", "tanh"], "schedule": ["step"], "width": [3, 4], "seed": [0, 1]}
    for cell in cells(axes=axes):
        assert not set(cell.pack_axes) & set(LANE_AXES)
        pack = "/".join(f"{name}={value}" for name, value in cell.pack_axes.items())
        assert str(cell.partition).startswith(pack + "/")
    assert {len(pack) for pack in packs_of(cells(axes=axes)).values()} == {2}


def test_the_lanes_of_a_pack_differ_along_lane_axes_alone():
    axes = {"weight_decay": [0.0, 0.1], "init": ["lsuv", "xavier"], "depth": [1, 2], "seed": [0, 1]}
    packs = packs_of(cells(axes=axes))
    assert len(packs) == 4
    for pack in packs.values():
        assert len({(cell.spec["model"]["depth"], cell.spec["seed"]) for cell in pack}) == 1
        assert len({(cell.spec["init"], cell.spec["optimizer"]["weight_decay"]) for cell in pack}) == 4


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
