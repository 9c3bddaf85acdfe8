"""What the probe of the loss landscape says: how sharp the loss is around solutions, and what lies between two."""

import numpy as np
import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import escape, listed, percent, plural
from phase2.report.measured_words import (
    NOTHING,
    consistently,
    finite,
    leader,
    mean_of,
    named,
    reading,
    setting,
    significant,
)
from phase2.study.factors import factors_of
from phase2.words.levels import SEPARATOR, crossed

RISEN = 1.5  # times the loss of the solution: "by half"
CONNECTED = 0.02  # error rate: a barrier below it is none. Frankle et al. 2020, section 2
HOW = "mean over seeds of the distance at which the loss has risen by half"


def landscape(probe: ProbeInputs, say: Say) -> list[str]:
    """Where the loss rises soonest, what each factor does to that, and whether solutions are linearly connected."""
    lines = probe.tables["lines"]
    factors = factors_of(lines, before="seed")
    networks = len(lines[[*factors, "seed"]].drop_duplicates())
    far = say("Radius", significant(get(probe.config, "radius")), "config", "radius")
    measured = (
        f"{say('Networks', plural(networks, 'network'), 'lines', 'combinations and seeds')} of the study "
        rf"\texttt{{{escape(get(probe.config, 'study'))}}}, as they were best on validation, each at the learning rate "
        "with the least loss, were moved along a random filter-normalized direction~\\cite{li2018}, up to "
        f"{far} times the norms of their filters, in a plane of two such directions, and towards the solution of "
        f"the next seed, without matching units. Losses are of {setting(probe, say, 'images', 'training image')}. "
        "Where a network has BatchNorm, its statistics were recomputed from the same images at every point."
    )
    reach = _reach(finite(lines, "distance"), factors)
    if reach.empty:
        return [measured, NOTHING]
    seeds = lines["seed"].nunique()
    sharpness = [_extremes(reach, factors, say), *_by_factor(reach, factors, say)]
    return [measured, *sharpness, *_ways(probe.tables["interpolation"], factors, say), reading(seeds)]


def _reach(lines: pd.DataFrame, factors: list[str]) -> pd.DataFrame:
    """A row for each network: how far it goes, in the mean of both senses, until its loss has risen by half.

    A loss that does not rise so far counts with the end of its line, and the row is not `risen`.
    """
    rows = []
    for keys, line in lines.groupby([*factors, "seed"], sort=False):
        line = line.sort_values("distance")
        distance, loss = line["distance"].to_numpy(float), line["loss"].fillna(np.inf).to_numpy(float)
        at = int(np.abs(distance).argmin())
        if 0 < loss[at] < np.inf:
            sides = [_crossing(distance[at:], loss[at:]), _crossing(-distance[at::-1], loss[at::-1])]
            rows.append((*keys, np.mean([far for far, _ in sides]), all(risen for _, risen in sides)))
    return pd.DataFrame(rows, columns=[*factors, "seed", "reach", "risen"])


def _crossing(distance: np.ndarray, loss: np.ndarray) -> tuple[float, bool]:
    """Where the loss first is `RISEN` times what it was at the first distance, and whether it is before the last."""
    level = RISEN * loss[0]
    above = np.flatnonzero(loss >= level)
    if not len(above):
        return float(distance[-1]), False
    pair = slice(above[0] - 1, above[0] + 1)
    share = (level - loss[pair][0]) / np.diff(loss[pair])[0]  # 0 of an infinite rise: the last finite point
    return float(distance[pair][0] + share * np.diff(distance[pair])[0]), True


def _extremes(reach: pd.DataFrame, factors: list[str], say: Say) -> str:
    """The combinations whose loss rises soonest and latest."""
    table = reach.assign(name=_named(reach, factors)).pivot(index="seed", columns="name", values="reach").dropna()
    ends = "" if reach["risen"].all() else " A line along which it does not rise so far counts with its end."
    if table.shape[1] < 2 or table.empty:
        distance = say("Reach", mean_of(reach["reach"]), "lines", HOW)
        return f"Along the random lines the loss has risen by half at a distance of {distance}.{ends}"
    parts = []
    for name, sign in (("Sharpest", -1), ("Flattest", 1)):
        first, hits = leader(sign * table)
        distance = say(f"{name} Reach", mean_of(table[first]), "lines", f"{HOW}, {first}")
        combination = say(name, escape(first), "lines", f"combination of the {name.lower()} lines")
        held = consistently(hits, len(table), name, "lines", say)
        parts.append(f"{combination} at a distance of {distance}{held}")
    return (
        f"Along the random lines the loss has risen by half soonest with {parts[0]}, and latest with {parts[1]}.{ends}"
    )


def _by_factor(reach: pd.DataFrame, factors: list[str], say: Say) -> list[str]:
    """What each factor does to that distance, the others averaged out, and which does most."""
    texts, ratios = [], {}
    for factor in factors:
        table = reach.pivot_table(index="seed", columns=factor, values="reach", sort=False)
        if table.shape[1] < 2:
            continue
        parts = []
        for level in table:
            distance = say(f"Reach {factor} {level}", mean_of(table[level]), "lines", f"{HOW}, {factor}={level}")
            parts.append(f"{distance} with {say(f'{factor} {level}', named(level), 'lines', factor)}")
        texts.append(f"By {named(factor)} that distance is {listed(parts)}.")
        ratios[factor] = table.mean().max() / table.mean().min()
    if len(ratios) > 1:
        how = "largest mean distance over the least, by level"
        parts = [
            f"{say(f'Ratio {factor}', significant(ratio, 2), 'lines', f'{how}, {factor}')} for {named(factor)}"
            for factor, ratio in sorted(ratios.items(), key=lambda item: -item[1])
        ]
        texts.append(f"From the least to the largest, that is a factor of {listed(parts)}.")
    return texts


def _ways(interpolation: pd.DataFrame, factors: list[str], say: Say) -> list[str]:
    """The barriers between solutions of consecutive seeds, and whether they are linearly connected."""
    ways = finite(interpolation, "position", "loss", "accuracy")
    keys = [*factors, "seed_a", "seed_b"]
    found = [(*key, *_barrier(way)) for key, way in ways.groupby(keys, sort=False)]
    if not found:
        return ["There is no pair of solutions to go between."]
    barriers = pd.DataFrame(found, columns=[*keys, "loss", "error"]).sort_values("loss", kind="stable")
    ends = {"Least": barriers.head(1), "Most": barriers.tail(1)}
    low, high = (_far(pair, f"{end} Barrier", factors, say) for end, pair in ends.items())
    error = say("Error Barrier", percent(barriers["error"].mean(), 1), "interpolation", "largest excess error, mean")
    pairs = say("Pairs", plural(len(barriers), "pair"), "interpolation", "pairs of consecutive seeds")
    peak = f"between {low} and {high}" if len(found) > 1 else high
    text = (
        f"On the straight way between two solutions the loss peaks at {peak} what the straight line between its ends "
        rf"says~\cite{{entezari2022}}, and the error rate {error} points above it in the mean over {pairs}"
    )
    bound = say("Connected Points", percent(CONNECTED, 0), "code", "points of error that a connection may rise by")
    joined = int((barriers["error"] < CONNECTED).sum())
    rule = rf"by less than {bound} points~\cite{{frankle2020}}"
    if joined == len(barriers):
        return [f"{text}.", f"All pairs are linearly connected: their error rises {rule}."]
    if not joined:
        return [f"{text}.", f"No pair is linearly connected: in none does the error rise {rule}."]
    share = say("Connected", f"{joined} of {pairs}", "interpolation", "pairs whose error rises by less than the bound")
    return [f"{text}.", f"Linearly connected, so that the error rises {rule}, are {share}."]


def _far(pair: pd.DataFrame, name: str, factors: list[str], say: Say) -> str:
    """The ratio of a pair's loss, and whose pair it is; `pair` is one row."""
    ratio = significant(pair["loss"].item(), 2)
    times = f"{say(name, ratio, 'interpolation', 'largest ratio of the loss to the line between its ends')} times"
    if not factors:
        return times
    combination = say(f"{name} Of", escape(_named(pair, factors).item()), "interpolation", "combination of that pair")
    return f"{times} ({combination})"


def _named(table: pd.DataFrame, factors: list[str]) -> pd.Series:
    """Each row's combination as the reader sees it."""
    return crossed(table, factors).astype(str).str.replace(SEPARATOR, ", ")


def _barrier(way: pd.DataFrame) -> tuple[float, float]:
    """The largest ratio of the loss, and excess of the error rate, over the straight line between the ends."""
    way = way.sort_values("position").set_index("position")
    ends = way.iloc[[0, -1]]
    line = {name: np.interp(way.index, ends.index, ends[name]) for name in ("loss", "accuracy")}
    return (way["loss"] / line["loss"]).max(), (line["accuracy"] - way["accuracy"]).max()
