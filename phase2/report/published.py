"""What papers published of the networks of a study, beside what it measured, and in what the two differ."""

from dataclasses import dataclass

import pandas as pd

from phase2 import registry
from phase2.report.inputs import StudyInputs
from phase2.report.latex import count, escape, number, percent
from phase2.report.tabular import Behind, Table
from phase2.stats.interval import mean_interval
from phase2.words.levels import label

DATASETS = ("cifar10", "cifar10_jpeg")
ORIGINAL = "cifar10"  # the images that all of these were trained on


@dataclass(frozen=True)
class Published:
    """A test error (a share of 1), its source, and the optimizer steps that led to it, if the source says so."""

    error: float
    cites: str
    steps: int | None = None


# By network and depth. He et al. 2016a, table 6: 5 runs for 110 layers, one each for the others; they print no number
# for plain networks. DeVries and Taylor 2017, table 1. Jordan 2024: the mean of 1,000 runs.
PUBLISHED = {
    ("cifar_resnet", 20): Published(0.0875, "he2016", 64_000),
    ("cifar_resnet", 32): Published(0.0751, "he2016", 64_000),
    ("cifar_resnet", 44): Published(0.0717, "he2016", 64_000),
    ("cifar_resnet", 56): Published(0.0697, "he2016", 64_000),
    ("cifar_resnet", 110): Published(0.0661, "he2016", 64_000),
    ("resnet", 18): Published(0.0472, "devries2017", 78_200),
    ("airbench", None): Published(0.0599, "jordan2024", 476),
}


def published_table(study: StudyInputs) -> Table:
    """A row for each combination whose network a paper has a test error of: the paper's, ours with its interval, the
    difference, and what differs. No rows for other data.
    """
    cells = study.tables["cells"]
    rows, behind = [], []
    if study.study.task.dataset in DATASETS:
        for selection, of_them in _combinations(study, cells[cells["status"] == "ok"]):
            known = _known(study, selection)
            if known is not None:
                rows.append(_row(study, selection, known, of_them))
                behind.append(Behind(study.name, selection))
    caption = (
        "Test errors as published and as measured here (\\%): mean over seeds with its 95\\% interval, which fewer "
        f"than five seeds do not give, and the difference. Of {escape(label(study.study.task.dataset))}."
    )
    heads = ["Network", "Published", "Here", "", "$n$", "Difference", "What differs"]
    how, file = "1 - test accuracy of the table of cells", f"tables/{study.name}/cells.csv"
    return Table(f"{study.name}:published", caption, "lrrlrrl", heads, rows, file, how, study.name, behind)


def _combinations(study: StudyInputs, cells: pd.DataFrame) -> list[tuple[dict, pd.DataFrame]]:
    if not study.factors:
        return [({}, cells)]
    groups = cells.groupby(study.factors, sort=False)
    return [(dict(zip(study.factors, levels, strict=True)), of_them) for levels, of_them in groups]


def _known(study: StudyInputs, selection: dict) -> Published | None:
    """What is published of the network of a combination; of its own depth, if the study sets none."""
    model = selection.get("model", study.study.model.name)
    depth = selection.get("depth", study.study.model.depth)
    usual = registry.part("model", model).arguments.get("depth")
    return PUBLISHED.get((model, usual if depth is None else int(depth)))


def _row(study: StudyInputs, selection: dict, known: Published, cells: pd.DataFrame) -> list[str]:
    errors = 1 - cells[study.score.test_column].to_numpy(float)
    low, high = mean_interval(errors[None])
    mean = errors.mean()
    name = ", ".join(escape(label(level)) for level in selection.values()) or escape(label(study.study.model.name))
    interval = f"[{percent(low[0])}, {percent(high[0])}]" if low[0] < high[0] else ""
    published = rf"{percent(known.error)}~\cite{{{known.cites}}}"
    gap = number(100 * (mean - known.error))
    return [name, published, percent(mean), interval, count(len(errors)), gap, _differs(study, known, cells)]


def _differs(study: StudyInputs, known: Published, cells: pd.DataFrame) -> str:
    task, steps = study.study.task, int(cells["steps"].max())
    images = [f"images from {escape(label(task.dataset))}"] if task.dataset != ORIGINAL else []
    budget = [f"{count(steps)} for {count(known.steps)} steps"] if known.steps and known.steps != steps else []
    return "; ".join([*images, *budget, f"{count(task.validation)} images held out"])
