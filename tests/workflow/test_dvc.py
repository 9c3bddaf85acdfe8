"""All that docs/dvc.md says, done in two clones, with remotes in a folder and in S3."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from checkout import LEAN, SMOKE, Checkout, Ran, clean_environ, new_checkout

from phase2.doctor import check_dvc
from phase2.source import ROOT
from phase2.study.read import merge

TINY = {"epochs": 1, "batch_size": 64}
AUTHOR = ("-c", "user.name=A Reader", "-c", "user.email=reader@example.org")


class Clone(Checkout):
    """A checkout in which commands are given as docs/dvc.md prints them."""

    def __call__(self, line: str, **environ: str) -> Ran:
        return self.run(["bash", "-c", line], **({"PYTHONPATH": str(self.folder)} | environ)).succeeded()

    def configure(self, **studies: object) -> None:
        """Sets studies in config.yaml."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(merge(yaml.safe_load(path.read_text()), {"studies": studies}), sort_keys=False))

    def commit(self) -> None:
        self(f"git add -A && git {' '.join(f'{a!r}' for a in AUTHOR)} commit -qm 'A run'")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose config.yaml is a tiny run named desk, made and committed as docs/dvc.md says."""
    clone = Clone(new_checkout(tmp_path_factory.mktemp("dvc") / "first").folder)
    content: dict = {}
    for name in ("config.yaml", SMOKE, LEAN):
        content = merge(content, yaml.safe_load((clone.folder / name).read_text()))
    content["run"] = "desk"
    content["studies"]["mlp_grid"] |= {"budget": TINY, "figures": ["ranking"]}
    (clone.folder / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    stages = (clone.folder / "dvc.yaml").read_text()
    without = re.sub(r"\n +- data/prepared/fashion_mnist: .*|, data/prepared/fashion_mnist", "", stages)
    (clone.folder / "dvc.yaml").write_text(without)
    clone("dvc repro")
    clone.commit()
    return clone


def test_a_second_repro_does_nothing(first: Clone):
    assert "Data and pipelines are up to date" in first("dvc repro").output
    assert first("dvc status").output.strip().endswith("Data and pipelines are up to date.")


def test_metrics_and_plots_are_shown(first: Clone):
    assert "results/desk/metrics.json" in first("dvc metrics show").output
    page = (first.folder / first("dvc plots show").output.strip().rsplit("file://", 1)[1]).read_text()
    assert "ranking" in page


def test_what_was_pushed_is_whole_in_another_clone_and_later_edits_count(first: Clone, tmp_path: Path):
    first("dvc push -q")
    second = Clone(tmp_path / "second")
    subprocess.run(["git", "clone", "-q", first.folder, second.folder], check=True)
    second(f"dvc remote modify --local storage url {first.folder.parent}/phase2-storage")
    second("dvc pull -q")
    assert "Nothing to be done" in second("snakemake -n").output
    assert "everything agrees" in second("phase2 verify").output
    assert "cells     16" in second("phase2 trace ranking").output
    assert "up to date" in second("dvc repro").output
    second("dvc exp run --temp -S config.yaml:studies.mlp_grid.budget.epochs=2")
    assert "mlp_grid.budget.epochs" in second("dvc exp show --csv").output
    second.configure(mlp_grid={"budget": {"epochs": 2}}, again=None)
    assert "cells of another configuration (16" in second("snakemake -n 2>&1").output
    second("dvc repro")
    changed = second("dvc metrics diff").output
    assert "mlp_grid" in changed
    assert second("snakemake -n").output.count("Nothing to be done") == 1


def test_a_study_left_out_and_one_added_need_no_other_edit(first: Clone, tmp_path: Path):
    other = Clone(tmp_path / "other")
    subprocess.run(["cp", "-r", first.folder, other.folder], check=True)
    grid = yaml.safe_load((other.folder / "config.yaml").read_text())["studies"]["mlp_grid"]
    probes = {"probes": {"unit_health": None}}
    (other.folder / "config.yaml").write_text(
        yaml.safe_dump(merge(yaml.safe_load((other.folder / "config.yaml").read_text()), probes), sort_keys=False)
    )
    other.configure(mlp_grid=None, other_grid=grid | {"axes": {"activation": ["relu", "tanh"], "seed": [0]}})
    other("dvc repro")
    assert (other.folder / "results/desk/tables/other_grid/cells.csv").exists()


def test_a_second_data_set_leaves_the_stages_as_they_are(first: Clone):
    (first.folder / "data" / "prepared" / "another").mkdir()
    (first.folder / "data" / "prepared" / "another" / "meta.json").write_text("{}")
    assert "up to date" in first("dvc status").output


@pytest.fixture
def s3() -> Iterator[str]:
    """The address of an S3 server on loopback, with a bucket."""
    code = (
        "import sys, boto3; from moto.server import ThreadedMotoServer; "
        "server = ThreadedMotoServer('127.0.0.1', 0, verbose=False); server.start();"
        "url = 'http://%s:%d' % server.get_host_and_port();"
        "boto3.client('s3', endpoint_url=url).create_bucket(Bucket='bucket'); print(url, flush=True); sys.stdin.read()"
    )
    environ = clean_environ() | S3
    server = subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.communicate()


S3 = {
    "PYTHONPATH": str(ROOT / ".venv" / "s3"),
    "AWS_ACCESS_KEY_ID": "someone",
    "AWS_SECRET_ACCESS_KEY": "something",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def test_a_bucket_in_s3_does_as_a_folder_does(first: Clone, s3: str, tmp_path: Path):
    commands = f"dvc remote modify storage url s3://bucket/phase2 && dvc remote modify storage endpointurl {s3}"
    first(f"{commands} && dvc push -q", **S3)
    second = Clone(tmp_path / "second")
    subprocess.run(["git", "clone", "-q", first.folder, second.folder], check=True)
    second(f"{commands} && dvc pull -q", **S3)
    assert "Nothing to be done" in second("snakemake -n").output
    first("git checkout -q .dvc/config")


def test_dvc_yaml_has_the_data_sets_and_the_name_of_the_default_run():
    assert check_dvc(ROOT).status == "ok"


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("run: desk", "run: mine", "results/mine"),
        ("unfamiliar: digits", "unfamiliar: cifar10", "prepared/cifar10"),
    ],
)
def test_doctor_names_what_dvc_yaml_lacks(old: str, new: str, missing: str, tmp_path: Path):
    for name in ("config.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text().replace(old, new))
    (tmp_path / ".dvc").mkdir()
    check = check_dvc(tmp_path)
    assert check.status == "warn"
    assert missing in check.found
