"""What the probe of the feature hierarchy says: filters, units that ascent excites, and linear probes by layer."""

import pandas as pd

from phase2.probe.feature_hierarchy.card import LIMIT
from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import escape, listed, number, percentage, plural
from phase2.report.measured_words import NOTHING, enough, finite, mean_of, percent_of, reading, setting
from phase2.study.factors import factors_of
from phase2.words.levels import SEPARATOR, crossed

TIMES = {"start": "Before training", "end": "After training"}


def feature_hierarchy(probe: ProbeInputs, say: Say) -> list[str]:
    """How many filters there are, what ascent gains, and where a linear classifier reads most, trained and not."""
    tables = {name: _with_networks(table) for name, table in probe.tables.items() if name != "maps"}
    probes = finite(tables["linear_probes"], "accuracy")
    runs = len(probes[["network", "seed"]].drop_duplicates())
    limit = say("Limit", plural(LIMIT, "feature"), "code", "phase2.probe.feature_hierarchy.card.LIMIT")
    measured = (
        f"{say('Networks', plural(runs, 'network'), 'linear_probes', 'combinations and seeds')} of the study "
        rf"\texttt{{{escape(get(probe.config, 'study'))}}}, before training and as they were best on validation, were "
        "read after every activation, by a linear classifier~\\cite{alain2017}: ridge regression on one-hot labels of "
        f"{setting(probe, say, 'train', 'training image')}, some of them held out to choose the penalty, judged on "
        f"{setting(probe, say, 'test', 'test image')}. "
        f"Maps were averaged over as many cells as make at most {limit}, and so were the pixels. Of the first seed the "
        "unit at the centre of the channel that varies most was sought out in the first, the middle and the last layer "
        f"of maps, and {setting(probe, say, 'steps', 'step')} of gradient ascent~\\cite{{erhan2009}} from noise looked "
        "for what excites it, among images of no larger norm than the best test image and with pixels in the same "
        "range."
    )
    if probes.empty:
        return [measured, NOTHING]
    found = [_filters(tables["filters"], say), *_gains(tables["exciting"], say), *_linear(probes, say)]
    return [measured, *found, reading(probes["seed"].nunique())]


def _with_networks(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each row's combination as the reader sees it, in the order of the figures."""
    names = crossed(table, factors_of(table, before="seed"))
    return table.assign(network=names.cat.rename_categories(lambda name: name.replace(SEPARATOR, ", ")))


def _in(name: str, say: Say, table: str) -> str:
    """In which combination, if there are any."""
    return f" in {say(f'Network {name}', escape(name), table, 'combination')}" if name else ""


def _filters(filters: pd.DataFrame, say: Say) -> str:
    parts = []
    for name, rows in filters.groupby("network", observed=True):
        amount = say(f"Filters {name}", plural(rows["filter"].max(), "filter"), "filters", f"first layer, {name}")
        height, width = (rows[side].max() + 1 for side in ("row", "column"))
        size = say(f"Size {name}", rf"${height}\times{width}$", "filters", f"rows and columns, {name}")
        parts.append(f"{amount} of {size} pixels{_in(str(name), say, 'filters')}")
    return f"The first layer has {listed(parts)}."


def _gains(exciting: pd.DataFrame, say: Say) -> list[str]:
    """How much stronger than the best test image the image found is, at either end, and where by more."""
    units = finite(exciting, "excitation").pivot_table(
        index=["network", "layer"], columns="kind", values="excitation", aggfunc="first", observed=True
    )
    units = units.reindex(columns=["test", "ascent"]).dropna()
    if units.empty:
        return ["No unit varies, so none can be excited."]
    gain = (units["ascent"] / units["test"]).groupby("network", observed=True)
    ends = {"first": gain.first(), "last": gain.last()}
    first, last = (_span(values, end, say) for end, values in ends.items())
    text = (
        "Counted in standard deviations from the mean over the test images, the image that ascent finds excites its "
        f"unit {first} as strongly as the best test image in the first layer of maps, and {last} in the last"
    )
    texts = [f"{text}; {_more(ends['last'] > ends['first'], say)}."]
    short = int((units["ascent"] < units["test"]).sum())
    if short:
        lost = say("Lost", f"{short} of {len(units)}", "exciting", "units that ascent excites less than a test image")
        texts.append(f"For {lost} units ascent ends below the best test image, in a local maximum or with steps to go.")
    return texts


def _more(larger: pd.Series, say: Say) -> str:
    """In how many networks the gain is larger in the last layer."""
    if larger.all():
        return "in every network that is more in the last layer than in the first"
    if not larger.any():
        return "in no network is that more in the last layer than in the first"
    share = say("Gain Grows", f"{larger.sum()} of {len(larger)}", "exciting", "networks with a larger gain in the last")
    return f"in {share} networks that is more in the last layer than in the first"


def _span(gains: pd.Series, end: str, say: Say) -> str:
    """The least and the largest gain of all networks."""
    bounds = {"Least": gains.min(), "Largest": gains.max()}
    least, largest = (
        say(f"{name} Gain {end}", number(gain, 1), "exciting", f"excitation by ascent over test, {end} layer of maps")
        for name, gain in bounds.items()
    )
    return f"{least} to {largest} times" if len(gains) > 1 else f"{least} times"


def _linear(probes: pd.DataFrame, say: Say) -> list[str]:
    """What the pixels give, where the features of each network give most, and what training adds at the end."""
    pixels = probes[probes["layer"] == 0]["accuracy"].mean()
    base = say("Pixels", percentage(pixels, 1), "linear_probes", "accuracy, layer 0")
    texts = []
    for when, words in TIMES.items():
        rows = probes[probes["when"] == when]
        parts = [_best(str(name), net, when, say) for name, net in rows.groupby("network", observed=True)]
        last = _at_the_end(rows)
        against = _against(last, pixels, when, say)
        texts.append(f"{words} it gets most right from {listed(parts)}; {against}.")
    first = f"From the pixels themselves the linear classifier gets {base} of the test images right."
    return [first, *texts, *_trained(probes, say)]


def _best(name: str, rows: pd.DataFrame, when: str, say: Say) -> str:
    """The layer of the largest mean accuracy of one network, and that accuracy."""
    by_layer = rows.pivot(index="seed", columns="layer", values="accuracy")
    best, last = by_layer.mean().idxmax(), by_layer.columns.max()
    how = f"largest accuracy by layer, mean over seeds, {when} of training, {name}"
    accuracy = say(f"Best {when} {name}", percent_of(by_layer[best]), "linear_probes", how)
    if best == 0:
        return f"the pixels{_in(name, say, 'linear_probes')} with {accuracy}"
    layer = say(f"Best Layer {when} {name}", f"{best} of {last}", "linear_probes", how)
    return f"layer {layer}{_in(name, say, 'linear_probes')} with {accuracy}"


def _at_the_end(rows: pd.DataFrame) -> pd.Series:
    """The accuracy at the last layer, by network and seed."""
    return rows[rows["position"] == 1].set_index(["network", "seed"])["accuracy"]


def _against(last: pd.Series, pixels: float, when: str, say: Say) -> str:
    """In how many networks the mean accuracy of the last layer is above that of the pixels."""
    means = last.groupby("network", observed=True).mean()
    above = int((means > pixels).sum())
    if above == len(means):
        return "the last layer gives more than the pixels" + (" in every network" if above > 1 else "")
    if not above:
        return "the last layer gives no more than the pixels" + (" in any network" if len(means) > 1 else "")
    share = say(
        f"Above {when}", f"{above} of {len(means)}", "linear_probes", f"networks, last layer, {when} of training"
    )
    return f"the last layer gives more than the pixels in {share} networks"


def _trained(probes: pd.DataFrame, say: Say) -> list[str]:
    """What training changes at the last layer, in points, and whether in every seed of every network."""
    end, start = (_at_the_end(probes[probes["when"] == when]) for when in ("end", "start"))
    change = (100 * (end - start)).dropna()
    if change.empty:
        return []
    parts = []
    for name, points in change.groupby("network", observed=True):
        how = f"accuracy at the last layer, end less start of training, in points, {name}"
        text = say(f"Change {name}", mean_of(points), "linear_probes", how)
        parts.append(f"{text} points{_in(str(name), say, 'linear_probes')}")
    text = f"At the last layer training changes the accuracy by {listed(parts)}"
    if not enough(probes["seed"].nunique()):
        return [f"{text}."]
    raised = int((change > 0).sum())
    if raised in (0, len(change)):
        return [f"{text}, {'up' if raised else 'down'} in every seed{' of every network' if len(parts) > 1 else ''}."]
    share = say("Raised", f"{raised} of {len(change)}", "linear_probes", "networks and seeds in which it rises")
    return [f"{text}; it rises in {share} trainings."]
