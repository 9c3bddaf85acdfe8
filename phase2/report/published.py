"""Tables of measured numbers beside published ones; what differs between the two experiments is said with them."""

import math
from typing import Any

import pandas as pd

from phase2.figures.labels import label
from phase2.probe.published import CIFAR_CONDITIONS, CIFAR_RESNETS, Published
from phase2.report.components import DATASETS
from phase2.report.inputs import ProbeInputs, StudyInputs, get
from phase2.report.latex import MISSING, count, escape, lines, listed, number, percent
from phase2.report.measured_words import mean_of, significant
from phase2.report.tables import floating, tabular
from phase2.study.cell import Cell, cells_of
from phase2.study.config import Study

MODEL = "cifar_resnet"
CLOSE = 0.01  # relative: whole epochs do not make just so many iterations
MILLION = 1e6
MOMENTUM = {"sgd": 0.0, "momentum": 0.9, "nesterov": 0.9}  # where no option says otherwise


def published_tables(studies: list[StudyInputs], probes: list[ProbeInputs]) -> str:
    """A table for each study of residual networks by depth, and for each probe of sizes; nothing if there is none."""
    deep = [study for study in studies if "depth" in study.axes and MODEL in _models(study)]
    counted = [probe for probe in probes if get(probe.config, "probe") == "model_sizes"]
    return lines(*map(errors_table, deep), *map(sizes_table, counted))


def _models(study: StudyInputs) -> list[str]:
    return study.axes.get("model", [get(study.config, "model", "name")])


def errors_table(study: StudyInputs) -> str:
    """Test errors of a study's residual networks beside those that He et al. publish, by depth."""
    cells = [
        cell for cell in cells_of(study.name, Study.model_validate(study.config)) if cell.spec["model"]["name"] == MODEL
    ]
    others = [factor for factor in study.factors if factor not in ("model", "depth")]
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        axes = dict(cell.axes)
        groups.setdefault((axes["depth"], *(axes[factor] for factor in others)), []).append(cell)
    accuracies = study.tables["cells"].set_index("id")["test_accuracy"]
    rows = [(*_levels(levels), *_results(levels[0], group, accuracies)) for levels, group in groups.items()]
    heads = ["Depth", *(escape(label(factor)).capitalize() for factor in others)]
    heads += [r"Test error (\%)", "$n$", "published"]
    caption = (
        rf"Residual networks of \texttt{{{escape(study.name)}}} beside those of He et al.~\cite{{he2016}}: "
        r"test error at the end of training, mean $\pm$ standard deviation over the $n$ seeds that finished; of "
        "several published runs the best, with their mean, standard deviation and number in brackets. "
        f"{_differences(cells, study)}"
    )
    body = tabular(pd.DataFrame(rows, columns=heads), "r" + "l" * len(others) + "rrl")
    return floating(body, caption, f"{study.name}:published", wide=True)


def _levels(levels: tuple) -> list[str]:
    depth, *others = levels
    return [count(depth), *(escape(label(level)) for level in others)]


def _results(depth: int, cells: list[Cell], accuracies: pd.Series) -> list[str]:
    """The measured error, its seeds, and the published error."""
    errors = 100 * (1 - accuracies.reindex([cell.id for cell in cells]).dropna())
    known = CIFAR_RESNETS.get(depth)
    return [mean_of(errors), count(len(errors)), _error(known) if known else MISSING]


def _millions(parameters: float) -> str:
    return f"{parameters / MILLION:g}" if math.isfinite(parameters) else MISSING


def _error(known: Published) -> str:
    if known.runs is None or known.mean is None or known.std is None:
        return percent(known.error)
    return rf"{percent(known.error)} (${percent(known.mean)} \pm {percent(known.std)}$, {count(known.runs)} runs)"


def _differences(cells: list[Cell], study: StudyInputs) -> str:
    """Every setting that is not the paper's, with what it is there."""
    settings = [_settings(cell, study) for cell in cells]
    parts = []
    for name, theirs in CIFAR_CONDITIONS.items():
        ours = list(dict.fromkeys(setting[name] for setting in settings))
        if not all(any(_agree(one, other) for other in theirs) for one in ours):
            parts.append(f"{name} {listed([_text(one) for one in ours])} (there {_alternatives(theirs)})")
    parts.append("the channels standardized (there each pixel's mean subtracted)")
    return f"Different here: {'; '.join(parts)}."


def _settings(cell: Cell, study: StudyInputs) -> dict[str, Any]:
    """What a cell was trained with, under the names of the published conditions."""
    spec = cell.spec
    task, model, optimizer, budget = (spec[name] for name in ("task", "model", "optimizer", "budget"))
    images = get(study.meta, "arrays", "train_images", "shape", kind="data meta")[0]
    train = task["train"] or images - task["validation"]
    return {
        "data": task["dataset"],
        "training images": train,
        "augmentation": task["augment"],
        "channels of the first stage": model["width"] or CIFAR_CONDITIONS["channels of the first stage"][0],
        "shortcuts": model["options"].get("shortcut", "A"),
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
    name, options = optimizer["name"], optimizer["options"]
    if name not in MOMENTUM:
        return name
    rule = "nesterov" if options.get("nesterov", name == "nesterov") else "momentum"
    return f"{label(rule)} {options.get('momentum', MOMENTUM[name]):g}"


def _agree(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, str) else math.isclose(one, other, rel_tol=CLOSE)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return DATASETS[value].definition if value in DATASETS else escape(label(value))
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
