"""The smoke configuration from nothing to a PDF, and a second time with nothing to do."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from checkout import LEAN, SMOKE, Checkout, Ran, clean_environ
from pdf import words_of
from safetensors.numpy import load_file

from phase2.run.config import Config, load
from phase2.study.cell import Cell, cells_of
from phase2.study.config import Study
from phase2.study.results import HISTORY, destinations, read_metrics


@pytest.fixture(scope="module")
def text(finished: Checkout) -> str:
    return words_of(finished.folder / "results" / "smoke" / "report.pdf")


def the_config(finished: Checkout) -> Config:
    return load([finished.folder / name for name in ("config.yaml", SMOKE, LEAN)])


def the_study(finished: Checkout) -> Study:
    return the_config(finished).studies["mlp_grid"]


def declared(finished: Checkout) -> tuple[list[Cell], list[dict[str, Path]]]:
    """The cells of the smoke configuration, and the files of each."""
    study = the_study(finished)
    cells = cells_of("mlp_grid", study)
    results, checkpoints = (finished.folder / name / "smoke" for name in ("results", "checkpoints"))
    return cells, [destinations(cell, study, results, checkpoints) for cell in cells]


def test_every_declared_cell_has_its_files(finished: Checkout):
    cells, files = declared(finished)
    accuracies = []
    for cell, paths in zip(cells, files, strict=True):
        metrics = read_metrics(cell, finished.folder / "results" / "smoke")
        accuracies.append(metrics["final"]["test_accuracy"])
        assert len(paths[HISTORY].read_text().splitlines()) == 1 + 2 * metrics["spec"]["budget"]["epochs"]
        assert load_file(paths["best.safetensors"])
    assert len(accuracies) == 16
    assert max(accuracies) > 0.8  # the digits are learnt
    assert set(finished.cells()) == {str(p.relative_to(finished.folder)) for paths in files for p in paths.values()}


def test_the_summary_counts_cells_and_says_where_the_report_is(smoke_run: Ran):
    assert smoke_run.cells == {"trained": 16, "restored": 0, "diverged": 0, "not finished": 0}
    assert "report: results/smoke/report.pdf" in smoke_run.output


def test_every_job_runs_once(smoke_run: Ran, finished: Checkout):
    config = the_config(finished)
    assert smoke_run.jobs == {
        **dict.fromkeys(("download", "verify", "prepare", "aggregate", "analyse"), 1),
        **dict.fromkeys(("baseline_mlp_grid", "claims", "derive", "record", "summarise", "sources", "report"), 1),
        "typeset": len(config.documents),
        **{f"probe_{name}": 1 for name in config.probes},
        "train_mlp_grid": 4,
        "figure": sum(len(s.figures) for s in (config.studies | config.probes).values()),
    }


def test_the_report_has_no_open_reference_and_no_open_macro(text: str):
    assert "??" not in text
    assert not re.search(r"\b(nan|NaN|None)\b", text)


def test_the_numbers_of_the_study_are_in_the_report(text: str, finished: Checkout):
    trace = json.loads((finished.folder / "results" / "smoke" / "report" / "trace.json").read_text())
    [(row, behind)] = trace["studies/foundations"]["rows"]
    assert behind["subject"] == "mlp_grid"
    assert re.search(r"\d\d\.\d\d%", row)
    assert all(part in text for cell in row.split(" | ") for part in cell.split())


def test_a_second_run_has_nothing_to_do(project: Checkout):
    before = project.contents("results", "checkpoints")
    for options in (["-n"], []):
        again = project.snakemake("report", *options).succeeded()
        assert "Nothing to be done" in again.output
        assert not again.jobs
    assert project.contents("results", "checkpoints") == before


def test_the_scheduler_wakes_when_jobs_end_and_not_by_timers(project: Checkout):
    ran = project.snakemake("figures", "--forcerun", "figure", "--verbose").succeeded()
    assert ran.jobs["figure"] > 5
    assert ran.output.count("Ready jobs: ") <= sum(ran.jobs.values()) + 2


def test_there_is_no_bar_away_from_a_terminal(smoke_run: Ran):
    assert "\x1b" not in smoke_run.output
    assert "\r" not in smoke_run.output


def test_a_terminal_shows_a_bar(project: Checkout):
    command = project.command("grid", config={"studies": {"mlp_grid": {"axes": {"activation": ["gelu"], "seed": [0]}}}})
    terminal, end = pty.openpty()
    size = {"COLUMNS": "120", "LINES": "40", "TERM": "xterm"}
    with subprocess.Popen(command, cwd=project.folder, env=clean_environ() | size, stdout=end, stderr=end) as process:
        os.close(end)
        shown = b"".join(iter(lambda: read_or_end(terminal), b"")).decode()
    os.close(terminal)
    assert process.returncode == 0, shown
    shown = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", shown)
    assert re.search(r"cells ━+ 0/4 ", shown), shown
    assert re.search(r"4/4 \d+\.\d cells/s", shown), shown
    assert Ran(0, shown).cells["trained"] == 4


def read_or_end(terminal: int) -> bytes:
    """The next bytes; none once the process has closed its end, which Linux reports as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize("kind", ["figure", "table"])
def test_trace_names_the_cells_seeds_commit_and_data_behind(kind: str, finished: Checkout):
    trace = json.loads((finished.folder / "results" / "smoke" / "report" / "trace.json").read_text())
    key = next(key for key, entry in trace.items() if entry["kind"] == kind and entry["subject"] == "mlp_grid")
    shown = finished.phase2("trace", key, "--run", "smoke").succeeded().output
    head = finished.run(["git", "rev-parse", "HEAD"]).output.strip()
    data = json.loads((finished.folder / "data" / "prepared" / "digits" / "meta.json").read_text())["hash"]
    ids = [cell.id for cell in declared(finished)[0]]
    assert shown.startswith(f"{kind} {key} = ")
    assert any(identity in shown for identity in ids)
    assert re.search(r"^seeds +0 1$", shown, re.M)
    assert re.search(rf"^commit +{head}$", shown, re.M)
    assert re.search(rf"^data +{data}$", shown, re.M)


def test_trace_finds_a_number_and_a_table_as_they_are_printed(finished: Checkout):
    trace = json.loads((finished.folder / "results" / "smoke" / "report" / "trace.json").read_text())
    score = trace["mlp_grid/chosen"]["rows"][0][0].split(" | ")[2]
    assert "table mlp_grid/chosen" in finished.phase2("trace", score, "--run", "smoke").succeeded().output
    shown = finished.phase2("trace", "Table 1", "--run", "smoke").succeeded().output
    assert "of report.pdf, page" in shown
    assert "of companion.pdf, page" in shown


def test_trace_names_the_options_cells_code_and_data_behind_a_probe(finished: Checkout):
    shown = finished.phase2("trace", "unit_health/figures/unit_health", "--run", "smoke", "--all").succeeded().output
    made = json.loads(
        (finished.folder / "results" / "smoke" / "tables" / "unit_health" / "provenance.json").read_text()
    )
    ids = [cell.id for cell in declared(finished)[0]]
    assert made["cells"] == ids
    for part in ("unit_health (unit_health)", '"batch": 200', f"16 of mlp_grid: {' '.join(ids)}", made["code"]):
        assert part in shown
    assert made["data"]["data"] in shown


def test_trace_suggests_the_nearest_name(finished: Checkout):
    wrong = finished.phase2("trace", "score_heatmpa", "--run", "smoke")
    wrong.failed_with("score_heatmpa", "did you mean", "score_heatmap")


def test_lint_has_no_complaint_but_the_missing_conda_environments(finished: Checkout):
    """The environment is `.venv`, from constraints.txt, for all rules alike."""
    lint = finished.snakemake("--lint").output
    assert "Lints for rule typeset" in lint
    complaints = re.findall(r"^    \* (.+):$", lint, re.M)
    assert set(complaints) == {"Specify a conda environment or container for each rule."}


def test_snakemake_imports_no_torch_and_jobs_that_do_have_one_thread(smoke: Path):
    """Jobs that train, that open data for a baseline, that probe networks, and that check derivations against automatic
    differentiation.
    """
    lines = [json.loads(line) for line in (smoke / "torch.jsonl").read_text().splitlines()]
    programs = {Path(program).name.split(".", 1)[-1] for program, _ in lines}
    assert programs == {"train.py", "baseline.py", "probe.py", "derive.py"}
    assert {threads for _, threads in lines} == {"1"}
