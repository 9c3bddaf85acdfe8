"""Augmentation, test-time augmentation and sizes in a configuration: how they are written, and what is refused."""

from typing import Any

import pytest
from studies import cells, run, study_of
from study_fixtures import folders, prepared_folder  # noqa: F401

from phase2.errors import UserError
from phase2.stats.columns import columns
from phase2.study.code import components_of
from phase2.study.pack import Folders
from phase2.study.tables import gather
from phase2.words.labels import word

TASK = {"dataset": "digits", "validation": 40}
CONV = {"name": "cifar_resnet", "depth": 8, "width": 2}


def task(**changes: Any) -> dict[str, Any]:
    return {"task": TASK | changes}


def test_several_augmentations_are_a_list_or_joined_by_a_plus():
    listed, joined = (cells(**task(augment=value))[0] for value in (["translate", "cutout"], "translate+cutout"))
    assert listed.id == joined.id != cells()[0].id
    assert listed.settings["task"]["augment"] == "translate+cutout"
    parts = [name for kind, name in components_of(listed.settings) if kind == "augmentation"]
    assert parts == ["translate", "cutout"]


def test_lists_are_levels_of_the_axis_and_have_labels_of_their_own():
    grid = cells(axes={"augment": ["none", "flip", ["flip", "cutout"]], "seed": [0]})
    assert [str(cell.partition) for cell in grid] == [
        f"augment={level}/seed=0" for level in ("none", "flip", "flip+cutout")
    ]
    assert word("flip+cutout") == "flip + cutout"
    assert word("flip+nothing") is None


def test_an_option_at_its_default_is_in_no_spec():
    usual, given = (cells(**task(augment="flip+cutout", **more))[0] for more in ({}, {"augment_options": {"hole": 16}}))
    assert usual.spec == given.spec
    assert "augment_options" not in usual.spec["task"]
    other = cells(**task(augment="cutout", augment_options={"hole": "4"}))[0]
    assert other.spec["task"]["augment_options"] == {"hole": 4}


def test_sizes_are_read_by_epoch_and_are_in_no_spec_if_there_are_none():
    cell = cells(budget={"epochs": 9, "batch_size": 32, "sizes": {"0": 4, 3: "6"}}, model=CONV)[0]
    assert cell.spec["budget"]["sizes"] == {"0": 4, "3": 6}
    assert "sizes" not in cells()[0].spec["budget"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (task(augment=["flip", "cutut"]), "unknown augmentation 'cutut': did you mean 'cutout'"),
    "twice": (task(augment="flip+flip"), "flip stands twice"),
    "empty": (task(augment=[]), "task.augment"),
    "no": (task(augment=False), "write none"),
    "tta": (task(tta="miror"), "unknown tta 'miror': did you mean 'mirror'"),
    "option": (task(augment="cutout", augment_options={"size": 3}), "unknown option of the augmentation cutout 'size'"),
    "of others": (task(augment="flip", augment_options={"hole": 3}), "unknown option of the augmentation flip 'hole'"),
    "given": (task(augment="mixup", augment_options={"classes": 3}), "unknown option of the augmentation mixup"),
    "not a number": (task(augment="cutout", augment_options={"hole": "big"}), "augment_options.hole"),
    "true": (task(augment="cutout", augment_options={"hole": True}), "augment_options.hole"),
    "NaN": (task(augment="mixup", augment_options={"alpha": float("nan")}), "augment_options.alpha"),
    "late": ({"budget": {"epochs": 2, "batch_size": 8, "sizes": {2: 4}}}, "no epoch 2 in a training of 2"),
    "negative": ({"budget": {"epochs": 2, "batch_size": 8, "sizes": {-1: 4}}}, "budget.sizes"),
    "no pixels": ({"budget": {"epochs": 2, "batch_size": 8, "sizes": {0: 0}}}, "budget.sizes"),
    "larger": (
        task(size=4) | {"budget": {"epochs": 2, "batch_size": 8, "sizes": {0: 5}}},
        "at most the 4 pixels a side of task.size",
    ),
    "permuted": (
        task(pixels="permuted") | {"budget": {"epochs": 2, "batch_size": 8, "sizes": {0: 4}}},
        "set task.pixels to natural",
    ),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_before_anything_runs(changes: dict[str, Any], message: str):
    with pytest.raises(UserError) as caught:
        study_of(**changes)
    assert message in str(caught.value)


def test_an_option_is_for_the_levels_of_the_axis_that_take_it():
    grid = cells(**task(augment_options={"hole": 3}), axes={"augment": ["none", "cutout"], "seed": [0]})
    assert len(grid) == 2


def test_tables_tell_test_scores_with_and_without_and_what_the_columns_mean(folders: Folders):  # noqa: F811
    changes = task(tta="mirror", augment=["flip", "mixup"]) | {"axes": {"seed": [0]}}
    run(folders, **changes)
    table, _ = gather(cells(**changes), folders.results)
    told = columns(study_of(**changes))["cells"]
    assert {*told} == {*table}
    assert {name for name in table if name.startswith("plain_")} == {"plain_test_accuracy", "plain_test_loss"}
    assert told["test_accuracy"] == "accuracy (a share of 1), on test at the end, by mirror"
    assert told["plain_test_accuracy"] == "accuracy (a share of 1), on test at the end, each image asked once"
    assert "plain_test_accuracy" not in columns(study_of())["cells"]
