"""The tables beside published numbers: measured and published errors by depth, and what differs, from the settings."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from finished_run import make_config

from phase2.probe.model_sizes.measure import measure as model_sizes
from phase2.report.inputs import ProbeInputs, StudyInputs
from phase2.report.published import errors_tables, published_tables
from phase2.study.cell import cells_of
from phase2.study.config import Study

SHAPES = {"fashion_mnist": [60000, 1, 28, 28], "cifar10": [50000, 3, 32, 32]}
PAPER = {
    "task": {"dataset": "cifar10", "validation": 5000, "train": None, "augment": "crop_flip"},
    "model": {"name": "cifar_resnet", "norm": "batch"},
    "optimizer": {"name": "momentum", "lr": 0.1, "weight_decay": 1e-4},
    "budget": {"epochs": 182, "batch_size": 128},
    "schedule": "multi_step",
}
DESK = {
    "task": {"dataset": "fashion_mnist", "validation": 2000, "train": 4000},
    "model": {"name": "plain", "width": 8, "norm": "batch", "options": {"backend": "fused"}},
    "optimizer": {"name": "nesterov", "lr": 0.05},
    "budget": {"epochs": 4, "batch_size": 128},
    "schedule": "one_cycle",
}


def study(settings, lost=(), error=0.1, **axes):
    """A study whose test error is `error`, and a hundredth more with each seed; the cells at places `lost` diverged."""
    axes = {"seed": [0, 1, 2], **axes}
    section = Study.model_validate({**make_config(axes, [])["studies"]["mlp_grid"], **settings}).model_dump(mode="json")
    cells = cells_of("depths", Study.model_validate(section))
    rows = [
        {"id": cell.id, **dict(cell.axes), "test_accuracy": 1 - error - 0.01 * dict(cell.axes)["seed"]}
        for cell in cells
    ]
    table = pd.DataFrame(rows)
    table.loc[list(lost), "test_accuracy"] = np.nan
    meta = {"classes": list("0123456789"), "arrays": {"train_images": {"shape": SHAPES[section["task"]["dataset"]]}}}
    return StudyInputs("depths", section, meta, {"cells": table})


def errors_table(study):
    """The one table of a study."""
    (table,) = errors_tables(study)
    return table


def rows_of(latex):
    """The rows of a tabular, without its head."""
    body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0]
    return [[cell.strip() for cell in row.split("&")] for row in body.strip().removesuffix(r"\\").split("\\\\\n")]


def test_rows_are_depths_with_measured_and_published_numbers():
    rows = rows_of(errors_table(study(PAPER, depth=[8, 20, 110], error=0.0775)))
    assert rows == [
        ["8", r"$8.75 \pm 1.00$", "3", "--"],
        ["20", r"$8.75 \pm 1.00$", "3", "8.75"],
        ["110", r"$8.75 \pm 1.00$", "3", r"6.43 ($6.61 \pm 0.16$, 5 runs)"],
    ]


def test_the_papers_settings_differ_in_nothing_but_how_images_are_scaled():
    text = errors_table(study(PAPER, depth=[20]))
    assert "Different here: the channels standardized (there each pixel's mean subtracted)." in text


def test_every_other_setting_is_said_with_the_papers_beside_it():
    text = errors_table(study(DESK, model=["plain", "cifar_resnet"], depth=[8, 20]))
    for said in (
        "data Fashion-MNIST (there CIFAR-10)",
        "training images 4,000 (there 45,000 or 50,000)",
        "augmentation none (there",
        "channels of the first stage 8 (there 16)",
        "optimizer Nesterov 0.9 (there momentum 0.9)",
        "learning rate $0.05$ (there $0.1$)",
        "weight decay $0$ (there $0.0001$)",
        "schedule one-cycle (there multi-step)",
        "iterations 128 (there 64,000)",
    ):
        assert said in text
    for same in ("shortcuts", "normalization", "activation", "batch size"):
        assert f"{same} " not in text.split("Different here")[1]
    assert [row[0] for row in rows_of(text)] == ["8", "20"]  # plain ones are left out


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        ({"name": "sgd", "options": {"momentum": 0.9}}, ""),
        ({"name": "sgd", "options": {"momentum": 0.9, "nesterov": True}}, "Nesterov 0.9"),
        ({"name": "sgd"}, "momentum 0"),
        ({"name": "momentum", "options": {"momentum": 0.5}}, "momentum 0.5"),
        ({"name": "adam"}, "Adam"),
    ],
)
def test_momentum_is_the_same_under_any_name(optimizer, rule):
    text = errors_table(study(PAPER | {"optimizer": {"lr": 0.1, "weight_decay": 1e-4, **optimizer}}, depth=[20]))
    assert ("optimizer" in text) == bool(rule)
    assert rule == "" or f"optimizer {rule} (there momentum 0.9)" in text


def test_other_axes_have_columns_and_their_values_stand_beside_the_papers():
    text = errors_table(study(PAPER, depth=[20], lr=[0.1, 0.2]))
    assert [row[:2] for row in rows_of(text)] == [["20", "0.1"], ["20", "0.2"]]
    assert "learning rate $0.1$ and $0.2$ (there $0.1$)" in text


def test_seeds_that_did_not_finish_are_not_counted():
    rows = rows_of(errors_table(study(PAPER, depth=[20, 32], lost=[2, 3, 4, 5])))
    assert [row[1:3] for row in rows] == [["$10.50$", "2"], ["--", "0"]]


def test_only_networks_with_published_errors_have_a_table():
    other = study({**DESK, "model": {"name": "mlp", "width": 8}}, depth=[2, 4])
    shallow = study(PAPER | {"model": {"name": "cifar_resnet", "depth": 8}}, lr=[0.1])
    assert published_tables([other, shallow], []) == ""
    text = published_tables([other, study(PAPER, depth=[20]), shallow], [])
    assert re.findall(r"\\label\{(.*?)\}", text) == ["tab:depths:he2016"]


def test_architectures_side_by_side_have_a_table_for_each_paper():
    """A depth that the configuration does not name is the architecture's own."""
    settings = PAPER | {"task": PAPER["task"] | {"validation": 10}, "budget": {"epochs": 200, "batch_size": 128}}
    text = published_tables([study(settings, model=["lenet", "cifar_resnet", "resnet"], error=0.0775)], [])
    assert re.findall(r"\\label\{(.*?)\}", text) == ["tab:depths:he2016", "tab:depths:devries2017"]
    he, devries = text.split(r"\caption")[1:]
    assert rows_of(he) == [["20", r"$8.75 \pm 1.00$", "3", "8.75"]]
    assert rows_of(devries) == [["18", r"$8.75 \pm 1.00$", "3", r"$4.72 \pm 0.21$, 5 runs"]]
    assert "iterations 78,200 (there 64,000)" in he
    assert "schedule multi-step (there a fifth at 30, 60 and 80" in devries
    for same in ("iterations", "channels", "shortcuts", "training images", "initialization"):
        assert same not in devries.split("Different here")[1]


def test_sizes_are_printed_with_the_published_ones():
    probe = ProbeInputs("sizes", {"probe": "model_sizes"}, model_sizes(SimpleNamespace()), {})
    text = published_tables([], [probe])
    rows = rows_of(text)
    assert rows[0] == ["LeNet", "5", "62,006", "--", "$0.0013$"]
    assert rows[-1] == ["", "110", "1,727,962", "1.7", "$0.5058$"]
    assert [row[0] for row in rows if row[0]] == ["LeNet", "VGG", "ResNet", "CIFAR ResNet"]
