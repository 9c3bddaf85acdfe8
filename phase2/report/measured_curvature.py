"""What the probes of the Hessian say: descent at the edge of stability, and what the batch size selects."""

import numpy as np
import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, escape, listed, percentage, plural
from phase2.report.measured_words import (
    ENDS,
    NOTHING,
    dataset,
    enough,
    finite,
    mean_of,
    named,
    percent_of,
    reading,
    setting,
    significant,
)

REACHED = 0.95  # of 2 / rate: a sharpness that settles above it is at the edge of stability
LAST = 0.75  # of the steps: what comes after is where a descent has settled
MORE = 1.1  # ratio from which a difference is spoken of
MEASURES = {"sharpness": "the sharpness", "trace": "the trace of the Hessian", "noise_scale": "the noise scale"}


def edge_of_stability(probe: ProbeInputs, say: Say) -> list[str]:
    """At which rates the sharpness rises to 2 / rate and stays there, and what the loss does then."""
    path, rates = probe.tables["path"], get(probe.config, "rates")
    low, high = (say(f"{end} Rate", significant(f(rates)), "config", "rates") for end, f in ENDS.items())
    edge = say(
        "Edge", r"$2/\eta$", "code", "the curvature above which a step overshoots a quadratic's minimum for good"
    )
    measured = (
        f"A perceptron of {setting(probe, say, 'depth', 'hidden layer')} of {setting(probe, say, 'width', 'unit')} "
        f"with {named(get(probe.config, 'activation'))} learnt {setting(probe, say, 'train', 'image')} of "
        f"{dataset(get(probe.config, 'dataset'))} in {setting(probe, say, 'steps', 'step')} of full-batch gradient "
        rf"descent on the squared error, at {setting(probe, say, 'rates', 'rate')} $\eta$ from {low} to {high}, with "
        f"{setting(probe, say, 'seeds', 'seed')}; its sharpness, the largest eigenvalue of the loss's Hessian, was "
        f"taken by Lanczos' iteration every {setting(probe, say, 'every', 'step')}, to hold against {edge}."
    )
    steps = get(probe.config, "steps")
    runs = pd.DataFrame([_run(rows, steps) for _, rows in path.groupby(["lr", "seed"])])
    if runs.empty:
        return [measured, NOTHING]
    seeds = runs["seed"].nunique()
    texts = [_rate(lr, runs[runs["lr"] == lr], edge, say) for lr in sorted(runs["lr"].unique())]
    return [measured, *texts, *_loss(runs, edge, say), *_trace(probe.tables["spectrum"], say), reading(seeds)]


def _run(path: pd.DataFrame, steps: int) -> dict[str, float]:
    """One descent in numbers: where its sharpness settled, and how often its loss rose before and at the edge."""
    lr, seed = path[["lr", "seed"]].iloc[0]
    sharpness = path.set_index("step")["sharpness"].dropna() * lr / 2
    above = sharpness.index[sharpness >= 1]
    arrival = above[0] if len(above) else np.inf
    rises, there = path["loss"].diff().iloc[1:] > 0, path["step"].iloc[1:] > arrival
    at_arrival = path["loss"][path["step"] == arrival]
    settled = sharpness[sharpness.index >= LAST * steps].median()
    return {
        "lr": lr,
        "seed": seed,
        "finished": path["step"].max() >= steps,
        "settled": settled,
        "grown": settled / sharpness.min(),
        "rises_before": rises[~there].mean(),
        "rises_there": rises[there].mean(),
        "left": path["loss"].iloc[-1] / at_arrival.iloc[0] if len(at_arrival) else np.nan,
    }


def _rate(lr: float, runs: pd.DataFrame, edge: str, say: Say) -> str:
    """Where the sharpness settles at one rate, in how many seeds at the edge, and how far it has risen."""
    rate = say(f"Rate {lr}", significant(lr), "config", "one of rates")
    done = finite(runs[runs["finished"]], "settled", "grown")
    text, lost = rf"At $\eta$ = {rate}", len(runs) - len(done)
    if done.empty:
        return f"{text} the descent diverges in every seed."
    if lost:
        part = say(f"Diverged {lr}", f"{lost} of {len(runs)}", "path", f"seeds without a loss to the end, lr {lr}")
        text += f", where the descent diverges in {part} seeds,"
    how = f"median of sharpness / (2 / lr) over the last quarter of the steps, lr {lr}"
    settled = say(f"Settled {lr}", mean_of(done["settled"]), "path", how)
    growth = say(f"Grown {lr}", mean_of(done["grown"]), "path", f"that over the least sharpness on the way, lr {lr}")
    hits, seeds = int((done["settled"] >= REACHED).sum()), len(done)
    where = "at the edge" if hits == seeds else "below it"
    if 0 < hits < seeds:
        part = say(f"Reached {lr}", f"{hits} of {seeds}", "path", f"seeds that settle at {REACHED} or above, lr {lr}")
        where = f"at the edge in {part} seeds"
    risen = "after a rise to" if (done["grown"] >= MORE).all() else "without a clear rise in every seed, at"
    return (
        f"{text} the sharpness is, over the last quarter of the steps, at {settled} of {edge}, {where}, {risen} "
        f"{growth} times its least value."
    )


def _loss(runs: pd.DataFrame, edge: str, say: Say) -> list[str]:
    """How often the loss rises from a step to the next, before the edge and at it, and whether it falls in all."""
    shares = {name: percent_of(runs.groupby("seed")[f"rises_{name}"].mean()) for name in ("before", "there")}
    before, there = (
        say(f"Rises {name}", share, "path", f"share of steps at which the loss rises, {name}")
        for name, share in shares.items()
    )
    left = runs["left"].dropna()
    if left.empty:
        return [f"No descent comes to {edge}, and the loss rises at {before} of the steps."]
    median = say("Left", percentage(left.median(), 1), "path", "last loss by that at the edge's first, median")
    lower = "all" if (left < 1).all() else say("Lower", f"{(left < 1).sum()} of {len(left)}", "path", "descents")
    first = f"From its first sharpness at or above {edge} on, a descent's loss rises at {there} of the steps"
    rest = runs["rises_before"].dropna()
    if len(rest):
        first += f"; until then, and where it never comes to that, at {before}"
    return [
        f"{first}.",
        f"Of the descents that come there, {lower} end at a lower loss, in the median at {median} of it.",
    ]


def _trace(spectrum: pd.DataFrame, say: Say) -> list[str]:
    """By what factor training changes the trace of the Hessian, at each rate."""
    traces = spectrum[spectrum["quantity"] == "trace"].pivot(index=["lr", "seed"], columns="when", values="value")
    if "after" not in traces:
        return []
    ratios, parts = (traces["after"] / traces["before"]).dropna(), []
    for lr in ratios.index.unique("lr"):
        factor = say(f"Trace {lr}", mean_of(ratios.loc[lr]), "spectrum", f"trace after by trace before, lr {lr}")
        parts.append(rf"{factor} at $\eta$ = {say(f'Trace Rate {lr}', significant(lr), 'spectrum', 'lr')}")
    return [f"Training multiplies the trace of the Hessian by {listed(parts)}."]


def curvature(probe: ProbeInputs, say: Say) -> list[str]:
    """How sharpness, trace and gradient noise of trained networks go with the batch size."""
    table = finite(probe.tables["curvature"], "sharpness", "trace", "loss")
    networks = say("Networks", plural(len(table), "network"), "curvature", "rows that are finite")
    measured = (
        rf"The loss of {networks} of the study \texttt{{{escape(get(probe.config, 'study'))}}}, as they were best on "
        f"validation, was taken to second order on {setting(probe, say, 'images', 'image')} of those they learnt: the "
        "largest eigenvalue of its Hessian by Lanczos' iteration, the trace by Hutchinson's estimate with "
        f"{setting(probe, say, 'draws', 'random vector')}, and the simple noise scale, the batch size at which a "
        "minibatch's gradient is as much noise as signal, from the gradients of single images."
    )
    if table.empty:
        return [measured, NOTHING]
    error = (table["trace_error"] / table["trace"].abs()).median()
    error_of = say("Trace Error", percentage(error, 1), "curvature", "median of trace_error / trace")
    accuracy = f"The trace's standard error is {error_of} of it in the median."
    if "batch_size" not in table or table["batch_size"].nunique() < 2:
        return [measured, accuracy, "With a single batch size, what it selects cannot be said."]
    seeds = table["seed"].nunique()
    return [measured, accuracy, _slopes(table, seeds, say), _noise(table, say), *_losses(table, say), reading(seeds)]


def _slopes(table: pd.DataFrame, seeds: int, say: Say) -> str:
    """The exponents as powers of the batch size, within each setting of the other axes, and which have one sign."""
    axes = list(table.columns)[: list(table.columns).index("sharpness")]
    within = [axis for axis in axes if axis != "batch_size"]
    parts, signs = [], {}
    for measure, words in MEASURES.items():
        rows = finite(table[table[measure] > 0], measure)
        if rows.empty:
            continue
        slopes = rows.groupby(within)[["batch_size", measure]].apply(_slope)
        by_seed = slopes.groupby("seed").mean().dropna()
        how = f"slope of log {measure} on log batch_size, mean over the other axes"
        parts.append(f"{say(f'Slope {measure}', mean_of(by_seed), 'curvature', how)} for {words}")
        signs[words] = by_seed.map(np.sign).unique()
    text = f"At the same setting of all else, the batch size enters with a power of {listed(parts)}"
    if not enough(seeds):
        return f"{text}."
    agreed = [
        f"{name} for {listed(of_sign)}"
        for sign, name in ((1, "positive"), (-1, "negative"))
        if (of_sign := [words for words in signs if list(signs[words]) == [sign]])
    ]
    others = [words for words in signs if len(signs[words]) != 1]
    verdict = [f"in every seed it is {' and '.join(agreed)}"] if agreed else []
    verdict += [f"for {listed(others)} the seeds do not agree on its sign"] if others else []
    return f"{text}; {', and '.join(verdict)}."


def _slope(rows: pd.DataFrame) -> float:
    sizes, values = np.log(rows.to_numpy(float)).T
    return float(np.polyfit(sizes, values, 1)[0]) if len(np.unique(sizes)) > 1 else np.nan


def _noise(table: pd.DataFrame, say: Say) -> str:
    """The range of the noise scale, and in how many networks it is above the batch size that they learnt by."""
    known = finite(table, "noise_scale")
    if known.empty:
        return "No network's gradient can be told from zero, so its noise has no scale."
    low, high = (
        say(f"{end} Noise", count(round(f(known["noise_scale"]))), "curvature", f"{end} noise_scale")
        for end, f in ENDS.items()
    )
    hits = int((known["noise_scale"] > known["batch_size"]).sum())
    part = say("Noisy", f"{hits} of {len(known)}", "curvature", "networks with noise_scale above batch_size")
    text = f"The noise scale is between {low} and {high} images, above the batch size that was used in {part} networks"
    lost = len(table) - len(known)
    if lost:
        text += f" ({say('Unknown', count(lost), 'curvature', 'rows without noise_scale')} more have none: their "
        text += "gradient cannot be told from zero)"
    return f"{text}."


def _losses(table: pd.DataFrame, say: Say) -> list[str]:
    """A warning if networks of the smallest and the largest batches did not end at the same loss."""
    by_size = table.groupby("batch_size")["loss"].mean()
    ends = by_size.iloc[[0, -1]]
    if ends.max() < MORE * ends.min():
        return []
    first, last = (
        say(f"Loss {size}", significant(loss), "curvature", f"mean loss, batch_size {size}")
        for size, loss in ends.items()
    )
    return [
        f"The mean loss is {first} at the smallest batch size and {last} at the largest, so networks are compared that "
        "are not equally far trained."
    ]
