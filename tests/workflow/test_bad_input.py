"""Bad input: the message names the value, what was expected and how to mend it; earlier results stay whole."""

import json
import lzma
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from checkout import BIN, LEAN, SMOKE, Checkout, Ran, clean_environ

PACK = "results/smoke/cells/mlp_grid/activation=relu/seed=0"
CELL = f"{PACK}/init=kaiming/schedule=cosine"
OTHER = "results/smoke/cells/mlp_grid/activation=tanh/seed=0/init=kaiming/schedule=cosine"
GELU = {"studies": {"mlp_grid": {"axes": {"activation": ["relu", "tanh", "gelu"], "seed": [0]}}}}
JPEG = {"studies": {"mlp_grid": {"task": {"dataset": "cifar10_jpeg"}}}}


STUDY = {
    "question": "Does it work?",
    "task": {"dataset": "digits", "validation": 40},
    "model": {"name": "mlp", "width": 6, "depth": 1},
    "optimizer": {"name": "sgd", "lr": 0.05},
    "budget": {"epochs": 2, "batch_size": 32},
    "axes": {"seed": [0]},
    "figures": [],
}


def study(**changes: Any) -> dict[str, Any]:
    return {"studies": {"mlp_grid": changes}}


CONFIGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "all that the sections know": (
        study(
            question="它有效吗?",
            task={"dataset": "tinyshakespeare"},
            budgte={"epochs": 3},
            budget={"epochs": 0},
            clip=False,
            axes={"activation": ["rleu"], "init": [], "schedule": ["step", "step"], "seed": [0, 1.5, "two"]},
        )
        | {"data": {"mirror": "no/such/mirror"}},
        (
            "studies.mlp_grid.question: the report's fonts cannot print 它 (CJK UNIFIED IDEOGRAPH-5B83)",
            "task.dataset: tinyshakespeare holds text",
            "expected one of digits, fashion_mnist",
            "studies.mlp_grid.budgte: unknown key 'budgte': did you mean 'budget'? Known: axes, budget",
            "mlp_grid.budget.epochs: Input should be greater than 0 (found 0)",
            "studies.mlp_grid.clip",
            "(found False): write none",
            "axes.activation.0: unknown activation 'rleu': did you mean 'relu'? Known: elu, gelu",
            "axes.init: the list is empty: give at least one value",
            "axes.schedule: step stands twice: list each value once",
            "axes.seed.1: Input should be a valid integer (found 1.5)",
            "axes.seed.2",
            "no/such/mirror is not a folder: expected <mirror>/<dataset>/<file>",
        ),
    ),
    "unknown figure": (study(figures=["rankin"]), ("unknown figure of a study 'rankin': did you mean 'ranking'?",)),
    "a name that is taken": (
        {"studies": {"report": STUDY}},
        ("studies.report: the run itself has a log report.log: choose another name",),
    ),
    "the run of the benchmarks": ({"run": "bench"}, ("run: results/bench holds what `phase2 bench` measured",)),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_wrong_configuration_is_refused_before_anything_runs(name: str, project: Checkout):
    config, parts = CONFIGS[name]
    before = project.contents("results", "checkpoints", ".phase2")
    ran = project.snakemake("report", config=config).failed_with(*parts)
    assert "Job stats" not in ran.output
    assert project.contents("results", "checkpoints", ".phase2") == before


def test_a_key_that_stands_twice_is_refused_with_both_lines(project: Checkout):
    (project.folder / "mine.yaml").write_text("run: mine\ncompute: {threads: 1}\nrun: yours\n")
    parts = ("mine.yaml: the key run stands twice in one section, in line 1 and in line 3",)
    project.run([*project.command("report"), "mine.yaml"]).failed_with(*parts)


def test_overlays_that_snakemake_would_drop_are_refused_with_the_right_spelling(project: Checkout):
    command = [*project.command("grid"), "--configfile", "config/full.yaml"]
    parts = ("--configfile is given 2 times", f"--configfile {SMOKE} {LEAN} config/full.yaml")
    project.run(command).failed_with(*parts)


def test_values_on_the_command_line_lie_over_the_files_and_jobs_see_them(project: Checkout):
    assert not (project.folder / "results/mine").exists()
    values = ["run=mine", "studies={mlp_grid.budget.epochs: 1, mlp_grid.axes: {activation: [relu], seed: [3]}}"]
    values += ["studies={mlp_grid: {'optimizer': {'lr': 1e-2}, axes.schedule: [cosine]}}"]
    ran = project.run([*project.command("grid"), "--config", *values]).succeeded()
    assert ran.cells["trained"] == 2
    (cell, _) = sorted((project.folder / "results/mine/cells/mlp_grid").rglob("metrics.json"))
    spec = json.loads(cell.read_text())["spec"]
    assert (spec["budget"]["epochs"], spec["optimizer"]["lr"], spec["seed"]) == (1, 0.01, 3)
    project.run([*project.command("grid"), "--config", "studies={mlp_grid.budget.epoch: 1}"]).failed_with(
        "studies.mlp_grid.budget.epoch: unknown key 'epoch': did you mean 'epochs'?"
    )


@pytest.mark.parametrize("text", ["studies: {mlp_grid: [", "[1, 2]", "just words"])
def test_a_file_that_is_no_configuration_is_refused(text: str, project: Checkout):
    (project.folder / "mine.yaml").write_text(text)
    project.run([*project.command("report"), "mine.yaml"]).failed_with("Config file", "YAML")


def test_more_images_than_there_are_is_refused_and_the_old_configuration_trains_nothing(project: Checkout):
    before = project.contents("results", "checkpoints")
    too_many = study(task={"validation": 300, "train": 5000}, axes={"activation": ["relu"], "seed": [0]})
    parts = ("5000 training and 300 validation", "out of 1438", "training 1 to what validation leaves")
    ran = project.snakemake("grid", config=too_many).failed_with(*parts)
    assert ran.cells["not finished"] == 4
    assert "what was finished is kept" in ran.output
    again = project.snakemake("grid").succeeded()
    assert again.cells == {"trained": 0, "restored": 4, "diverged": 0, "not finished": 0}
    assert project.contents("results", "checkpoints") == before


def test_an_unknown_option_of_the_optimizer_is_named(project: Checkout):
    wrong = study(optimizer={"options": {"momentun": 0.9}}, axes={"activation": ["relu"], "seed": [0]})
    project.snakemake("grid", config=wrong).failed_with(
        "studies.mlp_grid: unknown option of the optimizer sgd 'momentun': did you mean 'momentum'?"
    )


def test_without_any_source_each_that_was_tried_is_named(project: Checkout):
    """No address serves cifar10_jpeg, so no network is needed to find that there is none."""
    parts = (
        "cannot get cifar10-jpeg.tar.xz of cifar10_jpeg. Tried:",
        "mirror: none is set",
        "data.mirror",
        "git clone",
    )
    project.snakemake("data", config=JPEG).failed_with(*parts)
    assert not project.contents("data/raw/cifar10_jpeg")


def test_a_mirror_of_the_environment_that_does_not_exist_is_named(project: Checkout):
    ran = project.snakemake("data", config=JPEG, PHASE2_MIRROR="no/such/mirror")
    ran.failed_with("the mirror no/such/mirror is not a directory", "PHASE2_MIRROR", "cifar10_jpeg/cifar10-jpeg.tar.xz")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (lzma.compress(b"an archive" * 1000)[:-20], "truncated or damaged"),
        (lzma.compress(b"another archive"), "wrong checksum: expected sha256"),
    ],
    ids=["truncated", "another"],
)
def test_a_wrong_archive_in_the_mirror_is_refused(content: bytes, fault: str, project: Checkout, tmp_path: Path):
    archive = tmp_path / "mirror" / "cifar10_jpeg" / "cifar10-jpeg.tar.xz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(content)
    before = project.contents("results", "checkpoints", "data")
    ran = project.snakemake("data", config=JPEG | {"data": {"mirror": str(tmp_path / "mirror")}})
    ran.failed_with(str(archive), fault, "To fix it, set data.mirror")
    assert project.contents("results", "checkpoints", "data") == before


@pytest.mark.parametrize("compute", [{"checkpoint_seconds": 30}, {"checkpoint_seconds": 0}], ids=["end", "midway"])
def test_a_full_disk_leaves_earlier_cells_whole(compute: dict[str, float], project: Checkout):
    """A limit on the size of files stands for the disk: weights do not fit, be it in the store or in a checkpoint."""
    before = project.contents("results", "checkpoints", ".phase2/store")
    small = 12 * 1024
    command = project.command("grid", config=GELU | {"compute": compute})
    run = subprocess.run(
        command,
        cwd=project.folder,
        env=clean_environ(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (small, small)),
    )
    Ran(run.returncode, run.stdout + run.stderr).failed_with("File too large", "Free space")
    after = project.contents("results", "checkpoints", ".phase2/store")
    assert after.items() >= before.items()
    assert not [name for name in after.keys() - before.keys() if "gelu" in name]
    assert project.snakemake("grid", config=GELU).succeeded().cells["trained"] == 4


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("results/smoke/cells/mlp_grid/activation=gelu", ("Failed to create output directory", "activation=gelu")),
        (".phase2/packs", ("/sys/fs", "Free space there or mend the permissions")),
    ],
    ids=["results", "work"],
)
def test_a_folder_that_cannot_be_written_is_named(place: str, parts: tuple[str, ...], project: Checkout):
    """Not even root may make anything in /sys/fs."""
    before = project.contents("results/smoke/cells/mlp_grid", "checkpoints")
    folder = project.folder / place
    shutil.rmtree(folder, ignore_errors=True)
    folder.symlink_to("/sys/fs")
    project.snakemake("grid", config=GELU).failed_with(*parts)
    folder.unlink()
    assert project.contents("results/smoke/cells/mlp_grid", "checkpoints") == before


def test_a_corrupt_entry_of_the_store_is_moved_aside_and_trained_again(project: Checkout):
    before = project.cells()
    key = metrics(project, CELL)["key"]
    damaged = project.folder / ".phase2" / "store" / key[:2] / key / "best.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    shutil.rmtree(project.folder / PACK)
    ran = project.snakemake("grid").succeeded()
    assert ran.cells == {"trained": 1, "restored": 3, "diverged": 0, "not finished": 0}
    (aside,) = (project.folder / ".phase2" / "store" / "corrupt").iterdir()
    assert aside.name.startswith(key)
    log = (project.folder / "logs/smoke/mlp_grid/activation=relu/seed=0.log").read_text()
    assert "best.safetensors does not match its checksum" in log
    assert str(aside.relative_to(project.folder)) in log
    changed = before.items() ^ project.cells().items()
    assert {name.split("mlp_grid/")[1] for name, _ in changed} <= set(cell_files(CELL))


def metrics(project: Checkout, cell: str) -> dict[str, Any]:
    return json.loads((project.folder / cell / "metrics.json").read_text())


def cell_files(cell: str) -> list[str]:
    """A cell's files below its study's folders."""
    return [f"{cell.split('mlp_grid/')[1]}/{name}" for name in ("metrics.json", "history.csv", "best.safetensors")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [("{ not JSON", "metrics.json is damaged"), (OTHER, "cells of another configuration")],
    ids=["corrupt", "foreign"],
)
def test_a_wrong_metrics_file_is_named_and_comes_back(content: str, fault: str, project: Checkout):
    before = project.cells()
    path = project.folder / CELL / "metrics.json"
    foreign = project.folder / content / "metrics.json"
    path.write_text(foreign.read_text() if foreign.is_file() else content)
    again = project.snakemake("grid").succeeded()
    assert f"train_mlp_grid: {fault}" in again.output
    assert again.cells == {"trained": 0, "restored": 4, "diverged": 0, "not finished": 0}
    assert project.cells() == before


KEPT = "results/smoke/report/report.pdf"  # Snakemake deletes results/smoke/report.pdf before it is made anew


def test_without_latex_the_way_to_install_it_is_told(project: Checkout, tmp_path: Path):
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "which"):  # what Snakemake itself needs
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    before = all_but_the_report(project)
    project.edit("report/report.tex", "\\end{document}", "\\end{document} % edited")
    ran = project.snakemake("report", PATH=f"{BIN}{os.pathsep}{tmp_path / 'bin'}")
    ran.failed_with("latexmk is not installed", "apt-get install latexmk", f"The PDF of before is {KEPT}")
    assert all_but_the_report(project) == before
    assert project.snakemake("report").succeeded().jobs == {"typeset": 1, "report": 1}


def test_an_error_of_latex_is_quoted_with_its_line_and_the_pdf_of_before_is_kept(project: Checkout):
    before, pdf = all_but_the_report(project), (project.folder / "results/smoke/report.pdf").read_bytes()
    project.edit("report/report.tex", "\\end{document}", "\\nosuchcommand\n\\end{document}")
    ran = project.snakemake("report")
    ran.failed_with("! Undefined control sequence.", "\\nosuchcommand", "The whole log: results/smoke/report.log")
    ran.failed_with(f"The PDF of before is {KEPT}")
    assert re.search(r"^l\.\d+ ", ran.output, re.M), ran.output
    assert (project.folder / KEPT).read_bytes() == pdf
    after = all_but_the_report(project)
    assert after.pop("results/smoke/report.log")
    assert after == before
    project.snakemake("report").failed_with("! Undefined control sequence.")


def all_but_the_report(project: Checkout) -> dict[str, str]:
    found = project.contents("results", "checkpoints")
    for name in ("report.pdf", "report/report.labels.json", "receipts/typeset-report.json"):
        found.pop(f"results/smoke/{name}", None)
    return found
