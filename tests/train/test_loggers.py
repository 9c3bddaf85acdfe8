"""Loggers beside CSV: TensorBoard's event files, read back, and Weights & Biases' runs."""

import sys
from pathlib import Path

import pytest
from fake_wandb import Fake, wandb  # noqa: F401
from logged import PACE, STEPS, attempt, rows, stopped
from packs import LANES
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from phase2.errors import UserError
from phase2.task.task import Task


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a folder."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard_shows_what_the_csv_files_hold_and_no_zigzag_after_a_stop(parts: Task, tmp_path: Path):
    stopped(parts, tmp_path, ["tensorboard"], save=STEPS + 2)
    assert [step for step, _ in scalars(tmp_path / "lane=0")["steps/loss"]] == list(range(1, STEPS + 3))
    attempt(parts, tmp_path, ["tensorboard"])
    assert len(list(tmp_path.glob("lane=0/events*"))) == 2
    shown = scalars(tmp_path / "lane=0")
    for table in ("steps", "epochs"):
        logged = rows(tmp_path, table)
        tags = {f"{table}/{name}" for name in logged[0] if name != "step"}
        assert {tag for tag in shown if tag.startswith(table)} == tags
        for name in logged[0].keys() - {"step", *PACE}:
            wanted = [(row["step"], pytest.approx(row[name], rel=1e-6)) for row in logged]
            assert shown[f"{table}/{name}"] == wanted


def test_a_wandb_run_goes_on_as_the_same_run(parts: Task, tmp_path: Path, wandb: Fake):  # noqa: F811
    stopped(parts, tmp_path, ["wandb"], save=STEPS + 2)
    attempt(parts, tmp_path, ["wandb"])
    assert len(wandb.runs) == len(LANES)
    for lane, run in enumerate(wandb.runs.values()):
        assert (run.attempts, run.finished) == (2, True)
        assert run.settings["name"] == f"grid/lane={lane}"
        assert run.settings["config"] == {"seed": 3}
        losses = [row["loss"] for row in rows(tmp_path, "steps", lane)]
        assert [run.rows[step]["steps/loss"] for step in sorted(run.rows)] == losses
        assert [step for step in run.rows if "epochs/val_loss" in run.rows[step]] == [STEPS, 2 * STEPS]


def test_a_wandb_training_that_begins_anew_is_another_run(parts: Task, tmp_path: Path, wandb: Fake):  # noqa: F811
    for _ in range(2):
        attempt(parts, tmp_path, ["wandb"], lanes=LANES[:1])
        (tmp_path / "work" / "state.pt").unlink()
    assert [run.attempts for run in wandb.runs.values()] == [1, 1]


def test_what_wandb_refuses_is_told_with_the_way_out(parts: Task, tmp_path: Path, wandb: Fake):  # noqa: F811
    wandb.refuse = "No API key configured"
    with pytest.raises(UserError, match=r"\(No API key configured\): wandb login, or WANDB_MODE=offline before"):
        attempt(parts, tmp_path, ["wandb"])


@pytest.mark.parametrize(("name", "module"), [("wandb", "wandb"), ("tensorboard", "torch.utils.tensorboard")])
def test_a_logger_without_its_package_says_what_to_install(
    name: str, module: str, parts: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"the logger {name} needs a package.*pip install {name}, or take it out of"):
        attempt(parts, tmp_path, [name])


def test_a_training_that_begins_anew_begins_its_logs_anew(parts: Task, tmp_path: Path):
    for _ in range(2):
        attempt(parts, tmp_path, ["tensorboard"])
        (tmp_path / "work" / "state.pt").unlink()
    assert len(rows(tmp_path, "steps")) == 2 * STEPS
    assert len(list(tmp_path.glob("lane=0/events*"))) == 1
