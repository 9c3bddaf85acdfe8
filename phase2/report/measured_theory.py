"""What the probes that hold a theory against measurement say: mean field, and BatchNorm's noise."""

import numpy as np
import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, listed, percentage, plural
from phase2.report.measured_words import (
    ENDS,
    NOTHING,
    TOO_FEW,
    dataset,
    enough,
    finite,
    mean_of,
    named,
    reading,
    setting,
    significant,
)

NETWORK = ["activation", "weight_std", "bias_std"]
QUANTITIES = {"normalized": "a normalized value", "mean": "the batch's mean", "std": "its standard deviation"}
EDGE = 1e-3  # nearer than this to one, chi takes no side
NEAR = 0.1  # of -1: a slope that is the theory's


def mean_field(probe: ProbeInputs, say: Say) -> list[str]:
    """How well the variance, the gradient's growth and the edge of chaos follow the theory."""
    phase = probe.tables["phase"]
    ranges = []
    for name, symbol in (("weight_stds", r"$\sigma_w$"), ("bias_stds", r"$\sigma_b$")):
        values = get(probe.config, name)
        low, high = (say(f"{end} {name}", significant(f(values)), "config", name) for end, f in ENDS.items())
        ranges.append(f"{symbol} from {low} to {high}" if len(values) > 1 else f"{symbol} of {low}")
    seeds = setting(probe, say, "seeds", "seed")
    total = say("Settings", plural(len(phase), "setting"), "phase", "rows")
    measured = (
        f"Gaussian noise went forward, and a gradient back, through random networks of "
        f"{setting(probe, say, 'depth', 'layer')} of {setting(probe, say, 'width', 'unit')} in {total}: "
        f"{setting(probe, say, 'activations', 'activation')}, with {listed(ranges)}, and {seeds} in each."
    )
    few = [] if enough(len(get(probe.config, "seeds"))) else [TOO_FEW]
    return [measured, *_variance(probe, seeds, say), _growth(phase, say), *_edges(probe, say), *few]


def _variance(probe: ProbeInputs, seeds: str, say: Say) -> list[str]:
    """The relative difference of measured and predicted variance on either side of the edge."""
    table = probe.tables["variance"].groupby([*NETWORK, "layer"], sort=False, as_index=False)[["measured", "predicted"]]
    means = table.mean().merge(probe.tables["phase"][[*NETWORK, "chi"]], on=NETWORK)
    means["off"] = (means["measured"] / means["predicted"].where(means["predicted"] > 0) - 1).abs()
    means = finite(means, "off", "chi")
    return [
        _side(means[means["chi"] < 1], "ordered", "below", seeds, say),
        _side(means[means["chi"] > 1], "chaotic", "above", seeds, say),
    ]


def _side(means: pd.DataFrame, side: str, place: str, seeds: str, say: Say) -> str:
    if means.empty:
        return rf"No layer of a finite variance lies on the {side} side, where $\chi$ is {place} one."
    row = means.iloc[means["off"].argmax()]
    how = f"relative difference of measured and predicted, {side} side"
    half = say(f"{side} Median", percentage(means["off"].median(), 1), "variance", f"median {how}")
    network = {key: row[key] for key in NETWORK}
    worst = say(f"{side} Worst", percentage(row["off"], 1), "variance", f"largest {how}", network)
    layer = say(f"{side} Layer", count(row["layer"]), "variance", "the layer of the largest")
    w, b = (say(f"{side} {std}", significant(row[std]), "variance", f"{std} of the largest") for std in NETWORK[1:])
    return (
        rf"On the {side} side, where $\chi$ is {place} one, a layer's variance, averaged over {seeds}, is off its "
        rf"prediction by {half} of it in the median, and by {worst} at most, in layer {layer} with "
        rf"{named(row['activation'])}, a $\sigma_w$ of {w} and a $\sigma_b$ of {b}."
    )


def _growth(phase: pd.DataFrame, say: Say) -> str:
    """In how many settings the gradient grows on its way back exactly where chi is above one."""
    judged = finite(phase, "chi", "measured_gradient_ratio")
    judged = judged[(judged["chi"] - 1).abs() > EDGE]
    if judged.empty:
        return "In no setting can the gradient's growth be judged."
    agree = (judged["chi"] > 1) == (judged["measured_gradient_ratio"] > 0)
    part = f"{count(agree.sum())} of {count(len(judged))}"
    share = say("Agree", part, "phase", "settings in which the sign of measured_gradient_ratio is that of chi - 1")
    text = rf"Whether the gradient grows or shrinks on its way back is as $\chi$ against one says in {share} settings"
    if not agree.all():
        off = judged["chi"][~agree]
        low, high = (say(f"{end} Chi", significant(f(off), 4), "phase", "chi of the others") for end, f in ENDS.items())
        text += (
            rf"; in the others $\chi$ is between {low} and {high}"
            if len(off) > 1
            else rf"; in the other $\chi$ is {low}"
        )
    left = len(phase) - len(judged)
    if left:
        rest = say("Unjudged", plural(left, "more setting"), "phase", "gradient over- or underflowed, or chi is 1")
        text += rf" ({rest} cannot be judged: the gradient is lost, or $\chi$ is one)"
    return f"{text}."


def _edges(probe: ProbeInputs, say: Say) -> list[str]:
    """Where the edge of chaos lies for the smallest bias."""
    least, boundary = min(get(probe.config, "bias_stds")), probe.tables["boundary"]
    at = boundary[np.isclose(boundary["bias_std"], least)].set_index("activation")["weight_std"]
    bias = say("Edge Bias Std", significant(least), "config", "least of bias_stds")
    texts, without = [], []
    for activation in get(probe.config, "activations"):
        if activation in at.index:
            how = f"weight_std on the edge at the least bias_std, {activation}"
            texts.append(
                f"{say(f'Edge {activation}', significant(at[activation]), 'boundary', how)} for {named(activation)}"
            )
        else:
            without.append(named(activation))
    place = rf"At a $\sigma_b$ of {bias}"
    if not texts:
        return [f"{place} no edge of chaos is found."]
    none = f", and there is none for {listed(without)}" if without else ""
    return [rf"{place} the edge of chaos is at a $\sigma_w$ of {listed(texts)}{none}."]


def batch_noise(probe: ProbeInputs, say: Say) -> list[str]:
    """How the noise falls with the batch size, and how near the delta method's prediction is."""
    sizes = get(probe.config, "batch_sizes")
    low, high = (say(f"{end} Batch Size", count(f(sizes)), "config", "batch_sizes") for end, f in ENDS.items())
    measured = (
        f"The training images of {dataset(get(probe.config, 'dataset'))} went through one Kaiming layer of "
        f"{setting(probe, say, 'width', 'unit')}, and BatchNorm through random batches of them: "
        f"{setting(probe, say, 'batch_sizes', 'batch size')} from {low} to {high}, "
        f"{setting(probe, say, 'draws', 'draw')} of each, with {setting(probe, say, 'seeds', 'seed')}."
    )
    noise = finite(probe.tables["noise"], "measured", "predicted", "gaussian")
    noise = noise[noise["measured"] > 0]
    if noise.empty:
        return [measured, NOTHING]
    seeds = noise["seed"].nunique()
    return [measured, _slopes(noise, say), *_off(noise, say), reading(seeds)]


def _slopes(noise: pd.DataFrame, say: Say) -> str:
    """The exponents of the variances as powers of the batch size, against -1."""
    if noise["batch_size"].nunique() < 2:
        return "With a single batch size, how the noise falls with it cannot be said."
    slopes = (
        noise.groupby(["quantity", "seed"], sort=False)[["batch_size", "measured"]].apply(_slope).unstack("quantity")
    )
    parts, means = [], slopes.mean()
    for quantity, words in QUANTITIES.items():
        text = mean_of(slopes[quantity])
        exponent = say(f"Slope {quantity}", text, "noise", f"slope of log measured on log batch_size, {quantity}")
        parts.append(f"{exponent} for {words}")
    text = f"The variance over batches goes with the batch size to the power of {listed(parts)}"
    inverse = say("Inverse", "$-1$", "code", "the theory's exponent")
    if not enough(len(slopes)):
        return f"{text}; the theory says {inverse}."
    near = (means + 1).abs() < NEAR
    if near.all():
        return f"{text}, close to the theory's {inverse}."
    far = [words for quantity, words in QUANTITIES.items() if not near[quantity]]
    return f"{text}; that of {listed(far)} is not near the theory's {inverse}."


def _slope(rows: pd.DataFrame) -> float:
    return float(np.polyfit(np.log(rows["batch_size"]), np.log(rows["measured"]), 1)[0])


def _off(noise: pd.DataFrame, say: Say) -> list[str]:
    """How far the prediction is off, and whether the data's own moments make it better than Gaussian ones."""
    means = noise.groupby(["quantity", "batch_size"], sort=False)[["measured", "predicted", "gaussian"]].mean()
    own, gaussian = ((means[name] / means["measured"] - 1).abs() for name in ("predicted", "gaussian"))
    row = means.reset_index().iloc[own.argmax()]
    worst = say("Worst", percentage(own.max(), 1), "noise", "largest relative difference of predicted, mean over seeds")
    at = say("Worst Batch Size", count(row["batch_size"]), "noise", "its batch_size")
    bare = say("Gaussian Worst", percentage(gaussian.max(), 1), "noise", "largest relative difference of gaussian")
    better = "less" if own.max() < gaussian.max() else "no less"
    where = f"{QUANTITIES[row['quantity']]} at a batch size of {at}"
    return [
        f"The delta method with the data's own skewness and kurtosis is off by {worst} at most, for {where}, which is "
        f"{better} than the {bare} of the Gaussian formula."
    ]
