"""What the probes that follow optimizers say: their paths from one start, and the learning-rate range test."""

import numpy as np
import pandas as pd

from phase2.probe.range_test.card import BREAKOUT, STOP
from phase2.probe.trajectories.card import DECAY, NETWORK
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, listed, percentage, plural
from phase2.report.measured_words import ENDS, NOTHING, TOO_FEW, dataset, enough, finite, named, setting, significant

ROUNDING = 1e-12  # distances from the minimum below it are not fitted
NEAR = 0.1  # of the theory's: a speed that is the theory's


def trajectories(probe: ProbeInputs, say: Say) -> list[str]:
    """What ended lowest and where in its list of rates, what the plane shows, and how the quadratic's theory fares."""
    tuning = probe.tables["tuning"]
    rates = get(probe.config, "rates")
    low, high = (say(f"{end} Rate", significant(f(rates)), "config", "rates") for end, f in ENDS.items())
    tried = tuning[tuning["problem"] != NETWORK].groupby(["problem", "optimizer"]).size().max()
    each = say("Function Rates", plural(tried, "rate"), "tuning", "rates of an optimizer on a function")
    measured = (
        f"One perceptron of {_network(probe, say)} was trained from one initialization for "
        f"{setting(probe, say, 'epochs', 'epoch')} at {setting(probe, say, 'batch_size', 'image')} a step by each of "
        f"{setting(probe, say, 'optimizers', 'optimizer')}, at each of {setting(probe, say, 'rates', 'rate')} from "
        f"{low} to {high}{_decay(probe, say)}. On each test function each optimizer took "
        f"{setting(probe, say, 'steps', 'step')} at each of {each}. It is shown at the rate that ended lowest, so that "
        "all had the same budget of tuning."
    )
    return [measured, *_lowest(tuning, say), _edges(tuning, say), _plane(probe, say), *_speeds(probe, say)]


def _network(probe: ProbeInputs, say: Say) -> str:
    return (
        f"{setting(probe, say, 'depth', 'hidden layer')} of {setting(probe, say, 'width', 'unit')} on "
        f"{setting(probe, say, 'train', 'image')} of {dataset(get(probe.config, 'dataset'))}"
    )


def _decay(probe: ProbeInputs, say: Say) -> str:
    if "adamw" not in get(probe.config, "optimizers"):
        return ""
    decay = say("Decay", significant(DECAY["adamw"]), "code", "phase2.probe.trajectories.card.DECAY")
    return f", AdamW with a weight decay of {decay}"


def _lowest(tuning: pd.DataFrame, say: Say) -> list[str]:
    """The best optimizer on each problem, with its rate; on the network all others too."""
    texts = []
    for problem, rows in tuning[tuning["best"]].groupby("problem", sort=False):
        ends = []
        rows = rows.sort_values("final_loss")
        for optimizer, final, lr in zip(rows["optimizer"], rows["final_loss"], rows["lr"], strict=True):
            place = f"{problem} {optimizer}"
            loss = say(f"Final {place}", significant(final), "tuning", f"least final_loss, {place}")
            rate = say(f"Rate {place}", significant(lr), "tuning", f"lr of it, {place}")
            ends.append(f"{named(optimizer)} ({loss} at a rate of {rate})")
        if problem == NETWORK:
            rest = f", followed by {listed(ends[1:])}" if ends[1:] else ""
            texts.append(
                f"The least training loss is that of {ends[0]}{rest}; with one initialization and one order of the "
                "images, close ones may change places."
            )
        else:
            texts.append(f"{ends[0]} on {_function(problem)}")
    first, *others = texts
    return [first, *([f"Of the test functions, the least value is that of {listed(others)}."] if others else [])]


def _function(problem: object) -> str:
    return f"the {problem}" if problem == "quadratic" else f"{named(problem)}'s function"


def _edges(tuning: pd.DataFrame, say: Say) -> str:
    """Whose best rate is the first or the last of its list, which then was too short."""
    short = []
    for problem, rows in tuning.groupby("problem", sort=False):
        ends = rows["lr"].min(), rows["lr"].max()
        at_end = rows[rows["best"] & rows["lr"].isin(ends)]["optimizer"]
        if len(at_end):
            where = "the network" if problem == NETWORK else _function(problem)
            short.append(f"{listed([named(name) for name in at_end])} on {where}")
    lost = tuning["diverged"].sum()
    gone = f"{count(lost)} of {count(len(tuning))}"
    tail = f" ({say('Diverged', gone, 'tuning', 'rows with diverged')} trainings and descents diverged)" if lost else ""
    if not short:
        return f"No best rate is at an end of its list{tail}."
    return f"The best rate is at an end of the list for {listed(short)}: there the list was too short{tail}."


def _plane(probe: ProbeInputs, say: Say) -> str:
    """How much of the paths lies in the plane that is drawn."""
    shares = probe.tables["surface"][["share_x", "share_y"]].iloc[0]
    names = ("First Share", "share_x"), ("Second Share", "share_y")
    parts = [say(name, percentage(shares[column], 1), "surface", column) for name, column in names]
    both = say("Share", percentage(shares.sum(), 1), "surface", "share_x + share_y")
    enough_shown = shares.sum() >= 0.5
    verdict = "so the map shows most of the way" if enough_shown else "so most of the way is out of the map's sight"
    return (
        f"The plane of the first two principal components holds {both} of the paths' squared distances from their "
        f"start ({listed(parts)}), {verdict}."
    )


def _speeds(probe: ProbeInputs, say: Say) -> list[str]:
    """The factor by which a step shrinks the distance from the quadratic's minimum, against the theory's."""
    table = probe.tables["quadratic"]
    condition = say("Condition", significant(get(probe.config, "condition")), "config", "condition")
    parts, far = [], []
    for method, rows in table.groupby("method", sort=False):
        theory, measured = float(rows["rate"].iloc[0]), _factor(rows)
        how = f"exp of the slope of log distance by step in the second half, {method}"
        factor = say(f"Factor {method}", significant(measured, 4), "quadratic", how)
        rate = say(f"Theory {method}", significant(theory, 4), "quadratic", f"rate, {method}")
        parts.append(f"{factor} with {named(method)} (theory: {rate})")
        if not abs(np.log(measured) / np.log(theory) - 1) < NEAR:
            far.append(named(method))
    near = say("Near", percentage(NEAR, 0), "code", f"{__name__}.NEAR")
    text = (
        f"On the quadratic, of condition number {condition}, with the rate and the momentum that theory holds for the "
        f"best, a step at last multiplies the distance from the minimum by {listed(parts)}"
    )
    if far:
        return [f"{text}; {listed(far)} is not within {near} of the theory's speed."]
    return [f"{text}: all within {near} of the theory's speed."]


def _factor(path: pd.DataFrame) -> float:
    """The mean factor a step in the second half of a path, of what is above rounding; NaN if too little is."""
    path = path[path["distance"] > ROUNDING]
    half = path[path["step"] >= path["step"].max() / 2]
    return float(np.exp(np.polyfit(half["step"], np.log(half["distance"]), 1)[0])) if len(half) > 1 else np.nan


def range_test(probe: ProbeInputs, say: Say) -> list[str]:
    """The rates that the test suggests for each optimizer, with the seeds' range."""
    low, high = (say(end, significant(get(probe.config, end)), "config", end) for end in ("low", "high"))
    stop = say("Stop", count(STOP), "code", "phase2.probe.range_test.card.STOP")
    measured = (
        f"Perceptrons of {_network(probe, say)} were trained by each of "
        f"{setting(probe, say, 'optimizers', 'optimizer')} from the same initializations on the same minibatches of "
        f"{setting(probe, say, 'batch_size', 'image')}, with {setting(probe, say, 'seeds', 'seed')}, while the rate "
        f"grew by the same factor at each of {setting(probe, say, 'steps', 'step')} from {low} to {high}; a test ends "
        f"early where the smoothed loss is {stop} times its least."
    )
    table = probe.tables["suggestions"]
    steep, out = (finite(table, name) for name in ("steepest", "breakout"))
    if steep.empty and out.empty:
        return [measured, NOTHING]
    few = [] if enough(table["seed"].nunique()) else [TOO_FEW]
    return [measured, *_steepest(steep, say), _breakouts(table, out, say), *few]


def _spread(rows: pd.DataFrame, column: str, say: Say) -> list[str]:
    """For each optimizer the geometric mean over its seeds, and their range."""
    parts = []
    for optimizer, rates in rows.groupby("optimizer", sort=False)[column]:
        mean = float(np.exp(np.log(rates).mean()))
        text = say(f"{column} {optimizer}", significant(mean, 2), "suggestions", f"geometric mean, {optimizer}")
        if rates.nunique() > 1:
            ends = (
                say(f"{end} {column} {optimizer}", significant(f(rates), 2), "suggestions", f"{column}, {optimizer}")
                for end, f in ENDS.items()
            )
            text += " ({} to {})".format(*ends)
        parts.append(f"{text} with {named(optimizer)}")
    return parts


def _steepest(steep: pd.DataFrame, say: Say) -> list[str]:
    """Where the loss falls fastest, and whether optimizers differ by more than seeds do."""
    if steep.empty:
        return ["The loss falls too soon for a rate of its steepest fall."]
    text = f"The loss falls fastest at a rate of {listed(_spread(steep, 'steepest', say))}"
    ranges = steep.groupby("optimizer")["steepest"].agg(lambda rates: rates.max() / rates.min())
    means = steep.groupby("optimizer")["steepest"].agg(lambda rates: np.log(rates).mean())
    if len(means) < 2 or not enough(steep["seed"].nunique()):
        return [f"{text}: geometric means over the seeds, with their range."]
    apart, within = float(np.exp(np.ptp(means))), float(ranges.max())
    between = say("Apart", significant(apart, 2), "suggestions", "largest over least geometric mean of steepest")
    seeds = say("Within", significant(within, 2), "suggestions", "largest over least steepest of an optimizer's seeds")
    verdict = "more than" if apart > within else "no more than"
    return [
        f"{text}: geometric means over the seeds, with their range. Optimizers differ by a factor of up to {between}, "
        f"{verdict} the seeds of one, which differ by up to {seeds}."
    ]


def _breakouts(table: pd.DataFrame, out: pd.DataFrame, say: Say) -> str:
    """Where the loss breaks out, and with which optimizers it does not in some seed."""
    part = say("Breakout", percentage(BREAKOUT, 0), "code", "phase2.probe.range_test.card.BREAKOUT")
    never = [name for name in table["optimizer"].unique() if table[table["optimizer"] == name]["breakout"].isna().any()]
    held = f"with {listed([named(name) for name in never])} it never does in some seed, up to the last rate"
    if out.empty:
        return f"The loss never rises {part} above its least, up to the last rate."
    text = f"The loss is {part} above its least at a rate of {listed(_spread(out, 'breakout', say))}"
    return f"{text}; {held}." if never else f"{text}."
