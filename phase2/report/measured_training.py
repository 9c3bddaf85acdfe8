"""What the probes of training and of trained networks say: four implementations, approximation, units."""

from collections.abc import Iterator

import pandas as pd

from phase2.probe.gradient_flow.card import SATURATION
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, escape, listed, percent, percentage, plural
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

ROUNDING = 1e-10  # what double precision may change in a gradient
FALL = 0.5  # "less than half": the error of the widest network over that of the narrowest
JUMPS = "step"  # the target that is not continuous


def four_ways(probe: ProbeInputs, say: Say) -> list[str]:
    """How far the gradients of the implementations are apart, what they reach, and which is quickest."""
    table = finite(probe.tables["results"], "test_accuracy", "seconds", "max_gradient_difference")
    lr = say("lr", significant(get(probe.config, "lr")), "config", "lr")
    measured = (
        f"One perceptron of {setting(probe, say, 'depth', 'hidden layer')} of {setting(probe, say, 'width', 'unit')} "
        f"was trained on {setting(probe, say, 'train', 'image')} of {dataset(get(probe.config, 'dataset'))} for "
        f"{setting(probe, say, 'epochs', 'epoch')} at {setting(probe, say, 'batch_size', 'image')} a step, by gradient "
        f"descent with a learning rate of {lr}, once by each implementation of backpropagation "
        f"({listed([named(name) for name in table['implementation'].unique()])}) from the same weights on the same "
        f"minibatches, with {setting(probe, say, 'seeds', 'seed')}."
    )
    if table.empty:
        return [measured, NOTHING]
    seeds = table["seed"].nunique()
    return [
        measured,
        _gradients(table, say),
        _accuracies(table, seeds, say),
        _quickest(table, seeds, say),
        reading(seeds),
    ]


def _gradients(table: pd.DataFrame, say: Say) -> str:
    gap = table["max_gradient_difference"].max()
    how = "largest max_gradient_difference of all implementations and seeds"
    apart = say("Gradient Difference", significant(gap), "results", how)
    bound = say("Rounding", significant(ROUNDING), "code", f"{__name__}.ROUNDING")
    text = f"At the first step, in double precision, no gradient is further than {apart} from that of NumPy by hand"
    if gap <= ROUNDING:
        return f"{text}: within {bound}, the implementations compute the same."
    return f"{text}: beyond {bound}, this is more than rounding."


def _accuracies(table: pd.DataFrame, seeds: int, say: Say) -> str:
    pivot = table.pivot(index="seed", columns="implementation", values="test_accuracy")
    parts = []
    for name in table["implementation"].unique():
        text = percent_of(pivot[name])
        parts.append(f"{say(f'Accuracy {name}', text, 'results', f'test_accuracy of {name}')} ({named(name)})")
    apart = (pivot.max(axis=1) - pivot.min(axis=1)).max()
    text = f"After training, the test accuracies are {listed(parts)}"
    if apart == 0:
        return f"{text}; at each seed all are equal."
    gap = say("Accuracy Difference", percent(apart), "results", "largest range of test_accuracy at one seed, in points")
    return f"{text}; at one seed they are at most {gap} points apart."


def _quickest(table: pd.DataFrame, seeds: int, say: Say) -> str:
    speed = -table.pivot(index="seed", columns="implementation", values="seconds")
    if len(speed.columns) < 2:
        return "With a single implementation there are no times to compare."
    first, hits = leader(speed)
    last = str(speed.mean().idxmin())
    times = [
        say(f"{end} Seconds", mean_of(-speed[name]), "results", f"seconds of {name}")
        for end, name in (("Least", first), ("Most", last))
    ]
    held = consistently(hits, seeds, "Quickest", "results", say)
    return (
        f"The steps took the least time with {named(first)}, {times[0]} seconds{held}, and the most with "
        f"{named(last)}, {times[1]} seconds."
    )


def approximation(probe: ProbeInputs, say: Say) -> list[str]:
    """By target, how the sup-norm error falls from the narrowest to the widest network, and with depth."""
    table = finite(probe.tables["errors"], "sup_error")
    lr = say("lr", significant(get(probe.config, "lr")), "config", "lr")
    measured = (
        f"Perceptrons with {named(get(probe.config, 'activation'))}, of {setting(probe, say, 'widths', 'width')} and "
        f"{setting(probe, say, 'depths', 'depth')}, learnt {setting(probe, say, 'targets', 'function')} on an interval "
        f"from {setting(probe, say, 'points', 'random point')} for {setting(probe, say, 'epochs', 'epoch')} at "
        f"{setting(probe, say, 'batch_size', 'point')} a step, by Adam with a peak learning rate of {lr}, with "
        f"{setting(probe, say, 'seeds', 'seed')}; the error is the largest on a fine grid, the sup norm."
    )
    if table.empty:
        return [measured, NOTHING]
    seeds = table["seed"].nunique()
    return [measured, *_by_width(table, seeds, say), *_by_depth(table, seeds, say), reading(seeds)]


def _by_width(table: pd.DataFrame, seeds: int, say: Say) -> list[str]:
    """The error of the narrowest and the widest network of the largest depth."""
    deep = table[table["depth"] == table["depth"].max()]
    narrow, wide = deep["width"].min(), deep["width"].max()
    depth = say("Deepest", plural(deep["depth"].max(), "hidden layer"), "errors", "largest depth")
    least = say("Narrowest", count(narrow), "errors", "least width")
    errors = {
        target: rows.pivot(index="seed", columns="width", values="sup_error") for target, rows in _by_target(deep)
    }
    ends = {target: [_error(target, rows[width], say) for width in (narrow, wide)] for target, rows in errors.items()}
    if narrow == wide:
        reached = listed([f"{end[0]} for {named(target)}" for target, end in ends.items()])
        return [f"The error is {reached}; with a single width, what width buys cannot be said."]
    most = say("Widest", plural(wide, "unit"), "errors", "largest width")
    changes = listed([f"from {low} to {high} for {named(target)}" for target, (low, high) in ends.items()])
    text = f"With {depth}, from {least} to {most} a layer, the error goes {changes}."
    fallen = [t for t, rows in errors.items() if _falls(rows, narrow, wide)]
    return [text, _verdict(fallen, list(errors))] if enough(seeds) else [text]


def _by_target(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for target, rows in table.groupby("target", sort=False):
        yield str(target), rows


def _error(target: str, errors: pd.Series, say: Say) -> str:
    width = errors.name
    return say(f"Error {target} Width {width}", mean_of(errors, 3), "errors", f"sup_error of {target}, width {width}")


def _falls(errors: pd.DataFrame, narrow: int, wide: int) -> bool:
    halved = errors[wide].mean() < FALL * errors[narrow].mean()
    return bool(halved and (errors[wide] < errors[narrow]).all())


def _verdict(fallen: list[str], targets: list[str]) -> str:
    """For which targets width helps; that a jump cannot be followed is said only of one that was not."""
    others = [target for target in targets if target not in fallen]
    if not fallen:
        text = "For no target does it fall to less than half"
    else:
        names = listed([named(target) for target in fallen]) if others else "every target"
        text = f"It falls to less than half, and in every seed, for {names}"
        text += f", but not for {listed([named(target) for target in others])}" if others else ""
    if JUMPS in others:
        text += f"; {named(JUMPS)} jumps, and near a jump a continuous function is wrong by at least half of it"
    return f"{text}."


def _by_depth(table: pd.DataFrame, seeds: int, say: Say) -> list[str]:
    """For which targets the deepest of the widest networks are better than the shallowest."""
    wide = table[table["width"] == table["width"].max()]
    shallow, deep = wide["depth"].min(), wide["depth"].max()
    if shallow == deep or not enough(seeds):
        return []
    lower = []
    for target, rows in _by_target(wide):
        errors = rows.pivot(index="seed", columns="depth", values="sup_error")
        if errors[deep].mean() < errors[shallow].mean():
            lower.append(named(target))
    least = say("Shallowest", plural(shallow, "hidden layer"), "errors", "least depth")
    names = listed(lower) or "no target"
    return [f"Of the widest networks, the deepest have a lower mean error than those of {least} for {names}."]


def unit_health(probe: ProbeInputs, say: Say) -> list[str]:
    """Which activation leaves most units dead and most saturated, and in which layers."""
    units = finite(probe.tables["units"], "saturated", "dead")
    limit = say("Saturation", significant(SATURATION), "code", "phase2.probe.gradient_flow.card.SATURATION")
    networks = say("Networks", plural(int((units["layer"] == 1).sum()), "network"), "units", "rows of the first layer")
    measured = (
        rf"The hidden units of {networks} of the study \texttt{{{escape(get(probe.config, 'study'))}}}, as they were "
        f"best on validation, were watched on {setting(probe, say, 'batch', 'test image')}: dead is a unit whose "
        f"output is the same on all; saturated is one, on an image, whose slope is below {limit} in size, as that of "
        "a closed ReLU is."
    )
    if units.empty:
        return [measured, NOTHING]
    seeds = units["seed"].nunique()
    parts = [_most(units, measure, seeds, say) for measure in ("dead", "saturated")]
    return [measured, *parts, *_layers(units, say), reading(seeds)]


def _most(units: pd.DataFrame, measure: str, seeds: int, say: Say) -> str:
    """The activation with the largest fraction, and the one with the least, over all other settings and layers."""
    table = units.pivot_table(index="seed", columns="activation", values=measure, aggfunc="mean", sort=False)
    if table.max().max() == 0:
        return f"No unit is {measure} in any of the networks."
    first, hits = leader(table)
    last = str(table.mean().idxmin())
    most, least = (
        say(f"{end} {measure}", percent_of(table[name]), "units", f"mean of {measure} over layers and settings, {name}")
        for end, name in (("Most", first), ("Least", last))
    )
    if len(table.columns) == 1:
        return f"Of the units under {named(first)}, {most} are {measure}."
    if table.mean().nunique() == 1:
        return f"The fraction of {measure} units, {most}, is the same under every activation."
    held = consistently(hits, seeds, f"Most {measure}", "units", say)
    return (
        f"The largest fraction of {measure} units is that of {named(first)}, {most}{held}, the least that of "
        f"{named(last)}, {least}."
    )


def _layers(units: pd.DataFrame, say: Say) -> list[str]:
    """Whether the first or the last hidden layer has more dead units, all networks together."""
    by_layer = units.groupby("layer")["dead"].mean()
    if len(by_layer) < 2 or by_layer.max() == 0:
        return []
    ends = {"first": by_layer.iloc[0], "last": by_layer.iloc[-1]}
    first, last = (
        say(f"Dead {end}", percentage(value), "units", f"mean of dead, {end} hidden layer")
        for end, value in ends.items()
    )
    if ends["first"] == ends["last"]:
        return [f"In the first and in the last hidden layer {first} are dead."]
    verb = "rises" if ends["last"] > ends["first"] else "falls"
    return [
        f"Over all networks, the fraction of dead units {verb} from {first} in the first hidden layer to {last} in "
        "the last."
    ]
