"""Variance and gradients through wide random networks: mean-field theory against measurement.

h^l = W^l φ(h^(l-1)) + b^l with W^l ~ N(0, σ_w² / width) and b^l ~ N(0, σ_b²). With more units a layer, the entries of
h^l come closer to N(0, q^l), and q^l = σ_w² E φ(√q^(l-1) z)² + σ_b² with z ~ N(0, 1) (Poole et al. 2016, eq. 3). The
squared gradient grows by χ = σ_w² E φ'(√q z)² a layer on its way back (Schoenholz et al. 2017, section 4).

Theory and networks start alike: from an input of mean square 1, so that q^1 = σ_w² + σ_b². Where the map has several
fixed points the start decides which is reached.
"""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from torch import Tensor

from phase2 import registry
from phase2.probe.mean_field.card import Options
from phase2.task.seeding import generator

NODES = 150  # on each half of the line
FAR = 12.0  # where the normal density falls below 1e-31
TINY, HUGE = 1e-12, 1e6  # variances that stand for 0 and for infinity
BOUNDARY_POINTS = 25
EDGE, JUMP, NEITHER = "edge", "jump", "none"  # what is where chi of the fixed point passes 1
NEARBY, CONTINUOUS = 1e-4, 0.01  # a relative step of σ_w over which χ, if it is continuous, changes by less


def moments(activation: str, q: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E φ(√q z)² and E φ'(√q z)² for z ~ N(0, 1) to 12 digits or more, each of q's shape."""
    z, weights = _normal_nodes()
    h = torch.from_numpy(np.sqrt(np.asarray(q, dtype=float))[..., None] * z).requires_grad_()
    y = registry.load("activation", activation)().double()(h)
    (slope,) = torch.autograd.grad(y.sum(), h)
    return (y.detach().numpy() ** 2) @ weights, (slope.numpy() ** 2) @ weights


@cache
def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Gauss's nodes on each half of the line, and weights that carry the normal density.

    Gauss-Hermite nodes over the whole line would lose ten digits to the kinks that activations have at 0.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = (nodes + 1) / 2
    z = FAR * half**2  # denser near 0, where a saturating φ(√q z) turns
    weights = weights * FAR * half * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.concatenate([-z[::-1], z]), np.concatenate([weights[::-1], weights])


@cache
def _log_moments(activation: str) -> tuple[CubicSpline, CubicSpline]:
    """The logs of both moments as functions of log q, to 8 digits: what searches evaluate thousands of times."""
    log_q = np.linspace(np.log(TINY), np.log(HUGE), 1200)
    square, slope = moments(activation, np.exp(log_q))
    return CubicSpline(log_q, np.log(square)), CubicSpline(log_q, np.log(slope))


def variance_map(activation: str, weight_std: Any, bias_std: Any, q: Any) -> np.ndarray:
    """The next layer's pre-activation variance σ_w² E φ(√q z)² + σ_b²; arguments broadcast."""
    return weight_std**2 * moments(activation, q)[0] + bias_std**2


def fixed_point(activation: str, weight_std: float, bias_std: float) -> float:
    """The variance that layer after layer tends to from an input of mean square 1: 0 and infinity are possible."""
    log_square = _log_moments(activation)[0]

    def excess(log_q: Any) -> Any:
        return np.log(weight_std**2 * np.exp(log_square(log_q)) + bias_std**2) - log_q

    start = float(np.clip(weight_std**2 + bias_std**2, TINY, HUGE))  # of the first layer
    here = excess(np.log(start))
    if abs(here) < 1e-12:
        return start
    # The map increases with q, so iterates go one way only, up to the first fixed point on it.
    path = np.linspace(np.log(start), np.log(HUGE if here > 0 else TINY), 201)
    crossed = np.flatnonzero(np.sign(excess(path)) != np.sign(here))
    if not len(crossed):
        return float("inf") if here > 0 else 0.0
    return float(np.exp(brentq(excess, path[crossed[0] - 1], path[crossed[0]], xtol=1e-13)))


def chi(activation: str, weight_std: float, q: float) -> float:
    """σ_w² E φ'(√q z)²: the growth of the squared gradient a layer; at q = 0 and infinity its limit."""
    return float(weight_std**2 * np.exp(_log_moments(activation)[1](np.log(np.clip(q, TINY, HUGE)))))


def critical_weight_std(activation: str, bias_std: float, low: float = 0.3, high: float = 20.0) -> float:
    """The smallest σ_w in [low, high] at which χ of the fixed point passes 1; NaN if it does not.

    χ is 1 there, except where the variance map has several fixed points, as GELU's and SiLU's have at a small
    bias_std: there the fixed point that is reached jumps, and χ with it, from below 1 to above (`passage`).

    >>> round(critical_weight_std("relu", bias_std=0.0), 3)  # √2, as in He et al. 2015
    1.414
    """

    def excess(weight_std: float) -> float:
        return chi(activation, weight_std, fixed_point(activation, weight_std, bias_std)) - 1

    grid = np.geomspace(low, high, 30)
    signs = np.sign([excess(weight_std) for weight_std in grid])
    crossed = np.flatnonzero(signs[1:] != signs[:-1])
    return float(brentq(excess, grid[crossed[0]], grid[crossed[0] + 1], xtol=1e-9)) if len(crossed) else float("nan")


def passage(activation: str, weight_std: float, bias_std: float) -> str:
    """What happens at a `critical_weight_std`: χ is 1 there (edge), or it jumps past 1, which depends on the input's
    mean square and is no edge of chaos (jump); none, if there is no such σ_w.

    >>> passage("gelu", critical_weight_std("gelu", 0.0), 0.0)
    'jump'
    """
    if np.isnan(weight_std):
        return NEITHER
    sides = [weight_std * (1 - NEARBY), weight_std * (1 + NEARBY)]
    below, above = (chi(activation, side, fixed_point(activation, side, bias_std)) for side in sides)
    return EDGE if above - below < CONTINUOUS else JUMP


def measure(options: Options, data: None = None) -> dict[str, pd.DataFrame]:
    """Tables `variance` (by layer and seed), `phase` (by σ_w, σ_b and seed) and `boundary` (by σ_b).

    `measured` is the mean square of a layer's pre-activations for one random input of mean square 1.
    `measured_growth` is the log of the gradient's norm over that of the layer after it, a layer's mean in the second
    half of the layers; NaN: it over- or underflowed. `predicted_growth` is log(χ) / 2 at the predicted variances of
    the same layers, and `chi` is of the `fixed_point` that they tend to. `boundary` has the σ_w at which that passes
    1, and its `passage`.
    """
    nets = pd.DataFrame(
        product(options.activations, options.weight_stds, options.bias_stds),
        columns=["activation", "weight_std", "bias_std"],
    )
    predicted = _predicted(nets, options.depth)
    points = [fixed_point(*net) for net in nets.itertuples(index=False)]
    chis = [chi(*each) for each in zip(nets.activation, nets.weight_std, points, strict=True)]
    theory = nets.assign(fixed_point=points, chi=chis, predicted_growth=_growth(nets, predicted))
    variance, phase = [], []
    for seed in options.seeds:
        squares, norms = through(nets, options.width, options.depth, seed)
        variance.append(_by_layer(nets, squares, predicted).assign(seed=seed))
        settled = norms[:, options.depth // 2 :].log()
        growth = (settled[:, 0] - settled[:, -1]) / max(1, settled.shape[1] - 1)
        measured = growth.where(growth.isfinite(), torch.nan).numpy()
        phase.append(theory.assign(measured_growth=measured, seed=seed))
    return {
        "variance": pd.concat(variance, ignore_index=True),
        "phase": pd.concat(phase, ignore_index=True),
        "boundary": _boundary(options),
    }


def _growth(nets: pd.DataFrame, predicted: np.ndarray) -> np.ndarray:
    """The mean of log(χ) / 2 over the second half of the layers, of the predicted variances (nets, depth)."""
    depth = predicted.shape[1]
    settled = predicted[:, depth // 2 : max(depth - 1, depth // 2 + 1)]  # χ of a layer leads from the next to it
    rows = zip(nets.activation, nets.weight_std, settled, strict=True)
    return np.array([np.mean([np.log(chi(name, std, q)) / 2 for q in layers]) for name, std, layers in rows])


def through(nets: pd.DataFrame, width: int, depth: int, seed: int) -> tuple[Tensor, Tensor]:
    """For every net and layer the mean square of h and the norm of the gradient: (nets, depth) each.

    All nets of a seed share their input and, up to σ_w and σ_b, their weights, so differences are theirs.
    The gradient is that of a random linear function of the last layer.
    """
    sigma_w, sigma_b = (torch.tensor(nets[name].to_numpy(float))[:, None] for name in ("weight_std", "bias_std"))
    kinds = [
        (registry.load("activation", str(kind))().double(), len(group))
        for kind, group in nets.groupby("activation", sort=False)
    ]
    input_ = torch.randn(width, generator=generator(seed, "data"), dtype=torch.float64)
    a, layers = (input_ / input_.square().mean().sqrt()).expand(len(nets), width), []
    for layer in range(depth):
        draws = torch.randn(width + 1, width, generator=generator(seed, "init", layer), dtype=torch.float64)
        h = sigma_w / width**0.5 * (a @ draws[:-1]) + sigma_b * draws[-1]
        layers.append(h.requires_grad_())
        a = torch.cat([act(part) for (act, _), part in zip(kinds, h.split([n for _, n in kinds]), strict=True)])
    direction = torch.randn(width, generator=generator(seed, "init", depth), dtype=torch.float64)
    gradients = torch.autograd.grad((layers[-1] @ direction).sum(), layers)
    squares = torch.stack([h.detach().square().mean(1) for h in layers], 1)
    return squares, torch.stack([g.norm(dim=1) for g in gradients], 1)


@np.errstate(over="ignore", invalid="ignore")
def _predicted(nets: pd.DataFrame, depth: int) -> np.ndarray:
    """The variance of every layer, (nets, depth), by iterating the map from an input of mean square 1."""
    q = [nets.weight_std.to_numpy() ** 2 + nets.bias_std.to_numpy() ** 2]
    for _ in range(depth - 1):
        q.append(np.empty(len(nets)))
        for kind, rows in nets.groupby("activation").indices.items():
            here = nets.iloc[rows]
            q[-1][rows] = variance_map(str(kind), here.weight_std, here.bias_std, q[-2][rows])
    return np.stack(q, axis=1)


def _by_layer(nets: pd.DataFrame, measured: Tensor, predicted: np.ndarray) -> pd.DataFrame:
    """One row a net and layer, layers counted from 1."""
    depth = predicted.shape[1]
    table = nets.loc[nets.index.repeat(depth)].reset_index(drop=True)
    layers = np.tile(np.arange(1, depth + 1), len(nets))
    return table.assign(layer=layers, measured=measured.flatten().numpy(), predicted=predicted.ravel())


def _boundary(options: Options) -> pd.DataFrame:
    """For a fine range of σ_b the σ_w at which χ passes 1, NaN without one, and how it does."""
    bias_stds = np.linspace(min(options.bias_stds), max(options.bias_stds), BOUNDARY_POINTS)
    table = pd.DataFrame(product(options.activations, bias_stds), columns=["activation", "bias_std"])
    table["weight_std"] = [critical_weight_std(*row) for row in table.itertuples(index=False)]
    rows = zip(table.activation, table.weight_std, table.bias_std, strict=True)
    return table.assign(passage=[passage(*row) for row in rows])
