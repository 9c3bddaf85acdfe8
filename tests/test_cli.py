"""The commands, as a user runs them, in a folder of their own with the smoke configuration."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from phase2 import cli
from phase2.bench_page import BEGIN, END
from phase2.files import write_json
from phase2.run.config import schema
from phase2.run.reference import reference
from phase2.source import ROOT
from phase2.study.provenance import environment
from phase2.train import loop


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with the configuration and nothing else."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "config.yaml", folder)
    shutil.copytree(ROOT / "config", folder / "config")
    return folder


@pytest.fixture
def phase2(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a command there; returns exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["phase2", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    return run


SMOKE = ("--configfile", "config/smoke.yaml")


def test_train_writes_the_chosen_cells_and_says_how_they_ended(phase2, folder: Path):
    code, out, _ = phase2("train", "mlp_grid", "activation=relu", "seed=0", "init=kaiming", *SMOKE)
    assert code == 0
    assert out.count("validation accuracy 0.") == 2
    cell = folder / "results/smoke/cells/mlp_grid/activation=relu/seed=0/init=kaiming/schedule=cosine"
    assert json.loads((cell / "metrics.json").read_text())["status"] == "ok"


def test_values_are_set_over_all_files(phase2, folder: Path):
    sets = ("--set", "run=set", "--set", "studies.mlp_grid={budget.epochs: 1, axes.lr: [1e-2, 0.1]}")
    where = ("activation=relu", "seed=0", "init=kaiming", "schedule=cosine", "lr=1e-2")
    code, _, errors = phase2("train", "mlp_grid", *where, *sets, *SMOKE)
    assert code == 0, errors
    (cell,) = (folder / "results/set").rglob("metrics.json")
    spec = json.loads(cell.read_text())["spec"]
    assert (spec["budget"]["epochs"], spec["optimizer"]["lr"]) == (1, 0.01)


def test_several_values_of_an_axis_are_all_taken(phase2, tmp_path: Path):
    axes = ("activation=tanh", "init=kaiming", "seed=0", "seed=1")
    _, out, _ = phase2("fill", "--study", "mlp_grid", *axes, "--store", str(tmp_path / "store"), *SMOKE)
    assert out.count("2 trained, 0 in the store") == 2


def test_training_again_replaces_what_the_store_has(phase2, folder: Path):
    cells = ("mlp_grid", "activation=tanh", "seed=0", "init=kaiming", *SMOKE)
    phase2("train", *cells)
    path = folder / "results/smoke/cells/mlp_grid/activation=tanh/seed=0/init=kaiming/schedule=cosine/metrics.json"
    (entry,) = (e for e in (folder / ".phase2/store").glob("*/*/metrics.json") if e.read_bytes() == path.read_bytes())
    first = entry.stat().st_ino
    phase2("train", *cells)
    assert entry.stat().st_ino == first
    assert phase2("train", *cells, "--again")[1].count("validation accuracy 0.") == 2
    assert entry.read_bytes() == path.read_bytes()
    assert entry.stat().st_ino != first


PACK = ("train", "mlp_grid", "activation=relu", "seed=1", "init=kaiming", *SMOKE)


def test_training_tells_its_cost_and_a_line_an_epoch_where_there_is_no_terminal(phase2):
    _, out, told = phase2(*PACK)
    cost, *epochs = told.splitlines()
    assert re.fullmatch(r"to train: 2 cells, about .* here, one job at a time \(\d by like ones.*\)", cost)
    last = f"epoch {len(epochs)}/{len(epochs)}"
    line = rf"activation=relu/seed=1: {last}  loss [\d.]+  val accuracy [\d.]+  lr [\de.-]+  [\d,]+ samples/s  0 s left"
    assert re.fullmatch(line, epochs[-1])
    assert "epoch" not in out
    assert phase2(*PACK)[2] == "the store has every cell asked for\n"


def test_logs_are_by_cell_below_the_run(phase2, folder: Path):
    assert phase2(*PACK, "--again", "--set", "compute.logs=[csv]")[0] == 0
    logs = folder / "logs/smoke/mlp_grid/activation=relu/seed=1/init=kaiming"
    assert sorted(path.name for path in logs.rglob("*.csv")) == 2 * ["epochs.csv"] + 2 * ["steps.csv"]


def test_resume_goes_on_with_what_was_stopped_and_begins_nothing(phase2, monkeypatch: pytest.MonkeyPatch):
    pack = ("train", "mlp_grid", "activation=tanh", "seed=1", "init=kaiming", *SMOKE)
    code, _, errors = phase2(*pack, "--resume")
    assert code == 1
    assert "nothing of mlp_grid activation=tanh/seed=1 is begun with these settings: --resume only goes on" in errors
    end_epoch = loop.Training.end_epoch
    with monkeypatch.context() as patch:
        patch.setattr(loop.Training, "end_epoch", lambda self: [end_epoch(self), interrupt()])
        assert phase2(*pack, "--set", "compute.checkpoint_seconds=0")[0] == 130
    code, out, told = phase2(*pack, "--resume")
    assert (code, out.count("validation accuracy 0.")) == (0, 2)
    assert "activation=tanh/seed=1: goes on after step " in told
    assert phase2(*pack, "--resume")[0] == 0  # finished: nothing to begin


def interrupt() -> None:
    raise KeyboardInterrupt


def test_device_and_precision_are_settings_like_others(phase2, folder: Path):
    code, _, errors = phase2("train", "mlp_grid", "--device", "tpu", *SMOKE)
    assert code == 1
    assert "compute.device: Input should be 'auto', 'cpu' or 'cuda' (found 'tpu')" in errors
    code, _, errors = phase2("train", "mlp_grid", "--precision", "bf61", *SMOKE)
    assert code == 1
    assert "studies.mlp_grid.precision: " in errors
    code, _, errors = phase2(*PACK, "--device", "cpu", "--precision", "bf16", "--set", "run=half")
    assert code == 0, errors
    metrics = next((folder / "results/half").rglob("metrics.json"))
    assert json.loads(metrics.read_text())["spec"]["precision"] == "bf16"


def test_the_cost_of_a_run_is_told_before_anything_is_trained(phase2, tmp_path: Path):
    _, out, _ = phase2("cost", "--study", "mlp_grid", "--store", str(tmp_path / "store"), *SMOKE)
    assert re.fullmatch(r"to train: \d+ cells, about .* here, one job at a time \(0 by like ones .*\)\n", out)
    assert not (tmp_path / "store").exists()


def test_two_runs_are_compared(phase2):
    phase2(*PACK)
    phase2(*PACK, "--set", "run=longer", "--set", "studies.mlp_grid.budget.epochs=2")
    code, out, errors = phase2("compare", "smoke", "longer")
    assert code == 0, errors
    assert "mlp_grid: 2 of 2 cells changed" in out
    assert re.search(r"activation=relu init=kaiming schedule=cosine: accuracy [+-][\d.]+ points .*\* \(1 seed\)", out)


def test_fill_trains_what_is_missing_and_then_nothing(phase2, tmp_path: Path):
    store = str(tmp_path / "store")
    axes = ("activation=tanh", "seed=0")
    assert "4 trained, 0 in the store" in phase2("fill", *axes, "--store", store, *SMOKE)[1]
    assert "0 trained, 4 in the store" in phase2("fill", *axes, "--store", store, *SMOKE)[1]


def test_fill_takes_the_studies_that_match_and_says_which_it_passed_over_and_why(phase2, tmp_path: Path):
    store = str(tmp_path / "store")
    code, out, errors = phase2("fill", "activation=tanh", "seed=0", "init=kaiming", "--store", store, *SMOKE)
    assert code == 0, errors
    assert "mlp_grid pack 1/1 (activation=tanh/seed=0): 2 trained" in out
    (told,) = [line for line in out.splitlines() if line.startswith("passed over: ")]
    assert "norm_depth (no axis activation, init)" in told
    assert "conv_norms (no axis activation, init)" in told
    assert "mlp_grid" not in told
    assert "the store has every cell asked for" in out


def test_fill_passes_over_a_study_that_has_the_axes_but_not_the_values(phase2, tmp_path: Path):
    out = phase2("fill", "activation=tanh", "seed=0", "--minutes", "0", "--store", str(tmp_path / "store"), *SMOKE)[1]
    assert "failures (no cell with these values)" in out


def test_fill_stops_at_its_time_and_says_how_to_go_on(phase2, tmp_path: Path):
    _, out, _ = phase2("fill", "--minutes", "0", "--store", str(tmp_path / "store"), *SMOKE)
    assert "run again to go on" in out


def test_a_store_travels(phase2, tmp_path: Path):
    here, there, archive = str(tmp_path / "here"), str(tmp_path / "there"), str(tmp_path / "cells.tar")
    pack = ("--study", "mlp_grid", "activation=relu", "seed=0")
    phase2("fill", *pack, "--store", here, *SMOKE)
    assert "4 cells in" in phase2("store", "export", archive, "--store", here)[1]
    assert "4 cells taken in, 0 refused" in phase2("store", "import", archive, "--store", there)[1]
    assert "0 trained, 4 in the store" in phase2("fill", *pack, "--store", there, *SMOKE)[1]


def test_an_export_says_which_damaged_entries_it_leaves_out(phase2, tmp_path: Path):
    store = tmp_path / "store"
    phase2("fill", "--study", "mlp_grid", "activation=relu", "seed=0", "--store", str(store), *SMOKE)
    damaged = min(store.glob("*/*/metrics.json"))
    damaged.write_text("{}")
    _, out, _ = phase2("store", "export", str(tmp_path / "cells.tar"), "--store", str(store))
    assert out == f"3 cells in {tmp_path}/cells.tar; left out as damaged: {damaged.parent.name[:12]}\n"


def test_a_store_is_listed_dropped_from_and_swept(phase2, tmp_path: Path):
    store = ("--store", str(tmp_path / "store"))
    phase2("fill", "--study", "mlp_grid", "activation=relu", "seed=0", *store, *SMOKE)
    _, out, _ = phase2("store", "list", *store)
    first, *others = (line.split()[0] for line in out.splitlines()[1:-1])
    assert out.splitlines()[-1].startswith("4 entries of 4 cells")
    _, out, _ = phase2("store", "drop", first, *store)
    assert out.splitlines()[1].startswith(first)
    assert out.splitlines()[-1] == "These are dropped."
    kept = ("store", "gc", *store, *SMOKE)
    assert phase2(*kept)[1].splitlines()[-1].startswith("0 of 3 entries and 0 leftovers of killed runs, 0.00 MB")
    gc = ("store", "gc", *store)
    assert phase2(*gc)[1].endswith(
        "removed yet: the same command with --yes does it. To keep an overlay's, name it: --configfile\n"
    )
    assert phase2("store", "list", *store)[1].count("digits") == len(others)
    assert ": removed" in phase2(*gc, "--yes")[1]
    assert phase2("store", "list", *store)[1] == "0 entries of 0 cells, 0.00 MB\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "mlp_gird"), "unknown study 'mlp_gird': did you mean 'mlp_grid'?"),
        (("train", "mlp_grid", "relu"), "'relu' is not axis=value: write for example activation=relu"),
        (("train", "mlp_grid", "mine.yaml"), "'mine.yaml' is not axis=value: write --configfile before each overlay"),
        (
            ("train", "mlp_grid", "activation=softmax"),
            "no cell of mlp_grid has activation=softmax. Its axes: activation:",
        ),
        (("bench", "packs", "--publish"), "--publish measures nothing and takes all that was measured: give it alone"),
        (("train", "mlp_grid", "seed=0", "seed=9"), "no cell of mlp_grid has seed=9. Its axes: activation:"),
        (("train", "mlp_grid", "--set", "studies.mlp_gird.keep=all"), "unknown study 'mlp_gird': did you mean"),
        (("train", "mlp_grid", "--set", "studies.mlp_grid.budget.epoch=3"), "did you mean 'epochs'?"),
        (("fill", "--study", "mlp_gird"), "unknown study 'mlp_gird'"),
        (("fill", "activaton=relu"), "norm_depth (no axis activaton)"),
        (("fill", "activaton=relu"), "Known axes: activation, depth, init, lr,"),
        (("trace", "84.9", "--run", "nosuch"), "its run makes it (desk: `make report`, smoke: `make smoke`"),
        (("trace", "-1.2", "--run", "nosuch"), "its run makes it (desk: `make report`, smoke: `make smoke`"),
        (("train", "mlp_grid", "--again", "--resume"), "--again trains anew and --resume goes on: give one of them"),
        (
            ("train", "mlp_grid", "--set", "compute.logs=[tensorbord]"),
            "unknown logger 'tensorbord': did you mean",
        ),
        (("compare", "desk", "nosuch"), "'desk' is neither a run with cells in results/ ("),
        (("store", "import", "nosuch.tar"), "no archive nosuch.tar"),
        (("store", "drop", "0123456789ab"), "'0123456789ab' is no cell of the store: `phase2 store list` prints"),
        (("store", "gc", "--store", "no/such"), "there is no cell store no/such: `--store` names a folder such as"),
        (
            ("train", "mlp_grid", "--configfile", "nosuch.yaml"),
            "there is no nosuch.yaml in ",
        ),
    ],
)
def test_what_the_user_can_mend_is_a_message_and_exit_code_1(phase2, arguments: tuple[str, ...], message: str):
    code, _, errors = phase2(*arguments)
    assert code == 1
    assert message in errors
    assert "Traceback" not in errors


def test_a_checkout_whose_code_is_not_the_code_that_runs_is_refused(phase2, folder: Path):
    (folder / "phase2").mkdir()
    (folder / "phase2" / "cli.py").touch()
    code, _, errors = phase2("train", "mlp_grid")
    shutil.rmtree(folder / "phase2")
    assert code == 1
    assert f"runs the code of {ROOT}, but {folder} is another checkout: run `make setup`" in errors


def test_a_sweep_of_another_store_leaves_this_checkouts_packs_alone(phase2, folder: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (folder / ".phase2" / "packs" / "begun").mkdir(parents=True)
    assert ".phase2/packs/begun" in phase2("store", "gc", *SMOKE)[1]
    assert "begun" not in phase2("store", "gc", "--store", str(tmp_path / "empty"), *SMOKE)[1]


def test_data_that_other_code_prepared_are_prepared_again(phase2, folder: Path):
    one = ("train", "mlp_grid", "activation=relu", "init=kaiming", "schedule=constant", "seed=0", *SMOKE)
    phase2(*one)
    receipt = folder / "data" / "prepared" / "digits" / "receipt.json"
    meta = receipt.with_name("meta.json")
    written = receipt.read_text()
    meta.write_text(meta.read_text().replace("digits", "other"))
    receipt.write_text(json.dumps({"made_from": {"params": {"code": "of yesterday"}}}))
    phase2(*one)
    assert receipt.read_text() == written
    assert "other" not in meta.read_text()


def test_bench_writes_the_page_of_figures_from_what_was_measured(phase2, folder: Path):
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs/benchmarks.md").write_text(f"{BEGIN}\n{END}\n")
    figure = {"name": "a time", "values": [1.5], "unit": "s", "bound": 2, "at_least": False, "group": ""}
    measured = {"figures": [figure | {"median": 1.5, "met": True}], "environment": environment()}
    write_json(folder / "results" / "bench" / "toy.json", measured)
    assert phase2("bench", "--publish")[0] == 0
    assert "| `toy` | a time | 1.5 s (one run) | at most 2 s |" in (folder / "docs/benchmarks.md").read_text()
    assert json.loads((folder / "docs" / "benchmarks" / "toy.json").read_text()) == measured


def test_schema_prints_what_editors_and_readers_have(phase2):
    assert json.loads(phase2("schema")[1]) == schema()
    assert phase2("schema", "--markdown")[1] == reference()
