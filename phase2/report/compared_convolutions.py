"""What the figures of convolutional studies show, in sentences drawn by code: depth, backends, parameter sharing.

A function takes a study's inputs and `say`, as in `phase2.report.compared`, which asks for it by its figure.
"""

import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import FINAL, StudyInputs
from phase2.report.latex import escape, listed, number, percentage, plural, signed
from phase2.words.levels import label

MARGIN = 0.01  # of accuracy: less than this is no difference worth a word
_ENDS = (("Least", "min"), ("Most", "max"))
NONE_LEFT = "No two runs are left to compare."
SAME = 0.02  # of accuracy: what rounding, grown over a training, may part two backends by


def depths(study: StudyInputs, say: Say) -> list[str]:
    """What more layers do to the error on training and on test images, by architecture. He et al. 2016, figure 6."""
    cells = study.tables["cells"]
    low, high = (say(f"{end} Depth", f"{cells['depth'].agg(pick)}", "cells", "depth") for end, pick in _ENDS)
    means = cells.groupby(["model", "depth"])[["train_accuracy", FINAL]].mean()
    text: list[str] = []
    gains: dict[str, float] = {}  # of training accuracy
    for model in dict.fromkeys(cells["model"]):
        name = escape(label(model))
        gain = means.loc[model].loc[cells["depth"].max()] - means.loc[model].loc[cells["depth"].min()]
        if gain.isna().any():  # every run of it diverged at one of the two
            continue
        numbers = [
            say(f"{model} {part} Depth Gain", signed(-gain[column]), "cells", f"mean of {column}, in points")
            for part, column in (("Train", "train_accuracy"), ("Test", FINAL))
        ]
        text.append(f"{name} {numbers[0]} points on training and {numbers[1]} on test images")
        gains[name] = gain["train_accuracy"]
    if not gains:
        return [NONE_LEFT]
    return [f"From {low} to {high} layers, errors change by: {listed(text)}.", _degradation(gains)]


def _degradation(gains: dict[str, float]) -> str:
    """Whether depth costs training error, which no overfitting explains."""
    worse = [name for name, gain in gains.items() if gain < -MARGIN]
    better = [name for name, gain in gains.items() if gain > MARGIN]
    if worse and better:
        return (
            f"More layers make the training error of {listed(worse)} worse and that of {listed(better)} better: "
            "the degradation that He et al. found is one of optimization, not of overfitting."
        )
    if worse:
        return f"More layers make the training error of {listed(worse)} worse, which overfitting cannot explain."
    if better:
        return f"More layers make the training error of {listed(better)} better: at these depths nothing degrades."
    return "At these depths and this budget, more layers neither help nor harm the training error."


def backends(study: StudyInputs, say: Say) -> list[str]:
    """How far trainings that differ in the backend alone come out apart."""
    cells, others = study.tables["cells"], [axis for axis in study.axes if axis != "backend"]
    table = cells.pivot(index=others, columns="backend", values=FINAL).dropna()
    if table.empty or len(table.columns) < 2:
        return [NONE_LEFT]
    gap = float((table.max(axis=1) - table.min(axis=1)).max())
    most = say("Backend Gap", f"{100 * gap:.2f}", "cells", "largest difference between backends, in points")
    pairs = say("Compared Trainings", plural(len(table), "pair"), "cells", "trainings that differ in the backend alone")
    same = (
        "the two train the same network, and rounding alone parts them"
        if gap < SAME
        else "which is more than rounding should do, and one of the two is to be mistrusted"
    )
    seconds = cells.groupby("backend")["seconds"].sum()
    ratio = float(seconds.get("scratch", float("nan")) / seconds.get("fused", float("nan")))
    cost = say("Backend Ratio", f"{ratio:.1f}", "cells", "seconds of scratch by seconds of fused")
    return [
        f"Test accuracies of the {pairs} differ by at most {most} points: {same}. The convolution written here took "
        f"{cost} times as long."
    ]


def sharing(study: StudyInputs, say: Say) -> list[str]:
    """Which network is best on images as they are and on permuted ones, and what the permutation costs each."""
    means = (
        study.tables["cells"]
        .groupby(["model", "pixels"], sort=False)[FINAL]
        .mean()
        .unstack()
        .dropna(axis="columns", how="all")
    )
    if means.empty:
        return [NONE_LEFT]
    best = {order: means[order].idxmax() for order in means}
    parts = [
        f"{escape(label(best[order]))} on {order} pixels "
        f"({say(f'Best {order}', percentage(means[order].max(), 1), 'cells', 'best mean of a network')})"
        for order in means
    ]
    text = [f"The best is {listed(parts)}."]
    if {"natural", "permuted"} <= set(means) and len(both := means.dropna()):
        text.append(_cost(both, say))
    return text


def _cost(means: pd.DataFrame, say: Say) -> str:
    loss = means["natural"] - means["permuted"]
    parts = [
        f"{escape(label(model))} {say(f'Permuting {model}', number(100 * value, 1), 'cells', 'natural less permuted')}"
        for model, value in loss.items()
    ]
    blind = [escape(label(model)) for model, value in loss.items() if abs(value) < MARGIN]
    told = f" To {listed(blind)} the order of the pixels is nothing, as it should be." if blind else ""
    most = escape(label(loss.idxmax()))
    return (
        f"Permuting the pixels costs, in points: {listed(parts)}; what the most dependent, {most}, loses is what its "
        f"structure had assumed of images.{told}"
    )
