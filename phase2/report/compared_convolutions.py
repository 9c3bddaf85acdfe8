"""What the figures of convolutional studies show, in sentences drawn by code: depth, backends, parameter sharing.

A function takes a study's inputs and `say`, as in `phase2.report.compared`, which asks for it by its figure.
"""

import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import StudyInputs
from phase2.report.latex import apart, escape, listed, plural, quantity, score_text, signed
from phase2.study.score import Score
from phase2.words.levels import label

MARGIN = 0.01  # of the score: less than this is no difference worth a word
_ENDS = (("Least", "min"), ("Most", "max"))
NONE_LEFT = "No two runs are left to compare."
SAME = 0.02  # of the score: what rounding, grown over a training, may part two backends by


def depths(study: StudyInputs, say: Say) -> list[str]:
    """What more layers do to the error on training and on test images, by architecture. He et al. 2016, figure 6."""
    cells, score = study.tables["cells"], study.score
    low, high = (say(f"{end} Depth", f"{cells['depth'].agg(pick)}", "cells", "depth") for end, pick in _ENDS)
    columns = {"Train": f"train_{score.metric}", "Test": score.column}
    means = cells.groupby(["model", "depth"])[list(columns.values())].mean()
    unit = escape(f" {score.points}" if score.points else "")
    text: list[str] = []
    gains: dict[str, float] = {}  # of the training score
    for model in dict.fromkeys(cells["model"]):
        name = escape(label(model))
        gain = means.loc[model].loc[cells["depth"].max()] - means.loc[model].loc[cells["depth"].min()]
        if gain.isna().any():  # every run of it diverged at one of the two
            continue
        change = -gain if score.has_errors else gain
        numbers = [
            say(f"{model} {part} Depth Gain", signed(score, change[column]), "cells", f"mean of {column}")
            for part, column in columns.items()
        ]
        text.append(f"{name} {numbers[0]}{unit} on training and {numbers[1]} on test images")
        gains[name] = score.sign * gain[columns["Train"]]
    if not gains:
        return [NONE_LEFT]
    what = "errors change" if score.has_errors else f"the {escape(score.label)} changes"
    told = _degradation(gains, f"training {escape(score.error_name)}")
    return [f"From {low} to {high} layers, {what} by: {listed(text)}.", told]


def _degradation(gains: dict[str, float], error: str) -> str:
    """Whether depth costs training error, which no overfitting explains."""
    worse = [name for name, gain in gains.items() if gain < -MARGIN]
    better = [name for name, gain in gains.items() if gain > MARGIN]
    if worse and better:
        return (
            f"More layers make the {error} of {listed(worse)} worse and that of {listed(better)} better: "
            "the degradation that He et al. found is one of optimization, not of overfitting."
        )
    if worse:
        return f"More layers make the {error} of {listed(worse)} worse, which overfitting cannot explain."
    if better:
        return f"More layers make the {error} of {listed(better)} better: at these depths nothing degrades."
    return f"At these depths and this budget, more layers neither help nor harm the {error}."


def backends(study: StudyInputs, say: Say) -> list[str]:
    """How far trainings that differ in the backend alone come out apart."""
    cells, others = study.tables["cells"], [axis for axis in study.axes if axis != "backend"]
    table = cells.pivot(index=others, columns="backend", values=study.score.column).dropna()
    if table.empty or len(table.columns) < 2:
        return [NONE_LEFT]
    gap = float((table.max(axis=1) - table.min(axis=1)).max())
    most = say("Backend Gap", apart(study.score, gap), "cells", "largest difference between backends")
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
        f"In {escape(study.score.final)}, the {pairs} differ by at most {most}: {same}. The convolution written here "
        f"took {cost} times as long."
    ]


def sharing(study: StudyInputs, say: Say) -> list[str]:
    """Which network is best on images as they are and on permuted ones, and what the permutation costs each."""
    score = study.score
    means = (
        study.tables["cells"]
        .groupby(["model", "pixels"], sort=False)[score.column]
        .mean()
        .unstack()
        .dropna(axis="columns", how="all")
    )
    if means.empty:
        return [NONE_LEFT]
    merit = score.sign * means
    best = {order: (merit[order].idxmax(), quantity(score, score.sign * merit[order].max(), 1)) for order in means}
    parts = [
        f"{escape(label(model))} on {order} pixels ({say(f'Best {order}', mean, 'cells', 'best mean of a network')})"
        for order, (model, mean) in best.items()
    ]
    text = [f"The best is {listed(parts)}."]
    if {"natural", "permuted"} <= set(means) and len(both := means.dropna()):
        text.append(_cost(both, score, say))
    return text


def _cost(means: pd.DataFrame, score: Score, say: Say) -> str:
    loss = score.sign * (means["natural"] - means["permuted"])
    told = {model: f"${score_text(score, value, 1)}$" for model, value in loss.items()}
    parts = [
        f"{escape(label(model))} {say(f'Permuting {model}', text, 'cells', 'natural to permuted')}"
        for model, text in told.items()
    ]
    blind = [escape(label(model)) for model, value in loss.items() if abs(value) < MARGIN]
    nothing = f" To {listed(blind)} the order of the pixels is nothing, as it should be." if blind else ""
    most = escape(label(loss.idxmax()))
    unit = f", in {escape(score.points)}" if score.points else ""
    return (
        f"Permuting the pixels costs{unit}: {listed(parts)}; what the most dependent, {most}, loses is what its "
        f"structure had assumed of images.{nothing}"
    )
