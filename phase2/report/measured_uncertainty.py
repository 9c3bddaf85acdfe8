"""What the probe of dropout at inference says: methods, their calibration, turned images and unfamiliar ones."""

import numpy as np
import pandas as pd

from phase2.probe.uncertainty.card import UNFAMILIAR
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import escape, listed, number, percent, plural
from phase2.report.measured_words import (
    NOTHING,
    consistently,
    dataset,
    enough,
    finite,
    leader,
    mean_of,
    named,
    percent_of,
    reading,
    setting,
    significant,
)

METHODS = {"deterministic": "without masks", "unscaled": "unscaled", "monte_carlo": "by Monte Carlo"}
CHANCE = 0.5  # the area under the ROC curve of a score that knows nothing


def uncertainty(probe: ProbeInputs, say: Say) -> list[str]:
    """What each method of inference reaches, what the mistake costs, and whether doubt is where it should be."""
    inference = finite(probe.tables["inference"], "accuracy", "ece")
    rate = say("Rate", significant(get(probe.config, "dropout")), "config", "dropout")
    networks = len(inference[["dropout", "seed"]].drop_duplicates())
    samples = setting(probe, say, "samples", "mask")
    measured = (
        f"{say('Networks', plural(networks, 'network'), 'inference', 'dropout rates and seeds')} of the study "
        rf"\texttt{{{escape(get(probe.config, 'study'))}}}, as they were best on validation, classified "
        f"{setting(probe, say, 'images', 'test image')}: without masks, which is right; unscaled, hidden units being "
        "too large by the inverse of the rate at which they are kept, which is the classic mistake; and by Monte "
        f"Carlo, over {samples}. At a dropout rate of {rate} the images were also turned, "
        f"and replaced by those of {dataset(get(probe.config, 'unfamiliar'))}."
    )
    if inference.empty:
        return [measured, NOTHING]
    seeds = inference["seed"].nunique()
    return [measured, *_methods(inference, say), _turned(probe, say), *_unfamiliar(probe, say), reading(seeds)]


def _methods(inference: pd.DataFrame, say: Say) -> list[str]:
    """Accuracy and calibration of the three at the largest rate, and the price of the mistake."""
    largest = inference["dropout"].max()
    at = inference[inference["dropout"] == largest]
    accuracy, ece = (at.pivot(index="seed", columns="method", values=measure) for measure in ("accuracy", "ece"))
    rate = say("Largest Rate", significant(largest), "inference", "largest dropout")
    parts = []
    for method, words in METHODS.items():
        right = say(f"Accuracy {method}", percent_of(accuracy[method]), "inference", f"accuracy, {method}")
        gap = say(f"Calibration {method}", mean_of(ece[method], 3), "inference", f"ece, {method}")
        parts.append(f"{right} and {gap} {words}")
    text = f"At the largest dropout rate, {rate}, test accuracy and expected calibration error are {listed(parts)}"
    return [f"{text}.", _mistake(accuracy, ece, say), *_better(ece, say)]


def _mistake(accuracy: pd.DataFrame, ece: pd.DataFrame, say: Say) -> str:
    """What leaving the scale out does, paired by seed."""
    lost, off = accuracy["deterministic"] - accuracy["unscaled"], ece["unscaled"] - ece["deterministic"]
    price, error = "nothing in accuracy", "as it is"
    if lost.mean() != 0:
        how = "accuracy, deterministic less unscaled, in points"
        price = f"{say('Mistake Points', percent(abs(lost.mean())), 'inference', how)} points of accuracy"
    if off.mean() != 0:
        how = "ece, unscaled less deterministic"
        error = f"by {say('Mistake Calibration', number(abs(off.mean()), 3), 'inference', how)}"
    verb = "gains" if lost.mean() < 0 else "costs"
    change = {1: "raises", -1: "lowers", 0: "leaves"}[int(np.sign(off.mean()))]
    alike = [np.sign(difference) == np.sign(difference.mean()) for difference in (lost, off)]
    held = consistently(int((alike[0] & alike[1]).sum()), len(off), "Mistake", "inference", say)
    return f"Leaving the scale out {verb} {price} and {change} the calibration error {error}{held}."


def _better(ece: pd.DataFrame, say: Say) -> list[str]:
    """Which of the two right ways is better calibrated, if there are seeds enough to say so."""
    right = -ece[["deterministic", "monte_carlo"]]
    if not enough(len(right)):
        return []
    if right["deterministic"].mean() == right["monte_carlo"].mean():
        return ["The two right ways are calibrated alike."]
    first, hits = leader(right)
    held = consistently(hits, len(right), "Better Calibrated", "inference", say)
    return [f"Of the two right ways, inference {METHODS[first]} has the lesser calibration error{held}."]


def _turned(probe: ProbeInputs, say: Say) -> str:
    """Whether the entropy grows with the angle, and what becomes of the accuracy."""
    shift = probe.tables["shift"]
    angles = pd.to_numeric(shift["kind"], errors="coerce").abs().rename("angle")
    turned = finite(shift.assign(angle=angles), "angle", "accuracy", "predictive_entropy")
    steps = turned.groupby("angle")["predictive_entropy"].mean()
    if len(steps) < 2:
        return "Without images turned by several angles, whether doubt grows with the angle cannot be said."
    far = steps.index[-1]
    ends = [turned[turned["angle"] == angle] for angle in (steps.index[0], far)]
    angle = say("Largest Angle", f"{significant(far)} degrees", "shift", "largest angle in size")
    low, high = (
        say(f"Entropy {name}", mean_of(rows["predictive_entropy"], 3), "shift", f"predictive_entropy, {name}")
        for name, rows in zip(("Upright", "Turned"), ends, strict=True)
    )
    right, wrong = (
        say(f"Accuracy {name}", percent_of(rows["accuracy"]), "shift", f"accuracy by Monte Carlo, {name}")
        for name, rows in zip(("Upright", "Turned"), ends, strict=True)
    )
    text = f"Turning the images by up to {angle} takes the accuracy from {right} to {wrong} and the predictive entropy"
    return f"{text} from {low} to {high} nats, {_monotone(steps, say)}."


def _monotone(steps: pd.Series, say: Say) -> str:
    """How the mean entropy goes with the angle."""
    if (steps.diff().dropna() > 0).all():
        return "growing at every step"
    if steps.iloc[-1] <= steps.iloc[0]:
        return "so that doubt does not grow with the angle"
    peak = significant(steps.reset_index()["angle"][int(steps.argmax())])
    at = say("Peak Angle", f"{peak} degrees", "shift", "angle of the largest mean entropy")
    return f"though not at every step: it is largest at {at}"


def _unfamiliar(probe: ProbeInputs, say: Say) -> list[str]:
    """How well each score tells unfamiliar images from test images, and which is best."""
    detection = finite(probe.tables["detection"], "auroc")
    detection = detection[detection["kind"] == UNFAMILIAR]
    if detection.empty:
        return ["No score of unfamiliar images was recorded."]
    table = detection.pivot(index="seed", columns="score", values="auroc")
    areas = {score: say(f"Area {score}", mean_of(table[score], 3), "detection", f"auroc, {score}") for score in table}
    parts = [f"{area} by {named(score)}" for score, area in areas.items()]
    text = (
        f"Images of {dataset(get(probe.config, 'unfamiliar'))} are told from test images with an area under the ROC "
        f"curve of {listed(parts)}"
    )
    if not enough(len(table)):
        return [f"{text}."]
    first, hits = leader(table)
    if table[first].mean() <= CHANCE:
        return [f"{text}: no score does better than chance."]
    held = consistently(hits, len(table), "Best Score", "detection", say)
    return [f"{text}; {named(first)} is the best score{held}."]
