"""What the probe of the kernel regime says: kernels against their limit, networks against their linearization."""

import numpy as np
import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, listed, number, percent
from phase2.report.measured_words import (
    NOTHING,
    consistently,
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

CONVERGENCE = -1 / 2  # the theory's exponent of the width: kernels at initialization
MOVEMENT = {"bound": -1 / 2, "rate": -1.0}  # of the tangent kernel in training: what is proved at least, and found
NEAR = 0.1  # of the theory's exponent
KERNELS = {"ntk_error": "the tangent kernel", "nngp_error": "the last hidden layer's covariance"}
NETWORK, KERNEL = "network", "ntk_infinite"
OTHERS = {"nngp_infinite": "its NNGP kernel", "ntk_empirical": "the widest network's own tangent kernel"}
ENDS = {"Narrowest": min, "Widest": max}


def kernel_regime(probe: ProbeInputs, say: Say) -> list[str]:
    """How fast the kernels come to their limits and to rest, how linear training is, and who predicts best."""
    widths = get(probe.config, "widths")
    low, high = (say(f"{end} Width", count(pick(widths)), "config", "widths") for end, pick in ENDS.items())
    names = listed([named(activation) for activation in get(probe.config, "activations")])
    measured = (
        f"Perceptrons with {names}, of {setting(probe, say, 'depth', 'hidden layer')} and of "
        f"{setting(probe, say, 'widths', 'width')} from {low} to {high} units, were held against their infinitely wide "
        f"limits, and trained beside their linearizations on {setting(probe, say, 'train', 'image')} of "
        f"{dataset(get(probe.config, 'dataset'))} for {setting(probe, say, 'steps', 'step')} of full-batch gradient "
        f"descent on the squared error, the outputs counted from those at the start, with "
        f"{setting(probe, say, 'seeds', 'seed')}; {setting(probe, say, 'test', 'test image')} judge them."
    )
    columns = {
        "convergence": ["ntk_error", "nngp_error"],
        "drift": ["drift"],
        "linearized": ["network_loss", "linearized_loss", "distance"],
        "regression": ["test_accuracy"],
    }
    tables = {name: finite(probe.tables[name], *wanted) for name, wanted in columns.items()}
    if any(table.empty for table in tables.values()):
        return [measured, NOTHING]
    return [
        measured,
        _convergence(tables["convergence"], say),
        *_drift(tables["drift"], say),
        _linear(tables["linearized"], say),
        *_regression(tables, say),
        reading(tables["regression"]["seed"].nunique()),
    ]


def _slopes(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The exponent of the width in `measure`: a row a seed, a column an activation; none for a single width."""
    if table["width"].nunique() < 2:
        return pd.DataFrame()
    groups = table.groupby(["activation", "seed"], sort=False)[["width", measure]]
    return groups.apply(_slope).unstack("activation")


def _slope(rows: pd.DataFrame) -> float:
    return float(np.polyfit(np.log(rows.iloc[:, 0]), np.log(rows.iloc[:, 1]), 1)[0])


def _exponents(slopes: pd.DataFrame, name: str, table: str, say: Say) -> str:
    """The mean slope with each activation."""
    return listed(
        [
            f"{say(f'{name} {activation}', mean_of(values), table, f'slope of {name}, logs, {activation}')} with "
            f"{named(activation)}"
            for activation, values in slopes.items()
        ]
    )


def _convergence(table: pd.DataFrame, say: Say) -> str:
    slopes = {measure: _slopes(table, measure) for measure in KERNELS}
    if any(rows.empty for rows in slopes.values()):
        return "With a single width, how the kernels come to their limits cannot be said."
    parts = [
        f"{_exponents(slopes[measure], measure, 'convergence', say)} for {words}" for measure, words in KERNELS.items()
    ]
    theory = say("Convergence Theory", number(CONVERGENCE, 1), "code", f"{__name__}.CONVERGENCE")
    text = (
        "At initialization, relative distances from the limit go with the width to the power of "
        f"{', and to that of '.join(parts)}"
    )
    if not enough(table["seed"].nunique()):
        return f"{text}; the theory says {theory}."
    near = say("Near", significant(NEAR), "code", f"{__name__}.NEAR")
    far = [
        f"{KERNELS[measure]} with {named(activation)}"
        for measure, rows in slopes.items()
        for activation, mean in rows.mean().items()
        if abs(mean - CONVERGENCE) > NEAR
    ]
    if not far:
        return f"{text}: all within {near} of the theory's {theory}."
    return f"{text}; the theory says {theory}, and the mean is further than {near} from it for {listed(far)}."


def _drift(table: pd.DataFrame, say: Say) -> list[str]:
    """By how much training moves the tangent kernel, and with which power of the width."""
    moved = f"Training moves the tangent kernel, relative to its norm, by {_ends(table, 'drift', 'drift', say)}."
    slopes = _slopes(table, "drift")
    if slopes.empty:
        return [moved]
    bound, rate = (
        say(f"Movement {name}", number(power, 1), "code", f"{__name__}.MOVEMENT") for name, power in MOVEMENT.items()
    )
    text = (
        f"This goes with the width to the power of {_exponents(slopes, 'drift', 'drift', say)}; a bound of the power "
        rf"{bound} is proved~\cite{{lee2019}}, and {rate} is expected~\cite{{dyer2020}}"
    )
    if not enough(table["seed"].nunique()):
        return [moved, f"{text}."]
    nearer = [named(a) for a, mean in slopes.mean().items() if mean < sum(MOVEMENT.values()) / 2]
    if not nearer:
        return [moved, f"{text}: what is measured is nearer to the former."]
    only = "" if len(nearer) == len(slopes.columns) else f" with {listed(nearer)} only"
    return [moved, f"{text}: what is measured is nearer to the latter{only}."]


def _ends(table: pd.DataFrame, measure: str, name: str, say: Say) -> str:
    """`measure` in percent at the narrowest and at the widest, with each activation."""
    widths = {"narrowest": table["width"].min(), "widest": table["width"].max()}
    parts = []
    for activation, rows in table.groupby("activation", sort=False):
        at = {end: rows[rows["width"] == width].set_index("seed")[measure] for end, width in widths.items()}
        said = {
            end: say(f"{measure} {activation} {end}", percent_of(values), name, f"{measure}, {end}, {activation}")
            for end, values in at.items()
        }
        parts.append(f"{said['narrowest']} and {said['widest']} with {named(activation)}")
    return f"{', and by '.join(parts)} (at the narrowest and at the widest)"


def _linear(table: pd.DataFrame, say: Say) -> str:
    """How far the network's last test outputs are from its linearization's."""
    last = table[table["step"] == table["step"].max()]
    text = (
        "After the last step, the test outputs of network and linearization differ, relative to the network's, by "
        f"{_ends(last, 'distance', 'linearized', say)}"
    )
    distances = last.pivot(index=["activation", "seed"], columns="width", values="distance")
    narrow, wide = distances.columns.min(), distances.columns.max()
    if narrow == wide or not enough(last["seed"].nunique()):
        return f"{text}."
    nearer = int((distances[wide] < distances[narrow]).sum())
    if nearer == len(distances):
        return f"{text}: the widest is nearer to linear in every seed."
    part = say("Nearer", f"{count(nearer)} of {count(len(distances))}", "linearized", "pairs in which the widest is")
    return f"{text}: the widest is nearer to linear in {part} pairs of a seed and an activation."


def _regression(tables: dict[str, pd.DataFrame], say: Say) -> list[str]:
    """By activation, the test accuracies, and whether the kernel's regression or the network is ahead."""
    widest = tables["linearized"][tables["linearized"]["width"] == tables["linearized"]["width"].max()]
    texts = []
    for activation in tables["regression"]["activation"].unique():
        rows = tables["regression"][tables["regression"]["activation"] == activation]
        scores = rows.pivot(index="seed", columns="method", values="test_accuracy")
        accuracy = {
            method: say(
                f"Accuracy {activation} {method}",
                percent_of(scores[method]),
                "regression",
                f"test_accuracy of {method}, {activation}",
            )
            for method in scores
        }
        others = ", ".join(f"{accuracy[method]} with {words}" for method, words in OTHERS.items())
        texts.append(
            f"With {named(activation)}, the test accuracy is {accuracy[KERNEL]} by regression with the infinitely wide "
            f"network's tangent kernel, {others}, and {accuracy[NETWORK]} by the widest network, its training loss "
            f"then {_left(widest[widest['activation'] == activation], activation, say)} of the first: "
            f"{_ahead(scores[KERNEL] - scores[NETWORK], activation, say)}."
        )
    return texts


def _left(table: pd.DataFrame, activation: str, say: Say) -> str:
    losses = table.pivot(index="seed", columns="step", values="network_loss")
    left = losses[losses.columns.max()] / losses[losses.columns.min()]
    return say(f"Left {activation}", percent_of(left), "linearized", f"last network_loss over the first, {activation}")


def _ahead(difference: pd.Series, activation: str, say: Say) -> str:
    """Of the kernel's accuracy over the network's, by seed."""
    mean = difference.mean()
    if mean == 0:
        return "neither is ahead"
    winner, loser = ("kernel", "network") if mean > 0 else ("network", "kernel")
    how = f"difference of test_accuracy, {KERNEL} and {NETWORK}, {activation}"
    points = say(f"Ahead {activation}", percent(abs(mean)), "regression", how)
    hits = int((difference * np.sign(mean) > 0).sum())
    held = consistently(hits, len(difference), f"Ahead {activation}", "regression", say)
    return f"the {winner} is ahead of the {loser} by {points} points{held}"
