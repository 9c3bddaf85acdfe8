"""What the probe of the receptive field says: random stacks against theory, and what trained networks look at."""

import numpy as np
import pandas as pd

from phase2.probe.receptive_field.card import WITHIN
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, escape, listed, percentage, plural
from phase2.report.measured_words import (
    ENDS,
    NOTHING,
    enough,
    finite,
    mean_of,
    percent_of,
    reading,
    setting,
    significant,
)
from phase2.study.factors import factors_of
from phase2.words.levels import SEPARATOR, crossed

STACKS = {
    "linear": "the linear stacks",
    "relu": "those with ReLU",
    "stride": "those with strides",
    "dilation": "those with dilation",
    "residual": "those with residual paths",
}
PLAIN = "linear"
POWER = 1 / 2  # of the depth, in theory
NEAR = 0.05  # to it, to be the theory's


def receptive_field(probe: ProbeInputs, say: Say) -> list[str]:
    """How far stacks follow the theory, how Gaussian they are, and what training does to the networks of a study."""
    measured = _measured(probe, say)
    growth = finite(probe.tables["growth"], "sigma", "predicted")
    fields = finite(probe.tables["fields"], "sigma", "share")
    if growth.empty or fields.empty:
        return [measured, NOTHING]
    stacks = [_off(growth, say), _slopes(growth, say), *_effects(growth, say), *_linear(growth, say)]
    return [measured, *stacks, *_networks(fields, probe.tables["maps"], say), reading(fields["seed"].nunique())]


def _measured(probe: ProbeInputs, say: Say) -> str:
    """What was measured, and of what."""
    depths = get(probe.config, "depths")
    low, high = (say(f"{end} Depth", count(f(depths)), "config", "depths") for end, f in ENDS.items())
    return (
        f"Random stacks of {f'{low} to {high}' if len(depths) > 1 else low} three-by-three convolutions of "
        f"{setting(probe, say, 'width', 'channel')} without padding, with {setting(probe, say, 'seeds', 'seed')}, each "
        "of which gives all stacks of a depth the same weights: linear ones; with ReLU; with two strides of "
        "two, a third of the layers apart; with a dilation of two; with residual paths. And the networks of the study "
        rf"\texttt{{{escape(get(probe.config, 'study'))}}} before training, with BatchNorm's statistics of the images "
        "that follow, and as they were best on validation. Of each, the squared gradient of the central unit of the "
        "last map before flattening or pooling by the pixels was averaged over "
        rf"{setting(probe, say, 'images', 'image')}, random or of the test set~\cite{{luo2016}}; $\sigma$ is its "
        "standard deviation along an axis."
    )


def _off(growth: pd.DataFrame, say: Say) -> str:
    """The relative difference of measured and predicted, over all stacks."""
    means = growth.groupby(["variant", "depth"], sort=False, as_index=False)[["sigma", "predicted"]].mean()
    off = (means["sigma"] / means["predicted"] - 1).abs()
    worst = means.iloc[off.argmax()]
    how = "relative difference of sigma, mean over seeds, and predicted"
    half = say("Median Off", percentage(off.median(), 1), "growth", f"median {how}")
    most = say("Most Off", percentage(off.max(), 1), "growth", f"largest {how}")
    total = say("Stacks", plural(len(means), "stack"), "growth", "variants and depths")
    depth = say("Most Off Depth", count(worst["depth"]), "growth", "depth of the largest")
    return (
        rf"Averaged over seeds, the $\sigma$ of {total} is off its prediction by {half} of it in the median and by "
        f"{most} at most, for {STACKS[worst['variant']]} at a depth of {depth}."
    )


def _slopes(growth: pd.DataFrame, say: Say) -> str:
    """The power of the depth with which sigma grows, where theory has one."""
    if growth["depth"].nunique() < 2:
        return "With a single depth, how the field grows with it cannot be said."
    slopes = {}
    for variant in growth["variant"].unique():
        rows = growth[growth["variant"] == variant]
        if np.isclose(_slope(rows, "predicted"), POWER):
            by_seed = rows.groupby("seed")[["depth", "sigma"]]
            slopes[variant] = by_seed.apply(_slope, "sigma")
    how = "slope of log sigma on log depth"
    parts = [
        f"{say(f'Slope {variant}', mean_of(slope), 'growth', f'{how}, {variant}')} for {STACKS[variant]}"
        for variant, slope in slopes.items()
    ]
    theory = say("Power", f"${POWER:g}$", "code", "the theory's exponent")
    far = [STACKS[variant] for variant, slope in slopes.items() if abs(slope.mean() - POWER) > NEAR]
    text = rf"With the depth $\sigma$ grows to the power of {listed(parts)}"
    if not far:
        return f"{text}, close to the theory's {theory}."
    return f"{text}; that of {listed(far)} is not near the theory's {theory}."


def _slope(rows: pd.DataFrame, column: str) -> float:
    return float(np.polyfit(np.log(rows["depth"]), np.log(rows[column]), 1)[0])


def _effects(growth: pd.DataFrame, say: Say) -> list[str]:
    """What stride, dilation and residual paths do to sigma at the largest depth."""
    deepest = growth[growth["depth"] == growth["depth"].max()]
    tables = {name: deepest.pivot(index="seed", columns="variant", values=name) for name in ("sigma", "predicted")}
    parts = []
    for variant in ("stride", "dilation", "residual"):
        if not {variant, PLAIN} <= set(tables["sigma"]):
            continue
        found, theory = (table[variant] / table[PLAIN] for table in tables.values())
        how = f"over that of the linear stack, at the largest depth, {variant}"
        times = say(f"Effect {variant}", mean_of(found), "growth", f"sigma {how}")
        expected = say(f"Expected Effect {variant}", significant(theory.mean()), "growth", f"predicted {how}")
        parts.append(f"{times} (theory: {expected}) for {STACKS[variant]}")
    if not parts:
        return []
    depth = say("Deepest", count(deepest["depth"].max()), "growth", "largest depth")
    return [rf"At a depth of {depth} it is, as a multiple of the linear stacks' $\sigma$, {listed(parts)}."]


def _linear(growth: pd.DataFrame, say: Say) -> list[str]:
    """The part of the theoretical field, and how near a Gaussian: linear stacks at the least and the largest depth."""
    plain = growth[growth["variant"] == PLAIN].assign(part=growth["sigma"] / growth["field"])
    means = plain.groupby("depth")[["part", "misfit"]].mean()
    if len(means) < 2:
        return []
    words = {}
    for name, how in (("part", "sigma over field"), ("misfit", "misfit")):
        words[name] = [
            say(f"{end} {name}", percentage(value, 1), "growth", f"{how}, linear, mean over seeds")
            for end, value in zip(("Shallow", "Deep"), means[name].iloc[[0, -1]], strict=True)
        ]
    falls, nearer = (means[name].iloc[-1] < means[name].iloc[0] for name in ("part", "misfit"))
    part, misfit = (f"{first} to {last}" for first, last in words.values())
    return [
        rf"From the least depth to the largest, the linear stacks' $\sigma$ "
        f"{'falls' if falls else 'does not fall'} as a part of the theoretical field, from {part}, and "
        f"{'less' if nearer else 'no less'} of the squared gradient lies elsewhere than in a Gaussian of the same "
        f"variance, from {misfit}."
    ]


def _networks(fields: pd.DataFrame, maps: pd.DataFrame, say: Say) -> list[str]:
    """Each combination's fields before and after training, and what training does to them."""
    factors = factors_of(fields, before="when")
    fields = fields.assign(network=[_named(*levels.split(SEPARATOR)) for levels in crossed(fields, factors)])
    parts, changes = [], {}
    for network, rows in fields.groupby("network", sort=False):
        seeds = rows.pivot(index="seed", columns="when", values=["sigma", "share"]).dropna()
        who = say(f"Network {network}", escape(network), "fields", "a combination of the axes")
        parts.append(f"for {who}, {_network(str(network), rows['field'].iloc[0], seeds, say)}")
        changes[who] = seeds["sigma", "trained"] - seeds["sigma", "start"]
    held = say("Held", percentage(WITHIN, 0), "code", "1 - exp(-2): of a Gaussian in the plane within two sigma")
    side = maps["row"].max() + 1
    cut = " A field that is larger than the image is cut by its border, and what a unit uses of it too."
    return [
        "In training, $\\sigma$ and the least part of the theoretical field inside the image that holds "
        f"{held} of the squared gradient go, {'; '.join(parts)}.{cut if (fields['field'] > side).any() else ''}",
        *_verdict(changes),
    ]


def _named(first: str, *others: str) -> str:
    """A combination's levels in words."""
    return f"{first} ({', '.join(others)})" if others else first or "the networks"


def _network(name: str, field: int, seeds: pd.DataFrame, say: Say) -> str:
    """The numbers of one combination; `seeds` has its sigma and share of each seed, before and after."""
    size = say(f"Field {name}", plural(field, "pixel"), "fields", f"theoretical field, {name}")
    ways = []
    for what, words in (("sigma", mean_of), ("share", percent_of)):
        before, after = (
            say(f"{when} {what} {name}", words(seeds[what, when]), "fields", f"{what}, {when}, {name}")
            for when in ("start", "trained")
        )
        ways.append(f"from {before} to {after}")
    return f"with a field of {size}, {ways[0]} pixels and {ways[1]}"


def _verdict(changes: dict[str, pd.Series]) -> list[str]:
    """Of which combinations training changes the effective field's size alike in every seed; `changes` of sigma."""
    if not all(enough(len(change)) for change in changes.values()):
        return []
    wider = [name for name, change in changes.items() if (change > 0).all()]
    narrower = [name for name, change in changes.items() if (change < 0).all()]
    mixed = [name for name in changes if name not in (*wider, *narrower)]
    told = {"widens": wider, "narrows": narrower}
    parts = [f"{verb} what a unit of {listed(names)} uses" for verb, names in told.items() if names]
    if not parts:
        return ["Whether training widens or narrows what a unit uses depends on the seed."]
    text = f"In every seed, training {listed(parts)}"
    return [f"{text}; of {listed(mixed)} that depends on the seed." if mixed else f"{text}."]
