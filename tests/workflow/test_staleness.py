"""Nothing stale, nothing retrained for nothing: what runs again after a change, and what does not."""

import re
import shutil
from typing import Any

import pandas as pd
import pytest
from checkout import Checkout

AXES = {"activation": ["relu", "tanh"], "init": ["kaiming", "normal_large"], "schedule": ["constant", "cosine"]}
PROBES = ("activation_shapes", "unit_health")
SGD, LSUV = "phase2/optim/sgd.py", "phase2/nn/initial/lsuv.py"  # an optimizer in use, an initialization that is not
HALVED = ("add_scaled_(params, grads, -lr)", "add_scaled_(params, grads, -lr / 2)")


def axes(**values: list[Any]) -> dict[str, Any]:
    """An overlay that sets these axes of the smoke grid."""
    return {"studies": {"mlp_grid": {"axes": values}}}


def trained(project: Checkout, *, restored: int = 0, config: dict[str, Any] | None = None) -> int:
    """How many cells the grid trains now, while `restored` come from the store; none if Snakemake has nothing to do."""
    ran = project.snakemake("grid", config=config).succeeded()
    if "Nothing to be done" in ran.output:
        return 0
    assert ran.cells["restored"] == restored, ran.output
    assert ran.cells["not finished"] == 0, ran.output
    return ran.cells["trained"]


def test_a_new_activation_trains_its_own_cells_and_going_back_none(project: Checkout):
    before, modified = project.cells(), modification_times(project)
    wider = axes(activation=[*AXES["activation"], "gelu"])
    assert trained(project, config=wider) == 8  # 1 x 2 inits x 2 schedules x 2 seeds
    assert project.cells().items() > before.items()
    assert len(project.cells()) == 24 * 3
    assert modification_times(project).items() > modified.items()
    assert trained(project) == 0
    table = "results/smoke/tables/mlp_grid/cells.csv"
    project.snakemake(table).succeeded()
    assert len(pd.read_csv(project.folder / table)) == 16  # gelu's cells lie there still
    assert trained(project, config=wider) == 0


def modification_times(project: Checkout) -> dict[str, int]:
    return {name: (project.folder / name).stat().st_mtime_ns for name in project.cells()}


def test_a_new_lane_trains_alone_and_the_others_are_restored_to_the_byte(project: Checkout):
    before = project.cells()
    wider = axes(init=[*AXES["init"], "xavier"])
    assert trained(project, config=wider, restored=16) == 8
    assert project.cells().items() > before.items()
    wider_still = axes(init=[*AXES["init"], "xavier"], schedule=[*AXES["schedule"], "step"], seed=[0])
    assert trained(project, config=wider_still, restored=12) == 6
    assert project.cells().items() > before.items()
    assert trained(project, config=axes(seed=[0]), restored=8) == 0
    assert project.cells().items() > before.items()


def test_editing_a_figure_draws_it_again_and_trains_nothing(project: Checkout):
    before = project.contents("results/smoke/cells/mlp_grid", "results/smoke/tables", "results/smoke/figures")
    with open(project.folder / "phase2" / "figures" / "ranking.py", "a") as file:
        file.write("\nONE = 2 - 1\n")
    assert project.snakemake("report").succeeded().jobs == {"figure": 1, "typeset": 2, "report": 1}
    assert before == project.contents("results/smoke/cells/mlp_grid", "results/smoke/tables", "results/smoke/figures")


def test_what_claims_and_metrics_say_and_their_order_is_never_an_old_one(project: Checkout):
    claims, index = "results/smoke/claims.json", "results/smoke/index.html"
    project.snakemake(claims, index).succeeded()

    def planned(config: dict[str, Any] | None = None) -> str:
        return project.snakemake(claims, index, "-n", config=config).succeeded().output

    assert "Nothing to be done" in planned()
    claim = ("phase2/probe/gradient_flow/claims.py", "by Kaiming's rule", "by Kaiming's own rule")
    grid = ("phase2/claims/studies/mlp_grid.py", "half a point of each other", "half of one point of each other")
    metric = ("phase2/task/metrics/accuracy.py", 'label="accuracy"', 'label="share right"')
    for (path, old, new), rule in ((grid, "claims"), (metric, "index")):
        project.edit(path, old, new)
        assert re.search(rf"^{rule} +1$", planned(), re.MULTILINE)
        project.edit(path, new, old)
    project.edit(*claim)  # of a probe that the run does not have
    assert "Nothing to be done" in planned()
    moved = {"studies": {"mlp_grid": {"chapter": "optimization"}}}
    assert re.search(r"^claims +1$", planned(moved), re.MULTILINE)


def test_editing_comments_and_docstrings_or_what_is_not_used_runs_nothing(project: Checkout):
    text = (project.folder / SGD).read_text()
    (project.folder / SGD).write_text(text.replace('"""', '"""In other words: ', 1) + "\n# A last remark.\n")
    project.edit(LSUV, "float(unconverged)", "2 * float(unconverged)")
    assert "Nothing to be done" in project.snakemake("report", "-n").succeeded().output


def test_changing_the_optimizers_arithmetic_trains_all_that_used_it(project: Checkout):
    before = project.cells()
    project.edit(SGD, *HALVED)
    assert trained(project) == 16
    changed = project.cells()
    assert changed.keys() == before.keys()
    assert not changed.items() & before.items()
    project.edit(SGD, *reversed(HALVED))
    assert trained(project, config=axes(activation=["relu"], seed=[0]), restored=4) == 0
    assert len(project.cells().items() & before.items()) == 4 * 3


def test_deleted_results_come_back_from_the_store_to_the_byte(project: Checkout):
    before = project.contents("results", "checkpoints")
    for folder in ("results", "checkpoints"):
        shutil.rmtree(project.folder / folder)
    ran = project.snakemake("report").succeeded()
    assert ran.cells == {"trained": 0, "restored": 16, "diverged": 0, "not finished": 0}
    after = project.contents("results", "checkpoints")
    assert after.keys() == before.keys()
    differ = {path.rsplit("/", 1)[-1] for path in after if after[path] != before[path]}
    # A probe's provenance says when it was measured, and two receipts have its checksum.
    assert differ - {"provenance.json", "sources.json"} <= {f"probe-{probe}.json" for probe in PROBES}


@pytest.mark.parametrize("with_records", [True, False], ids=["touched", "cloned"])
def test_results_whose_times_are_new_are_accepted_and_later_edits_still_count(with_records: bool, project: Checkout):
    """After `git checkout` all times are new; after `dvc pull` in a clone, Snakemake's records are missing as well."""
    for path in sorted(project.folder.rglob("*")):  # the results before the rules that made them
        if path.is_file() and not path.is_relative_to(project.folder / ".snakemake"):
            path.touch()
    if not with_records:
        shutil.rmtree(project.folder / ".snakemake")
    before = project.contents("results", "checkpoints")
    assert "Nothing to be done" in project.snakemake("report", "-n").succeeded().output
    assert project.contents("results", "checkpoints") == before
    project.edit(SGD, *HALVED)
    assert re.search(r"train_mlp_grid +4\n", project.snakemake("report", "-n").succeeded().output)
    project.snakemake("report", "--touch").succeeded()
    planned = project.snakemake("report", "-n").succeeded().output
    assert "train_mlp_grid: cells trained with other code (16 times)" in planned
