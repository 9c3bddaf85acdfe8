"""What the probes of convolutional networks' depth and size say: responses, gradients by layer, parameters."""

from typing import Any

import numpy as np
import pandas as pd

from phase2.report.failures import Say
from phase2.report.inputs import ProbeInputs, get
from phase2.report.latex import count, escape, listed, plural
from phase2.report.measured_words import (
    NOTHING,
    consistently,
    dataset,
    enough,
    finite,
    mean_of,
    named,
    reading,
    setting,
    significant,
)

RESIDUAL, PLAIN = "cifar_resnet", "plain"
NETWORKS = {RESIDUAL: "the residual network", PLAIN: "the plain network"}
MOMENTS = {"start": "at initialization", "middle": "half-way", "end": "after training"}
PRINTED = 2  # significant digits to which the paper prints numbers of parameters


def layer_responses(probe: ProbeInputs, say: Say) -> list[str]:
    """How strongly layers respond, with and without shortcuts and by depth, and what gradient the first one gets."""
    table = probe.tables["responses"]
    networks = table.loc[:, :"when"].drop(columns="when").drop_duplicates()
    measured = (
        f"{say('Networks', plural(len(networks), 'network'), 'responses', 'runs')} of the study "
        rf"\texttt{{{escape(get(probe.config, 'study'))}}} were measured at initialization, after half of their epochs "
        f"and as they were best on validation, on {setting(probe, say, 'images', 'image')} of those they learnt: the "
        "standard deviation of each convolution's response after its normalization, before the nonlinearity and the "
        r"addition, in evaluation mode~\cite{he2016}, and the norm of the mean loss's gradient by its weights, with "
        "BatchNorm in training mode on minibatches of the training's size. Projections in shortcuts are left out."
    )
    trained = finite(table[table["when"] == "end"], "std")
    if trained.empty:
        return [measured, NOTHING]
    stds = {str(model): _by_depth(rows) for model, rows in trained.groupby("model")}
    texts = [_sizes(stds, say), *_twins(stds, say), *_deeper(stds, say), *_gradients(table, say)]
    return [measured, *texts, reading(trained["seed"].nunique())]


def _by_depth(trained: pd.DataFrame) -> pd.DataFrame:
    """The standard deviation, averaged over layers, by seed and depth."""
    return trained.pivot_table(index="seed", columns="depth", values="std")


def _sizes(stds: dict[str, pd.DataFrame], say: Say) -> str:
    """The mean response of each network after training."""
    parts = []
    for model, table in stds.items():
        for depth in table:
            how = f"mean of std over layers at the end, model={model}, depth={depth}"
            size = say(f"Response {model} {depth}", mean_of(table[depth]), "responses", how)
            parts.append(f"{size} in {_network(model, depth, say)}")
    return f"After training the standard deviation of a response, averaged over the layers, is {listed(parts)}."


def _network(model: str, depth: object, say: Say) -> str:
    return f"{NETWORKS.get(model, named(model))} of depth {_depth(depth, say)}"


def _depth(depth: object, say: Say) -> str:
    return say(f"Depth {depth}", str(depth), "responses", "a level of depth")


def _twins(stds: dict[str, pd.DataFrame], say: Say) -> list[str]:
    """Whether the plain networks respond more strongly than the residual ones of the same depth."""
    if not {PLAIN, RESIDUAL} <= stds.keys():
        return []
    ratios = (stds[PLAIN] / stds[RESIDUAL]).dropna(axis="columns", how="all")
    if ratios.empty:
        return []
    parts = []
    for depth in ratios:
        ratio = say(f"Ratio {depth}", mean_of(ratios[depth]), "responses", f"plain by residual, depth={depth}")
        parts.append(f"{ratio} times as strongly at depth {_depth(depth, say)}")
    text = f"The layers of the plain network respond {listed(parts)} as those of the residual one"
    if not enough(len(ratios)):
        return [f"{text}."]
    pairs = ratios.to_numpy()[ratios.notna()]
    stronger = int(np.count_nonzero(pairs > 1))
    if stronger == len(pairs):
        return [f"{text}: more strongly in every pair of one depth and seed, as He et al. saw it."]
    if not stronger:
        return [f"{text}: more strongly in no pair of one depth and seed, other than He et al. saw it."]
    part = say("Stronger", f"{stronger} of {len(pairs)}", "responses", "pairs of one depth and seed: plain is larger")
    return [f"{text}: more strongly in {part} pairs of one depth and seed, where He et al. saw it in all."]


def _deeper(stds: dict[str, pd.DataFrame], say: Say) -> list[str]:
    """Whether the layers of the deepest residual network respond less than those of the shallowest."""
    table = stds.get(RESIDUAL, pd.DataFrame())
    if len(table.columns) < 2:
        return []
    change = (table.iloc[:, -1] / table.iloc[:, 0]).dropna()
    if change.empty:
        return []
    down = bool(change.mean() < 1)
    hits = int(((change < 1) == down).sum())
    factor = say("Deeper", mean_of(change), "responses", "mean std of the deepest residual network by the shallowest's")
    held = consistently(hits, len(change), "Deeper", "responses", say)
    verdict = "less strongly" if down else "no less strongly"
    return [
        f"A layer of the deepest residual network responds {verdict} than one of the shallowest, {factor} times as "
        f"strongly{held}; He et al. saw the deeper ones respond less."
    ]


def _gradients(table: pd.DataFrame, say: Say) -> list[str]:
    """The gradient at the first layer by that at the last, in the deepest network of each architecture."""
    known = finite(table[table["gradient_norm"] > 0], "gradient_norm")
    texts = []
    for model, rows in known.groupby("model", sort=False):
        deepest = rows[rows["depth"] == rows["depth"].max()]
        norms = deepest.pivot_table(index=["when", "seed"], columns="layer", values="gradient_norm")
        ratios = np.log(norms[norms.columns[0]] / norms[norms.columns[-1]]).dropna()
        parts = []
        for when, words in MOMENTS.items():
            if when in ratios.index.unique("when"):
                factor = significant(float(np.exp(ratios.loc[when].mean())), 2)
                how = f"gradient_norm of the first layer by that of the last, geometric mean, model={model}"
                parts.append(f"{say(f'Gradient {model} {when}', factor, 'responses', f'{how}, {when}')} times {words}")
        if parts:
            network = _network(str(model), deepest["depth"].iloc[0], say)
            texts.append(f"In {network} the gradient's norm at the first layer is, against the last, {listed(parts)}.")
    return texts


def model_sizes(probe: ProbeInputs, say: Say) -> list[str]:
    """How large the networks are, whether the papers count the same, and how much work a parameter does."""
    sizes = probe.tables["sizes"]
    networks = say("Networks", plural(len(sizes), "network"), "sizes", "rows")
    images = say("Images", dataset("cifar10"), "code", "phase2.probe.model_sizes.measure.SHAPE and OUTPUTS")
    measured = (
        f"The parameters of {networks} were counted, built for the images and classes of {images}, and the operations "
        "of one image's forward pass: two for each multiply-add of a convolution or a linear layer, while biases, "
        "norms, activations and pooling are left out."
    )
    sizes = sizes.assign(work=sizes["gflop"] * 1e9 / sizes["parameters"])
    parameters, work = (_range(sizes, measure, say) for measure in ("parameters", "work"))
    return [
        measured,
        f"They have {parameters}.",
        f"In a forward pass there are, for each parameter, {work} operations.",
        *_as_printed(sizes, say),
    ]


def _range(sizes: pd.DataFrame, measure: str, say: Say) -> str:
    """From the least of a measure to the largest, with the networks that have them."""
    ends = []
    for end, place in (("Least", sizes[measure].argmin()), ("Most", sizes[measure].argmax())):
        value = say(f"{end} {measure}", count(round(sizes[measure].iloc[place])), "sizes", f"{end} {measure}")
        ends.append(f"{value} in {_named(sizes, place, say)}")
    return f"from {ends[0]} to {ends[1]}"


def _named(sizes: pd.DataFrame, place: Any, say: Say) -> str:
    """A network by its family and depth."""
    name = f"{sizes['network'].iloc[place]}-{sizes['depth'].iloc[place]}"
    return say(f"Network {name}", escape(name), "sizes", "network and depth")


def _as_printed(sizes: pd.DataFrame, say: Say) -> list[str]:
    """Whether the numbers of parameters are those that were published."""
    known = sizes.dropna(subset="published_parameters")
    if known.empty:
        return []
    columns = (
        known[name].map(lambda value: f"{value:.{PRINTED - 1}e}") for name in ("parameters", "published_parameters")
    )
    same = pd.concat(columns, axis=1).nunique(axis=1) == 1
    printed = say("Printed", plural(len(known), "network"), "sizes", "rows with published_parameters")
    if same.all():
        return [rf"All {printed} for which He et al.~\cite{{he2016}} print a number have it, as far as it is printed."]
    others = listed([_named(known, place, say) for place in np.flatnonzero(~same)])
    return [rf"Of {printed} for which He et al.~\cite{{he2016}} print a number, the count of {others} is another."]
