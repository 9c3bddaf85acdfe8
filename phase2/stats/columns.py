"""What every column of a study's tables means: the one place that says it, and columns.csv of a run is made from it."""

from phase2 import registry
from phase2.study.config import Study
from phase2.study.factors import factors_of
from phase2.study.score import PERCENT, head
from phase2.study.tables import PLAIN, parts_of
from phase2.words.labels import word

ID = "id of the cell: the first 12 hex digits of the SHA-256 of its spec"
CELL = {
    "study": "the study, as the configuration names it",
    "status": "ok, or diverged",
    "diverged_step": "optimizer step, from 0, at which loss or gradient was not finite; empty if they always were",
}
TRAINED = {
    "curve_area": "mean over the epochs of the first metric on validation; empty if the run diverged",
    "steps": "optimizer steps that were asked for",
    "seconds": "the cell's share of the time that training, validation and test of its pack took (s)",
    "data": "hash of the prepared data",
    "code": "fingerprint of the code behind the cell",
    "commit": "git commit that was checked out",
    "dirty": "whether files differed from that commit",
    "device": "cpu or cuda",
    "finished": "when it was trained (UTC)",
    "torch": "release of torch",
}
SHIPPED = {
    "changed": "whether the code behind the cell has changed since it was trained",
    "machine": "threads, cores and processor that trained it",
}
CURVE = {
    "epoch": "epoch that ended, from 1",
    "step": "optimizer steps done by then",
    "split": "train (running mean over the epoch) or val (measured at its end)",
}
PACE = {
    "lr": "learning rate at the end of the epoch; where it is an axis, its level",
    "grad_norm": "norm of the gradient before clipping, mean over the steps of the epoch",
    "weight_norm": "norm of all weights at the end of the epoch",
    "samples_per_second": "training samples in a second, of all cells trained together",
}
MEASURE = {"measure": "what is compared: the first metric on validation at the end of training, or curve_area"}
OVER_SEEDS = {
    "low": "lower end of the 95% t interval of the mean over seeds; empty below 5 seeds",
    "high": "upper end of that interval",
    "least": "least of the seeds",
    "most": "most of the seeds",
    "n": "seeds that finished",
    "failed": "runs that diverged or have no finite score, and are in no mean",
}
RANKING = {
    "behind": "how far the mean is behind that of the best other combination; below 0 it is ahead",
    "behind_low": "lower bound of it; all bounds of a table hold at once with 95%",
    "behind_high": "upper bound of it",
    "may_be_best": "whether the best combination can be this one; empty below 5 seeds",
}
PAIRS = {
    "factor": "the axis whose levels are compared",
    "a": "a level",
    "b": "another level",
    "difference": "mean over seeds of a minus b, over the combinations of other axes at which both finished",
    **{name: OVER_SEEDS[name].replace("the mean", "the difference") for name in ("low", "high", "least", "most")},
    "p_t": "p of the paired t-test over seeds; empty below 5",
    "p_holm": "p_t adjusted for all pairs of the axis (Holm)",
    "effect": "Cohen's d_z with Hedges' correction",
    "n": "seeds at which both finished",
    "failed_a": "runs of a that failed",
    "failed_b": "runs of b that failed",
}
VARIANCE = {
    "term": "an axis, an interaction (a:b), seed, or residual",
    "df": "degrees of freedom",
    "share": "share of the total sum of squares (eta squared)",
    "omega2": "partial omega squared",
    "F": "F statistic against the residual",
    "p": "p of that F",
    "n": "seeds at which every run finished: the analysis is of these",
    "failed": "runs that failed, and leave out their seeds",
}
DIVERGENCE = {
    "cells": "runs",
    "diverged": "runs that diverged",
    "stuck": "runs that finished and are better than chance by at most 0.02 on validation",
    "diverged_fraction": "diverged over cells",
    "stuck_fraction": "stuck over cells",
    "first_step": "earliest step at which one diverged",
    "median_step": "median of those steps",
}
SCORE = {
    "metric": "the task's first metric, by which all is compared",
    "label": "how it is called",
    "unit": "unit it is shown in; a share is shown times 100",
    "better": "higher or lower",
    "chance": "what guessing scores",
    "loss_unit": "unit of the loss",
}
BASELINE = {
    "model": "majority (the most frequent class) or logistic (logistic regression on raw pixels)",
    "penalty": "penalty of the logistic regression, chosen on validation",
    "val_score": "the score on validation",
    "test_score": "the score on the test part",
    "train": "training images used",
}


def columns(study: Study, shipped: bool = False) -> dict[str, dict[str, str]]:
    """The columns of every table of a study, with what they mean and their unit in brackets; more are of cells that are
    `shipped`.
    """
    axes = {name: f"level of the axis {word(name) or name.replace('_', ' ')}" for name in study.axes.values()}
    factors = {name: axes[name] for name in factors_of(axes)}
    task = registry.part("task", study.task.name).card.traits
    first = task["metrics"][0]
    told = {name: _metric(name) for name in task["metrics"]} | {"loss": head("loss", task.get("unit", ""))}
    parts = {part: f"on {part} at the end" for part in parts_of({"task": study.task.model_dump()})}
    if PLAIN in parts:
        parts |= {PLAIN: "on test at the end, each image asked once", "test": f"{parts['test']}, by {study.task.tta}"}
    final = {f"{part}_{name}": f"{text}, {where}" for part, where in parts.items() for name, text in told.items()}
    best = {"best_epoch": "epoch that is best on validation"}
    best |= {f"best_{part}_{first}": f"{told[first]}, on {part} after that epoch" for part in ("val", "test")}
    mean = {"mean": "mean over seeds", **OVER_SEEDS}
    chosen = {"val_mean": f"{told[first]}, on validation, mean over seeds", "test_mean": "the same on the test part"}
    return {
        "cells": {"id": ID, **axes, **CELL, **final, **best, **TRAINED, **(SHIPPED if shipped else {})},
        "curves": {"id": ID, **CURVE, **told, **PACE, **axes},
        "schedules": {"schedule": "the schedule", "step": "optimizer step, from 1", "lr": "learning rate of that step"},
        "ranking": {**MEASURE, "rank": "1 is best; equals share a rank", **factors, **mean, **RANKING},
        "levels": {**MEASURE, "factor": "an axis", "level": "a level of it", **mean},
        "pairs": {**MEASURE, **PAIRS},
        "variance": {**MEASURE, **VARIANCE},
        "divergence": {**factors, **DIVERGENCE},
        "chosen": {**factors, **chosen, **OVER_SEEDS},
        "score": SCORE,
        "baseline": BASELINE,
    }


def _metric(name: str) -> str:
    card = registry.part("metric", name).card
    unit = card.traits.get("unit", "")
    return f"{card.label} (a share of 1)" if unit == PERCENT else f"{card.label} ({unit})" if unit else card.label
