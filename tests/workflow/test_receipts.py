"""What is on disk is compared with what is wanted before anything is read: each way to a wrong report is closed."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from checkout import LEAN, SMOKE, Checkout

from phase2.source import ROOT
from phase2.study.read import read

EPOCHS: dict[str, Any] = {"studies": {"mlp_grid": {"budget": {"epochs": 3}}}}
SGD = ("phase2/optim/sgd.py", "add_scaled_(params, grads, -lr)", "add_scaled_(params, grads, -lr / 2)")
CELL = "mlp_grid/activation=relu/seed=0/init=kaiming/schedule=cosine"
HEAD = "phase2: these results are not what is wanted now, and are made again:\n"


def planned(project: Checkout, config: dict[str, Any] | None = None) -> str:
    """What a dry run says; nothing if there is nothing to do."""
    output = project.snakemake("report", "-n", config=config).succeeded().output
    return "" if "Nothing to be done" in output else output


def overwrite(project: Checkout, name: str, change: Callable[[bytes], bytes]) -> None:
    """Other bytes in a file, whose size and time of modification stay where the change lets them."""
    path = project.folder / name
    before = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def last_byte(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def forget(project: Checkout) -> None:
    shutil.rmtree(project.folder / ".snakemake")


@pytest.mark.parametrize("keep", ["half", "all"])  # best is what the fixture kept
def test_cells_of_another_budget_are_trained_again(keep: str, project: Checkout):
    wanted: dict[str, Any] = {"studies": {"mlp_grid": {"keep": keep, "axes": {"activation": ["relu"], "seed": [0]}}}}
    project.snakemake("grid", config=wanted).succeeded()
    wanted["studies"]["mlp_grid"]["budget"] = {"epochs": 3}
    assert "train_mlp_grid: cells of another configuration (4 times)" in planned(project, wanted)
    forget(project)
    assert "train_mlp_grid: cells of another configuration (4 times)" in planned(project, wanted)


def test_what_phase2_trained_counts_as_what_it_is(project: Checkout):
    overlay = project.folder / "epochs.json"
    overlay.write_text(json.dumps(EPOCHS))
    options = [word for path in (SMOKE, LEAN, "epochs.json") for word in ("--configfile", path)]
    project.phase2("train", "mlp_grid", "seed=0", "activation=relu", *options).succeeded()
    assert "train_mlp_grid: cells of another configuration (4 times)" in planned(project)
    assert "train_mlp_grid: cells of another configuration (12 times)" in planned(project, EPOCHS)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda p: p.edit(*SGD), "train_mlp_grid: cells trained with other code (16 times)"),
        (
            lambda p: p.edit("phase2/figures/ranking.py", "import pandas as pd", "import json\n\nimport pandas as pd"),
            "figure: params.code changed",
        ),
        (
            lambda p: p.edit("workflow/scripts/analyse.py", "with job", "ONE = 1\nwith job"),
            "analyse: script changed",
        ),
        (
            lambda p: p.edit("report/report.tex", r"\begin{document}", r"\begin{document} "),
            "typeset: what it was made from changed (report/report.tex)",
        ),
    ],
    ids=["optimizer", "figure", "script", "text"],
)
def test_an_edit_counts_where_snakemakes_memory_is_lost(edit, said: str, project: Checkout):
    forget(project)
    edit(project)
    assert HEAD + "  " + said in planned(project)


DAMAGE = {
    f"checkpoints/smoke/{CELL}/best.safetensors": "train_mlp_grid: best.safetensors is not as it was written",
    f"results/smoke/cells/{CELL}/metrics.json": "train_mlp_grid: metrics.json is damaged",
    f"results/smoke/cells/{CELL}/history.csv": "train_mlp_grid: history.csv is not as it was written",
    "results/smoke/tables/mlp_grid/pairs.csv": "analyse: results/smoke/tables/mlp_grid/pairs.csv is not as it was",
    "results/smoke/figures/mlp_grid/pairs.png": "figure: results/smoke/figures/mlp_grid/pairs.png is not as it was",
    "results/smoke/report/generated/macros.tex": "sources: results/smoke/report/generated is not as it was written",
    "results/smoke/report.pdf": "typeset: results/smoke/report.pdf is not as it was written",
    "data/prepared/digits/train_images.npy": "prepare: data/prepared/digits/train_images.npy is not as it was written",
}


@pytest.mark.parametrize(("name", "said"), DAMAGE.items(), ids=[name.rsplit("/", 1)[-1] for name in DAMAGE])
def test_a_changed_byte_is_made_again_although_size_and_time_are_the_same(name: str, said: str, project: Checkout):
    overwrite(project, name, last_byte)
    assert said in planned(project)


GONE = {
    "checkpoints": "train_mlp_grid",
    "results/smoke/tables": "aggregate",
    "results/smoke/report/trace.json": "sources",
    "results/smoke/metrics.json": "summarise",
    "results/smoke/mastery.csv": "sources",
    "results/smoke/config.yaml": "record",
    "results/smoke/receipts": "analyse",
    f"results/smoke/cells/{CELL}": "train_mlp_grid",
}


@pytest.mark.parametrize(("name", "rule"), GONE.items(), ids=GONE.keys())
def test_what_was_deleted_is_made_again(name: str, rule: str, project: Checkout):
    path = project.folder / name
    path.unlink() if path.is_file() else shutil.rmtree(path)
    assert re.search(rf"^{rule} +\d+$", planned(project), re.MULTILINE)


def test_a_folder_where_a_file_belongs_is_named_with_what_to_do(project: Checkout):
    path = project.folder / "results/smoke/tables/mlp_grid/levels.csv"
    path.unlink()
    path.mkdir()
    (path / "mine.txt").touch()
    project.snakemake("report").failed_with("mlp_grid/levels.csv", "Move away what lies there, then run the same")


def test_what_an_editor_leaves_beside_the_papers_text_plans_nothing(project: Checkout):
    for name in ("report.tex~", ".report.tex.swp", "#report.tex#", "report.tex.bak"):
        (project.folder / "report" / name).write_text("as it was")
    assert not planned(project)


def test_data_that_nobody_needs_any_more_are_not_fetched_again(project: Checkout):
    shutil.rmtree(project.folder / "data")
    assert not planned(project)


def test_an_edit_of_what_prepares_the_data_counts_where_the_data_are_gone(project: Checkout):
    shutil.rmtree(project.folder / "data")
    project.edit("phase2/data/images.py", "train[1].astype(np.int64)", "train[1].astype(np.int32)")
    assert "train_mlp_grid: cells trained with other data (16 times)" in planned(project)


def test_an_overwritten_array_is_prepared_again_and_what_it_made_agrees(project: Checkout):
    before = project.cells()
    overwrite(project, "data/prepared/digits/train_images.npy", last_byte)
    ran = project.snakemake("grid").succeeded()
    assert ran.jobs["prepare"] == 1
    assert ran.cells == {"trained": 0, "restored": 16, "diverged": 0, "not finished": 0}
    assert project.cells() == before


def test_a_study_that_leaves_its_group_of_baselines_leaves_a_run_that_agrees(project: Checkout):
    other = read([ROOT / "config.yaml", ROOT / SMOKE])["studies"]["mlp_grid"]
    tables = [f"results/smoke/tables/{study}/baseline.csv" for study in ("mlp_grid", "other")]

    def with_validation(count: int) -> dict[str, Any]:
        return {"studies": {"other": other | {"task": other["task"] | {"validation": count}}}}

    shared, apart = with_validation(other["task"]["validation"]), with_validation(other["task"]["validation"] - 10)
    project.snakemake(*tables, config=shared).succeeded()
    project.snakemake(*tables, config=apart).succeeded()
    assert "Nothing to be done" in project.snakemake(*tables, "-n", config=apart).succeeded().output


def test_truncated_weights_come_back_by_the_same_command(project: Checkout):
    before = project.cells()
    overwrite(project, f"checkpoints/smoke/{CELL}/best.safetensors", lambda content: content[:-9])
    shutil.rmtree(project.folder / "results/smoke/tables/unit_health")
    ran = project.snakemake("report").succeeded()
    assert ran.cells == {"trained": 0, "restored": 4, "diverged": 0, "not finished": 0}
    assert project.cells() == before
    assert (project.folder / "results/smoke/tables/unit_health/units.csv").exists()


def test_results_of_another_run_are_not_taken_for_this_ones(project: Checkout):
    project.snakemake("grid", config=EPOCHS | {"run": "other"}).succeeded()
    for place in ("results", "checkpoints"):
        shutil.copytree(project.folder / place / "other", project.folder / place / "smoke", dirs_exist_ok=True)
    assert "train_mlp_grid: cells of another configuration (16 times)" in planned(project)


def remember_as_good(project: Checkout, name: str) -> None:
    """Makes the remembered checksum stand for the file as it is now: which no program does, and a disk may."""
    path = project.folder / name
    status = path.stat()
    stamp = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
    with sqlite3.connect(project.folder / ".phase2/checksums.sqlite") as remembered:
        changed = remembered.execute("update checksums set stamp = ? where path = ?", (stamp, str(path))).rowcount
    remembered.close()
    assert changed == 1


def test_verify_names_what_disagrees_and_mends_it(project: Checkout):
    options = [word for path in (SMOKE, LEAN) for word in ("--configfile", path)]
    assert "notebook: not made yet (3)" in project.phase2("verify", *options).output
    project.snakemake("all").succeeded()
    assert "everything agrees" in project.phase2("verify", *options).succeeded().output
    key = json.loads((project.folder / f"results/smoke/cells/{CELL}/metrics.json").read_text())["key"]
    overwrite(project, "results/smoke/tables/mlp_grid/levels.csv", last_byte)
    overwrite(project, f".phase2/store/{key[:2]}/{key}/history.csv", last_byte)
    remember_as_good(project, "results/smoke/tables/mlp_grid/levels.csv")
    assert not planned(project)
    found = project.phase2("verify", *options)
    assert found.code == 1
    assert f"store: {key[:12]}: history.csv does not match its checksum" in found.output
    assert "analyse: results/smoke/tables/mlp_grid/levels.csv is not as it was written" in found.output
    assert "everything agrees" in project.phase2("verify", "--mend", *options).succeeded().output
    assert not planned(project)


def test_snakemake_lists_no_changes_after_a_clean_run(finished: Checkout):
    listed = finished.snakemake("report", "--list-changes", "params").succeeded().output
    assert "results/" not in listed
    assert "checkpoints/" not in listed
