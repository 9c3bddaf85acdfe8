"""What the probes of networks that were not trained say: shapes, signals, variances and noise."""

import math

import numpy as np
import pandas as pd

from phase2.probe.lsuv_convergence.card import TOLERANCE
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, listed, plural
from phase2.report.measured_words import NOTHING, TOO_FEW, dataset, enough, finite, named, setting, significant

FACTOR = 10  # by which a gradient may change over the depth without a remark
LONG = 5  # digits before the point, from which on a number is written as a power of ten
SETTING = ["activation", "init"]


def activation_shapes(probe: ProbeInputs, say: Say) -> list[str]:
    """How steep and how curved the activations are, and which of them dip."""
    low, high = (say(end, significant(get(probe.config, end)), "config", end) for end in ("low", "high"))
    measured = (
        f"A grid of {setting(probe, say, 'points', 'point')} from {low} to {high} carries the value and the first two "
        f"derivatives of {setting(probe, say, 'activations', 'activation')}, the derivatives by automatic "
        "differentiation."
    )
    table = finite(probe.tables["extremes"], "minimum", "max_slope", "max_curvature")
    if table.empty:
        return [measured, NOTHING]
    return [measured, _steepest(table, say), _most_curved(table, say), _dips(table, probe, say)]


def _steepest(table: pd.DataFrame, say: Say) -> str:
    (most, names), (least, others) = _ends(table, "max_slope", say)
    if np.isclose(table["max_slope"].max(), table["max_slope"].min()):
        return f"The largest slope is {most} in size, that of {names}."
    return f"The largest slope, {most} in size, is that of {names}; that of {others} does not exceed {least}."


def _most_curved(table: pd.DataFrame, say: Say) -> str:
    curved, straight = table[table["max_curvature"] > 0], table[table["max_curvature"] == 0]
    kinks = f"that of {listed([named(name) for name in straight['activation']])} is zero at every point"
    if curved.empty:
        return f"As to the second derivative, {kinks}: they bend in corners alone."
    (most, names), _ = _ends(curved, "max_curvature", say)
    text = f"The largest second derivative, {most} in size, is that of {names}"
    return f"{text}; {kinks} (a grid does not see corners)." if len(straight) else f"{text}."


def _ends(table: pd.DataFrame, measure: str, say: Say) -> list[tuple[str, str]]:
    """Largest and least value of a measure with the activations that have it."""
    ends = []
    for end, value in (("Most", table[measure].max()), ("Least", table[measure].min())):
        names = [named(name) for name in table["activation"][np.isclose(table[measure], value)]]
        how = f"{end.lower()} {measure} over the activations"
        ends.append((say(f"{end} {measure}", significant(value), "extremes", how), listed(names)))
    return ends


def _dips(table: pd.DataFrame, probe: ProbeInputs, say: Say) -> str:
    dips = table[(table["argmin"] > get(probe.config, "low")) & (table["argmin"] < get(probe.config, "high"))]
    if dips.empty:
        return "None of them has its minimum inside the interval."
    deepest = dips.loc[dips["minimum"].idxmin()]
    depth = say("Deepest", significant(deepest["minimum"]), "extremes", "least minimum inside the interval")
    place = say("Deepest At", significant(deepest["argmin"]), "extremes", "where the least minimum is")
    names = listed([named(name) for name in dips["activation"]])
    verb = "dips" if len(dips) == 1 else "dip"
    owner = named(deepest["activation"])
    return f"Only {names} {verb} before rising; the deepest minimum, {depth}, is {owner}'s at {place}."


def lsuv_convergence(probe: ProbeInputs, say: Say) -> list[str]:
    """How far from one LSUV finds and leaves the variances, and how many scalings that takes."""
    measured = (
        f"LSUV prepared perceptrons of {setting(probe, say, 'depth', 'hidden layer')} of "
        f"{setting(probe, say, 'width', 'unit')}, with {setting(probe, say, 'activations', 'activation')} and "
        f"{setting(probe, say, 'seeds', 'seed')}, on a minibatch of {setting(probe, say, 'batch', 'image')} of "
        f"{dataset(get(probe.config, 'dataset'))}; the variance of each layer's output, the network's own included, "
        "was recorded before and after every scaling."
    )
    table = finite(probe.tables["convergence"], "variance").sort_values("iteration", kind="stable")
    if table.empty:
        return [measured, NOTHING]
    layers = table.groupby(["activation", "seed", "layer"], sort=False).agg(
        before=("variance", "first"), after=("variance", "last"), scalings=("iteration", "last")
    )
    low, high = (
        say(f"{end} Before", significant(getattr(layers["before"], end)()), "convergence", f"{end} at iteration 0")
        for end in ("min", "max")
    )
    before = f"With orthonormal weights, before its scaling, a layer's variance is between {low} and {high}."
    return [measured, before, _left(layers, say), _scalings(layers, say)]


def _left(layers: pd.DataFrame, say: Say) -> str:
    distance = (layers["after"] - 1).abs()
    farthest = layers.reset_index().iloc[distance.argmax()]
    worst = say("Worst", significant(distance.max()), "convergence", "largest distance from 1 after the last scaling")
    tolerance = say("Tolerance", significant(TOLERANCE), "code", "phase2.nn.initial.lsuv.TOLERANCE")
    where = say("Worst Layer", count(farthest["layer"]), "convergence", "its layer")
    place = f"layer {where} under {named(farthest['activation'])}"
    missed = int((distance >= TOLERANCE).sum())
    if not missed:
        return f"It leaves every layer within {worst} of one, inside its tolerance of {tolerance}; farthest is {place}."
    lost = say("Unconverged", f"{count(missed)} of {count(len(layers))}", "convergence", "layers beyond the tolerance")
    return f"It leaves {lost} layers outside its tolerance of {tolerance}; farthest from one, by {worst}, is {place}."


def _scalings(layers: pd.DataFrame, say: Say) -> str:
    scalings = layers["scalings"]
    if scalings.max() == 0:
        return "No layer had to be scaled."
    most = say("Most Scalings", plural(scalings.max(), "scaling"), "convergence", "largest last iteration")
    if scalings.nunique() == 1:
        return f"Every layer took {most}."
    hit = int((scalings == scalings.max()).sum())
    many = say("Most Scaled", f"{count(hit)} of {count(len(layers))}", "convergence", "layers with the most scalings")
    least = say("Least Scalings", count(scalings.min()), "convergence", "least last iteration")
    activations = scalings[scalings == scalings.max()].index.unique("activation")
    names = listed([named(name) for name in activations])
    return f"A layer took at most {most}, which {many} layers needed (under {names}), and at least {least}."


def gradient_flow(probe: ProbeInputs, say: Say) -> list[str]:
    """For which initializations the gradient's norm changes over the depth, and by how much at most."""
    measured = (
        f"Before any training, a minibatch of {setting(probe, say, 'batch', 'image')} of "
        f"{dataset(get(probe.config, 'dataset'))} went through perceptrons of "
        f"{setting(probe, say, 'depth', 'hidden layer')} of {setting(probe, say, 'width', 'unit')}, and its gradient "
        f"back, in double precision: {setting(probe, say, 'activations', 'activation')}, "
        f"{setting(probe, say, 'inits', 'initialization')} and {setting(probe, say, 'seeds', 'seed')} in all "
        "combinations."
    )
    layers = probe.tables["layers"]
    if layers.empty:
        return [measured, NOTHING]
    if layers["layer"].nunique() == 1:
        return [measured, "With a single hidden layer there is no depth over which a gradient could change."]
    growth = decades(layers)
    few = [] if enough(layers["seed"].nunique()) else [TOO_FEW]
    return [measured, _changed(growth, say), *_furthest(growth, say), *_lost(growth, say), *few]


def decades(layers: pd.DataFrame) -> pd.DataFrame:
    """Column `log`: log10 of the gradient's norm at the first hidden layer over the last, by activation, init, seed.

    NaN where one of the two is zero or not finite.
    """
    norms = layers["gradient_norm"].where(np.isfinite(layers["gradient_norm"]) & (layers["gradient_norm"] > 0))
    logs = layers.assign(log=np.log10(norms)).set_index([*SETTING, "seed"])
    first, last = (logs["log"][logs["layer"] == layer] for layer in (logs["layer"].min(), logs["layer"].max()))
    return (first - last).reset_index()


def _changed(growth: pd.DataFrame, say: Say) -> str:
    """By initialization, the activations whose gradient changes much; what is lost has changed."""
    settings = growth.assign(lost=growth["log"].isna()).groupby(SETTING, sort=False)
    table = settings.agg({"log": "mean", "lost": "any"}).reset_index()
    changed = table["lost"] | (table["log"].abs() > math.log10(FACTOR))
    factor = say("Factor", count(FACTOR), "code", f"{__name__}.FACTOR")
    much, little = [], []
    for init, rows in table.assign(changed=changed).groupby("init", sort=False):
        names = [named(activation) for activation in rows["activation"][rows["changed"]]]
        every = "every activation" if len(names) == len(rows) else listed(names)
        much += [f"{named(init)} (for {every})"] if names else []
        little += [] if names else [named(init)]
    way = "On the way from the last hidden layer to the first, the gradient's norm"
    if not much:
        return f"{way} changes by a factor of {factor} at most, whatever the initialization and the activation."
    calm = f"; with {listed(little)} it never does" if little else ""
    gone = ", or is lost," if table["lost"].any() else ""
    return f"{way} changes by more than a factor of {factor}{gone} with {listed(much)}{calm}."


def _furthest(growth: pd.DataFrame, say: Say) -> list[str]:
    """The settings in which it shrinks and grows most."""
    known, texts = growth.dropna(subset="log"), []
    for verb, sign in (("shrinks", -1), ("grows", 1)):
        signed = known.assign(log=sign * known["log"])
        means = signed.groupby(SETTING, sort=False)["log"].mean().reset_index()
        if means.empty or means["log"].max() <= 0:
            continue
        top = means.iloc[means["log"].argmax()]
        own = signed["log"][(signed[SETTING] == top[SETTING]).all(axis=1)]
        ends = {"mean": own.mean(), "least": own.min(), "most": own.max()}
        factor, low, high = (_factor(f"{verb} {name}", value, say) for name, value in ends.items())
        spread = f" ({low} to {high} over the seeds)" if enough(len(own)) else ""
        texts.append(
            f"{verb} most with {named(top['init'])} and {named(top['activation'])}, by a factor of {factor}{spread}"
        )
    return [f"It {listed(texts)}; factors are geometric means over the seeds."] if texts else []


def _factor(name: str, log: float, say: Say) -> str:
    """Ten to the power of `log`, which may be beyond a float."""
    exponent = math.floor(log)
    power = rf"${10 ** (log - exponent):.1f}\times10^{{{exponent}}}$"
    text = power if abs(exponent) >= LONG else significant(10**log)
    return say(f"It {name}", text, "layers", "gradient_norm, first hidden layer over last or the inverse, over seeds")


def _lost(growth: pd.DataFrame, say: Say) -> list[str]:
    lost = int(growth["log"].isna().sum())
    if not lost:
        return []
    part = say("Lost", f"{count(lost)} of {count(len(growth))}", "layers", "networks whose gradient is 0 or not finite")
    return [f"In {part} networks it is zero or beyond a float at one of the two, and no factor can be given."]
