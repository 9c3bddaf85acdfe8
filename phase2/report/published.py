"""Tables of measured numbers beside published ones; what differs between the two experiments is said with them."""

import math
from typing import Any

import pandas as pd

from phase2 import registry
from phase2.probe.published import PAPERS, Paper, Published
from phase2.report.inputs import ProbeInputs, StudyInputs, get
from phase2.report.latex import MISSING, count, escape, lines, listed, number, percent
from phase2.report.measured_words import mean_of, significant
from phase2.report.tables import floating, tabular
from phase2.study.cell import Cell, cells_of
from phase2.study.config import Study
from phase2.study.factors import factors_of
from phase2.words.levels import label

CLOSE = 0.01  # relative: whole epochs do not make just so many iterations
MILLION = 1e6


def published_tables(studies: list[StudyInputs], probes: list[ProbeInputs]) -> str:
    """A table for each study of networks whose errors are published, and for each probe of sizes; nothing for none."""
    counted = [probe for probe in probes if get(probe.config, "probe") == "model_sizes"]
    errors = [table for study in studies for table in errors_tables(study)]
    return lines(*errors, *map(sizes_table, counted))


def errors_tables(study: StudyInputs) -> list[str]:
    """Test errors of a study's networks beside published ones: a table for each paper that has one of their depths."""
    if "test_accuracy" not in study.tables["cells"]:
        return []
    cells = cells_of(study.name, Study.model_validate(study.config))
    tables = []
    for model, paper in PAPERS.items():
        of_model = [cell for cell in cells if cell.settings["model"]["name"] == model]
        if any(_depth(cell, paper) in paper.results for cell in of_model):
            tables.append(_errors_table(study, of_model, model, paper))
    return tables


def _depth(cell: Cell, paper: Paper) -> int:
    return cell.settings["model"]["depth"] or paper.usual_depth


def _errors_table(study: StudyInputs, cells: list[Cell], model: str, paper: Paper) -> str:
    others = factors_of(study.factors, without=["model", "depth"])
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        axes = dict(cell.axes)
        groups.setdefault((_depth(cell, paper), *(axes[factor] for factor in others)), []).append(cell)
    accuracies = study.tables["cells"].set_index("id")["test_accuracy"]
    rows = [
        (*_levels(levels), *_results(paper.results.get(levels[0]), group, accuracies))
        for levels, group in groups.items()
    ]
    heads = ["Depth", *(escape(label(factor)).capitalize() for factor in others)]
    heads += [r"Test error (\%)", "$n$", "published"]
    caption = (
        rf"{escape(label(model))} in \texttt{{{escape(study.name)}}} beside {paper.authors}~\cite{{{paper.key}}}: "
        r"test error at the end of training, mean $\pm$ standard deviation over the $n$ seeds that finished. "
        f"{_of_several(paper)}{_differences(cells, study, paper)}"
    )
    body = tabular(pd.DataFrame(rows, columns=heads), "r" + "l" * len(others) + "rrl")
    return floating(body, caption, f"{study.name}:{paper.key}", wide=True)


def _of_several(paper: Paper) -> str:
    """How the numbers of several published runs are printed, where the paper gives the best one too."""
    both = any(row.runs > 1 and math.isfinite(row.error) for row in paper.results.values())
    text = "Of several published runs the best, with their mean, standard deviation and number in brackets. "
    return text if both else ""


def _levels(levels: tuple) -> list[str]:
    depth, *others = levels
    return [count(depth), *(escape(label(level)) for level in others)]


def _results(known: Published | None, cells: list[Cell], accuracies: pd.Series) -> list[str]:
    """The measured error, its seeds, and the published error."""
    errors = 100 * (1 - accuracies.reindex([cell.id for cell in cells]).dropna())
    return [mean_of(errors), count(len(errors)), _error(known) if known else MISSING]


def _millions(parameters: float) -> str:
    return f"{parameters / MILLION:g}" if math.isfinite(parameters) else MISSING


def _error(known: Published) -> str:
    """The best run, the runs' mean, standard deviation and number, or all of it: what the paper says."""
    if known.runs == 1:
        return percent(known.error)
    runs = rf"${percent(known.mean)} \pm {percent(known.std)}$, {count(known.runs)} runs"
    return f"{percent(known.error)} ({runs})" if math.isfinite(known.error) else runs


def _differences(cells: list[Cell], study: StudyInputs, paper: Paper) -> str:
    """Every setting that is not the paper's, with what it is there."""
    settings = [_settings(cell, study, paper) for cell in cells]
    parts = []
    for name, theirs in paper.conditions.items():
        ours = list(dict.fromkeys(setting[name] for setting in settings))
        if not all(any(_agree(one, other) for other in theirs) for one in ours):
            parts.append(f"{name} {listed([_text(one) for one in ours])} (there {_alternatives(theirs)})")
    if paper.scaling:
        parts.append(f"the channels standardized (there {paper.scaling})")
    return f"Different here: {'; '.join(parts)}." if parts else "The settings are the paper's."


def _settings(cell: Cell, study: StudyInputs, paper: Paper) -> dict[str, Any]:
    """What a cell was trained with, under the names of the published conditions."""
    spec = cell.settings
    task, model, optimizer, budget = (spec[name] for name in ("task", "model", "optimizer", "budget"))
    images = get(study.meta, "arrays", "train_images", "shape", kind="data meta")[0]
    train = task["train"] or images - task["validation"]
    return {
        "data": task["dataset"],
        "training images": train,
        "augmentation": task["augment"],
        "channels of the first stage": model["width"] or paper.conditions["channels of the first stage"][0],
        "shortcuts": _unless_said(model, "model", "shortcut"),
        "normalization": model["norm"],
        "activation": model["activation"],
        "initialization": spec["init"],
        "optimizer": _rule(optimizer),
        "learning rate": optimizer["lr"],
        "weight decay": optimizer["weight_decay"],
        "schedule": spec["schedule"],
        "batch size": budget["batch_size"],
        "iterations": budget["epochs"] * -(-train // budget["batch_size"]),
    }


def _rule(optimizer: dict[str, Any]) -> str:
    """An update rule, with its momentum if it is one that may have some."""
    name, momentum = optimizer["name"], _unless_said(optimizer, "optimizer", "momentum")
    if momentum is None or name == "rmsprop":
        return name
    rule = "nesterov" if optimizer["options"].get("nesterov", name == "nesterov") else "momentum"
    return f"{label(rule)} {momentum:g}"


def _unless_said(section: dict[str, Any], kind: str, option: str) -> Any:
    """An option of a part: as the configuration has it, as the part's argument does, or as its card says of one that
    has no choice.
    """
    part = registry.part(kind, section["name"])
    usual = part.arguments.get(option, part.card.traits.get(option))
    return section["options"].get(option, usual)


def _agree(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, str) else math.isclose(one, other, rel_tol=CLOSE)


def _text(value: Any) -> str:
    if isinstance(value, str):
        known = registry.parts("dataset")
        return known[value].card.definition if value in known else escape(label(value))
    return count(value) if isinstance(value, int) else significant(value)


def _alternatives(values: tuple) -> str:
    return " or ".join(_text(value) for value in values)


def sizes_table(probe: ProbeInputs) -> str:
    """Parameters and operations of the papers' networks, counted, beside the published numbers of parameters."""
    sizes = probe.tables["sizes"]
    family = sizes["network"].map(escape)
    printed = pd.DataFrame(
        {
            "Network": family.mask(family.eq(family.shift()), ""),
            "Layers": sizes["depth"].map(count),
            "Parameters": sizes["parameters"].map(count),
            "published (millions)": sizes["published_parameters"].map(_millions),
            "GFLOP": sizes["gflop"].map(lambda value: number(value, 4)),
        }
    )
    caption = (
        "Networks for the images and classes of CIFAR-10 as they are built here: layers with weights, parameters, as "
        r"published by He et al.~\cite{he2016} and counted, and operations of one image's forward pass."
    )
    return floating(tabular(printed, "lrrrr"), caption, f"{probe.name}:sizes")
