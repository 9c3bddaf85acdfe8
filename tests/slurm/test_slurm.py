"""The Slurm profile on a real cluster of two nodes: `make slurm-test`."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from cluster import cluster

from phase2.bench import copy_of_checkout

ROOT = Path(__file__).parents[2]
# Short jobs end within one of the plugin's polls, which by themselves come 40 s apart and more.
POLLS = ("--slurm-init-seconds-before-status-checks", "8", "--slurm-status-command", "squeue")
SLURM = ("--profile", "profiles/slurm", "--default-resources", "slurm_partition=short", *POLLS)
SMOKE = ("--configfile", "config/smoke.yaml", "tests/workflow/lean.yaml")
GRID = "rule_train_mlp_grid_wildcards"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Snakemake in a copy of the checkout; its whole output is in `stdout`."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )


def jobs() -> dict[str, dict[str, str]]:
    """All jobs that the controller knows, by id: what `scontrol show job` says of each."""
    shown = subprocess.run(
        ["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = [dict(re.findall(r"(\S+?)=(\S+)", line)) for line in shown]
    return {job["JobId"]: job for job in found if "JobId" in job}


def submitted(output: str) -> dict[str, dict[str, str]]:
    """The jobs that a run has submitted, by their comment, which names rule and wildcards."""
    known = jobs()
    return {known[number]["Comment"]: known[number] for number in re.findall(r"SLURM jobid (\d+)", output)}


def overlay(folder: Path, run: str, **config: Any) -> tuple[str, ...]:
    """The options for the smoke run under another name and with other settings."""
    path = folder / f"{run}.yaml"
    path.write_text(yaml.safe_dump({"run": run, **config}))
    return (*SMOKE, path.name)


def nothing_downloaded(folder: Path) -> Path:
    """A copy of the checkout, without the data that an earlier run may have left in it."""
    copy_of_checkout(folder)
    shutil.rmtree(folder / "data", ignore_errors=True)
    return folder


@pytest.fixture(scope="module", autouse=True)
def slurm() -> Iterator[None]:
    with cluster():
        yield


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nothing_downloaded(tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="module")
def grid(checkout: Path) -> str:
    """The output of the smoke grid's run on the cluster."""
    run = snakemake(checkout, "grid", *SLURM, *SMOKE)
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the same grid, trained without Slurm."""
    folder = nothing_downloaded(tmp_path_factory.mktemp("local"))
    run = snakemake(folder, "grid", "--cores", "2", *SMOKE)
    assert run.returncode == 0, run.stdout
    return folder


def test_every_step_of_the_grid_is_a_slurm_job_and_both_nodes_train(grid: str, checkout: Path) -> None:
    done = submitted(grid)
    rules = Counter(re.sub(r"_wildcards_.*", "", comment) for comment in done)
    assert rules == {"rule_download": 1, "rule_verify": 1, "rule_prepare": 1, "rule_train_mlp_grid": 4}
    assert {job["JobState"] for job in done.values()} == {"COMPLETED"}
    assert {job["NodeList"] for comment, job in done.items() if comment.startswith(GRID)} == {"n1", "n2"}
    assert len(list(checkout.glob("results/smoke/cells/mlp_grid/**/metrics.json"))) == 16


def test_resources_of_the_rules_and_of_the_profile_arrive_in_the_jobs(grid: str) -> None:
    done = submitted(grid)
    asked = ("NumCPUs", "MinMemoryNode", "TimeLimit", "Partition")
    assert [done["rule_verify_wildcards_digits"][key] for key in asked] == ["1", "2000M", "00:10:00", "short"]
    for comment, job in done.items():
        if comment.startswith(GRID):
            assert [job[key] for key in asked] == ["1", "4000M", "01:00:00", "short"]


def test_a_gpu_and_threads_are_asked_for_if_the_configuration_does(grid: str, checkout: Path) -> None:
    assert not any("gpu" in job.get("TresPerJob", "") for job in submitted(grid).values())
    config = overlay(checkout, "gpu", compute={"device": "cuda", "threads": 2})
    pack = "results/gpu/cells/mlp_grid/activation=relu/seed=0/init=kaiming/schedule=constant/metrics.json"
    run = snakemake(checkout, pack, *SLURM, *config)
    assert run.returncode == 0, run.stdout  # without a GPU: the store has these cells
    (job,) = submitted(run.stdout).values()
    assert (job["TresPerJob"], job["NumCPUs"]) == ("gres:gpu:1", "2")


def test_results_equal_those_of_a_run_without_slurm_bit_by_bit(grid: str, checkout: Path, local: Path) -> None:
    weights = sorted(path.relative_to(local) for path in local.glob("checkpoints/smoke/**/*.safetensors"))
    assert len(weights) == 16
    for path in weights:
        assert (checkout / path).read_bytes() == (local / path).read_bytes(), path
    for path in (path.relative_to(local) for path in local.glob("results/smoke/cells/mlp_grid/**/metrics.json")):
        mine, theirs = (json.loads((folder / path).read_text()) for folder in (checkout, local))
        assert [mine[key] for key in ("key", "status", "final", "best")] == [
            theirs[key] for key in ("key", "status", "final", "best")
        ]
        curves = [pd.read_csv(folder / path.with_name("history.csv")) for folder in (checkout, local)]
        timed = [name for name in curves[0] if "second" in name]
        pd.testing.assert_frame_equal(*(curve.drop(columns=timed) for curve in curves), check_exact=True)


def test_a_second_run_submits_nothing(grid: str, checkout: Path) -> None:
    run = snakemake(checkout, "grid", *SLURM, *SMOKE)
    assert run.returncode == 0, run.stdout
    assert "Nothing to be done" in run.stdout
    assert submitted(run.stdout) == {}


def test_a_cancelled_job_fails_the_run_and_a_rerun_trains_only_its_cells(grid: str, checkout: Path) -> None:
    axes = {"init": ["kaiming"], "schedule": ["constant"], "seed": [0]}  # a pack of one cell for each activation
    config = overlay(checkout, "killed", studies={"mlp_grid": {"budget": {"epochs": 100}, "axes": axes}})
    output = checkout / "killed.log"
    with output.open("w") as log:
        run = subprocess.Popen(command("grid", *SLURM, *config), cwd=checkout, stdout=log, stderr=log)
    wait_for(checkout / "logs/killed/mlp_grid/activation=relu/seed=0.log")  # it trains
    job = submitted(output.read_text())[f"{GRID}_relu_0"]["JobId"]
    subprocess.run(["scancel", job], check=True)

    assert run.wait(timeout=400) != 0
    assert f"SLURM-job '{job}' failed, SLURM status is: 'CANCELLED'" in output.read_text()
    results = checkout / "results/killed/cells/mlp_grid"
    (survivor,) = results.glob("**/metrics.json")
    assert "activation=tanh" in str(survivor)
    before = survivor.stat().st_mtime_ns

    rerun = snakemake(checkout, "grid", *SLURM, *config)
    assert rerun.returncode == 0, rerun.stdout
    assert list(submitted(rerun.stdout)) == [f"{GRID}_relu_0"]
    assert len(list(results.glob("**/metrics.json"))) == 2
    assert survivor.stat().st_mtime_ns == before


def wait_for(path: Path) -> None:
    end = time.monotonic() + 200
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.1)


def test_the_profile_gives_memory_and_time_to_every_rule_that_is_a_job() -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["set-resources"]
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    blocks = re.findall(r"^rule (\w+):\n((?:[ \t]+.*\n|\n)+)", rules, re.MULTILINE)
    assert set(profile) == {name for name, block in blocks if "script:" in block}
    assert all(set(resources) == {"runtime", "mem_mb"} for resources in profile.values())
