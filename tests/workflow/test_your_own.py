"""The user's own parts, probes and data: used, labelled, listed, and made again when they change and no more."""

import json
import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from checkout import Checkout
from pdf import words_of
from test_adding import AGAIN

from phase2.source import ROOT
from phase2.study.tables import read_table

SOFTSIGN = '''"""Softsign, in its author's own folder."""

import torch

from phase2.card import Card

CARD = Card("activation", "Softsign", label="SoftSign", definition=r"$x / (1 + |x|)$", cites="glorot2010")


class Softsign(torch.nn.Module):
    def forward(self, x):
        return x / (1 + x.abs())
'''
OWN: dict[str, Any] = {
    "parts": ["my_parts"],
    "data": {"sets": {"stripes": {"folder": "my_data"}}},
    "studies": {
        "mlp_grid": {
            "task": {"dataset": "stripes", "validation": 40},
            "axes": {"activation": ["relu", "softsign"], "init": ["kaiming"], "seed": [0]},
            "figures": ["ranking"],
        }
    },
    "probes": {"unit_health": None, "activation_shapes": None},
}


def planned(project: Checkout, config: dict[str, Any] | None = None) -> str:
    output = project.snakemake("report", "-n", config=config).succeeded().output
    return "" if "Nothing to be done" in output else output


def striped(folder: Path) -> None:
    """Makes my_data in `folder` by the lines of docs/your-own.md: images of two classes that a network tells apart."""
    with chdir(folder):
        exec(documented("Data", "python")[0], {})


def test_parts_and_data_of_the_users_own_are_used_labelled_and_listed(clone: Checkout):
    striped(clone.folder)
    (clone.folder / "my_parts").mkdir()
    (clone.folder / "my_parts" / "softsign.py").write_text(SOFTSIGN)
    ran = clone.snakemake("report", config=OWN).succeeded()
    assert ran.cells == {"trained": 4, "restored": 0, "diverged": 0, "not finished": 0}
    text = words_of(clone.folder / "results/smoke/companion.pdf")
    assert "SoftSign" in text
    assert "stripes" in text
    assert "with uncommitted changes" in text  # the parts are in no commit
    cell = "activation=softsign/seed=0/init=kaiming/schedule=constant"
    metrics = clone.folder / "results/smoke/cells/mlp_grid" / cell / "metrics.json"
    assert json.loads(metrics.read_text())["final"]["test_accuracy"] > 0.9
    assert not planned(clone, OWN)
    clone.edit("my_parts/softsign.py", "1 + x.abs()", "2 + x.abs()")
    assert "train_mlp_grid: cells trained with other code (2 times)" in planned(clone, OWN)
    clone.edit("my_parts/softsign.py", "2 + x.abs()", "1 + x.abs()")
    (clone.folder / "my_data" / "stripes.npz").write_bytes((clone.folder / "my_data" / "stripes.npz").read_bytes()[:-1])
    assert "prepare: params.content changed" in planned(clone, OWN)


def documented(section: str, language: str) -> list[str]:
    """The code of this language in a section of docs/your-own.md."""
    text = (ROOT / "docs/your-own.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def documented_probe(parts: Path) -> dict[str, Any]:
    """Writes the probe of docs/your-own.md to a folder of parts; returns the configuration that names it."""
    (parts / "near_zero").mkdir(parents=True)
    for name, code in zip(("card.py", "measure.py", "draw.py"), documented("A probe", "python"), strict=True):
        (parts / "near_zero" / name).write_text(code)
    return yaml.safe_load(documented("A probe", "yaml")[0])


def test_a_probe_of_the_users_own_is_measured_drawn_and_told(project: Checkout):
    config, folder = documented_probe(project.folder / "my_parts"), "my_parts/near_zero"

    def again() -> set[str]:
        return {line.split()[0] for line in AGAIN.findall(planned(project, config))}

    assert again() == {"probe_next_to_nothing", "figure"}
    ran = project.snakemake("report", config=config).succeeded()
    assert ran.jobs["figure"] == 1
    shares = pd.read_csv(project.folder / "results/smoke/tables/next_to_nothing/shares.csv")
    assert len(shares) == len(pd.read_csv(project.folder / "results/smoke/tables/mlp_grid/cells.csv"))
    assert shares.share.between(0, 1).all()
    text = words_of(project.folder / "results/smoke/companion.pdf")
    for told in ("Next to nothing", config["probes"]["next_to_nothing"]["question"], "Weights near zero: mean over"):
        assert told in text
    assert not again()
    project.edit(f"{folder}/measure.py", "< options.below", "<= options.below")
    assert again() == {"probe_next_to_nothing", "figure"}
    project.edit(f"{folder}/measure.py", "<= options.below", "< options.below")
    project.edit(f"{folder}/draw.py", "Weights near zero: mean", "Weights next to zero: mean")
    assert not again()
    project.edit(f"{folder}/draw.py", "weights near zero (%)", "weights next to zero (%)")
    assert again() == {"figure"}


JUDGED = OWN | {
    "studies": {
        "mlp_grid": {
            "question": "Which activation?",
            "task": {"name": "guesses", "dataset": "stripes", "validation": 40},
            "model": {"name": "two_layers", "depth": None},
            "axes": {
                **{"activation": ["relu", "tanh"], "init": ["kaiming"], "schedule": ["constant"]},
                **{"lr": [0.02, 1e12], "seed": [0, 1]},
            },
            "figures": [
                "score_heatmap",
                "learning_curves",
                "lr_sensitivity",
                "best_curves",
                "ranking",
                "pairs",
                "spread",
            ],
        }
    },
}


def test_a_study_of_a_task_of_the_users_own_is_compared_by_its_metric_and_says_so(clone: Checkout):
    striped(clone.folder)
    (clone.folder / "my_parts").mkdir()
    sections = ("A model", "A task and its metric", "A figure")
    codes = [code for section in sections for code in documented(section, "python")]
    for name, code in zip(("two_layers", "surprise", "guesses", "spread"), codes, strict=True):
        (clone.folder / "my_parts" / f"{name}.py").write_text(code)
    assert clone.snakemake("report", "results/smoke/index.html", config=JUDGED).succeeded().cells["diverged"] == 4
    tables = clone.folder / "results/smoke/tables/mlp_grid"
    ranking = read_table(tables / "ranking.csv").query("measure == 'val_surprise'")
    assert ranking["mean"].iloc[0] == ranking["mean"].min() < 1
    assert list(ranking["failed"]) == [0, 0, 2, 2]
    assert ranking["mean"].iloc[-2:].isna().all()  # those that diverged
    assert "validation surprise (bits)" in words_of(clone.folder / "results/smoke/companion.pdf")
    text = words_of(clone.folder / "results/smoke/report.pdf")
    assert re.search(r"\d bits", text)
    assert "accuracy" not in text.lower()
    assert not planned(clone, JUDGED)
    clone.edit("my_parts/surprise.py", '"chance": 1.0', '"chance": 2.0')
    assert "analyse: params.score.chance changed" in (again := planned(clone, JUDGED))
    assert "train_" not in again
    clone.edit("my_parts/surprise.py", '"better": "lower"', '"better": "higher"')
    assert "train_mlp_grid: cells trained with other code (8 times)" in planned(clone, JUDGED)


WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "imports what is not there": (
        "import nowhere\n" + SOFTSIGN,
        ("my_parts/softsign.py, line 1: there is no module nowhere: install it in .venv",),
    ),
    "no card": ("import torch\n", ("my_parts/softsign.py has no card: write CARD",)),
}


@pytest.mark.parametrize(("content", "parts"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_part_is_refused_before_anything_is_computed(content: str, parts: tuple[str, ...], clone: Checkout):
    (clone.folder / "my_parts").mkdir()
    (clone.folder / "my_parts" / "softsign.py").write_text(content)
    config = {"parts": ["my_parts"], "studies": {"mlp_grid": {"axes": {"activation": ["softsign"]}}}}
    clone.snakemake("grid", config=config).failed_with(*parts)
    assert not (clone.folder / "data").exists()


def test_a_wrong_probe_is_refused_before_anything_is_computed(clone: Checkout):
    config = documented_probe(clone.folder / "my_parts")
    clone.edit("my_parts/near_zero/card.py", '("shares",)', '("shares")')
    clone.snakemake("grid", config=config).failed_with(
        "my_parts/near_zero/card.py, line 6: tables is 'shares', expected"
    )
    assert not (clone.folder / "data").exists()
