"""Dropout's expectation and variance, and what of it holds at inference."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import sympy

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic

UNITS, CLASSES, DEPTH = 6, 3, 4
BY_MASKS = "by summing over every mask"

x, p = sympy.symbols("x p", positive=True)
BELOW_ONE = (0.1, 0.9)


class _Layer:
    """Random inputs, weights and drop probability; z is w · y for every mask, each with its probability."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.p = rng.uniform(0.1, 0.7)
        self.x, self.w = rng.normal(size=(2, UNITS))
        self._measure()

    def _measure(self) -> "_Layer":
        masks = np.array(list(product((0, 1), repeat=UNITS)))
        self.probability = np.where(masks, 1 - self.p, self.p).prod(1)
        self.y = masks * self.x / (1 - self.p)  # (masks, units)
        self.z = self.y @ self.w
        self.mean = self.w @ self.x
        self.variance = self.p / (1 - self.p) * (self.w**2 * self.x**2).sum()
        return self

    def of(self, x: np.ndarray | float, w: np.ndarray | float, p: float | None = None) -> "_Layer":
        """The same masks for inputs and weights that are given."""
        self.p, self.x, self.w = p or self.p, np.broadcast_to(x, UNITS), np.broadcast_to(w, UNITS)
        return self._measure()

    def average(self, values: np.ndarray) -> Any:
        return self.probability @ values


def _relu(z: Any) -> Any:
    return np.maximum(z, 0)


def _linear(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    return [layer.average(layer.z), layer.average((layer.z - layer.mean) ** 2)], [layer.mean, layer.variance]


def _unscaled(rng: np.random.Generator) -> tuple[Any, Any]:
    """A ReLU network without biases: every layer's input divided by 1 - p, against its output."""
    keep, h = 1 - rng.uniform(0.1, 0.7), rng.normal(size=UNITS)
    weights = rng.normal(size=(DEPTH, UNITS, UNITS)) / np.sqrt(UNITS)
    right, unscaled = h, h
    for W in weights:
        right, unscaled = _relu(W @ right), _relu(W @ unscaled / keep)
    return unscaled, keep**-DEPTH * right


def _jensen(layer: _Layer) -> tuple[Any, Any]:
    return _relu(layer.mean), layer.average(_relu(layer.z))


def _gap(layer: _Layer, f: Callable[[Any], Any]) -> float:
    return abs(layer.average(f(layer.z)) - f(layer.mean))


def _smooth(layer: _Layer) -> tuple[Any, Any]:
    curvature = 4 / (3 * np.sqrt(3))  # the largest |tanh''|
    return _gap(layer, np.tanh), curvature * layer.variance / 2


def _kink(layer: _Layer) -> tuple[Any, Any]:
    return _gap(layer, _relu), np.sqrt(layer.variance) / 2


def _geometric_mean(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    W, b = rng.normal(size=(CLASSES, UNITS)), rng.normal(size=CLASSES)

    def softmax(z: np.ndarray) -> np.ndarray:
        return np.exp(z) / np.exp(z).sum(-1, keepdims=True)

    mean = np.exp(layer.average(np.log(softmax(layer.y @ W.T + b))))
    return softmax(W @ layer.x + b), mean / mean.sum()


def _one_unit() -> list[Step]:
    return [
        Remark(
            r"Dropout with probability $p$ multiplies a unit $x$ by $r/(1-p)$, where $r$ is 0 with probability $p$ "
            r"and 1 otherwise, drawn anew for each unit and sample. This is the inverted form, which all libraries "
            r"use: it scales in training."
        ),
        Symbolic(
            r"The scale makes up for the units that are missing, so the mean is that of the unit without dropout.",
            p * 0 + (1 - p) * x / (1 - p),
            x,
            names={"p": p},
            latex=r"\mathbb{E}\Bigl[\frac{r x}{1-p}\Bigr] = p \cdot 0 + (1-p)\,\frac{x}{1-p} = x",
            span=BELOW_ONE,
        ),
        Symbolic(
            r"Its square is $x^2/(1-p)^2$ with probability $1 - p$. What dropout adds is noise, the more the larger "
            r"the unit.",
            (1 - p) * (x / (1 - p)) ** 2 - x**2,
            p / (1 - p) * x**2,
            latex=r"\operatorname{Var}\Bigl[\frac{r x}{1-p}\Bigr] = (1-p)\,\frac{x^2}{(1-p)^2} - x^2 "
            r"= \frac{p}{1-p}\; x^2",
            span=BELOW_ONE,
        ),
        Symbolic(
            r"The power that the next layer receives is therefore larger in training than at inference, where the "
            r"noise is off. A BatchNorm behind dropout learns a variance that it does not meet again.",
            x**2 + p / (1 - p) * x**2,
            x**2 / (1 - p),
            names={"p": p},
            latex=r"\mathbb{E}\Bigl[\Bigl(\frac{r x}{1-p}\Bigr)^{\!2}\Bigr] "
            r"= x^2 + \frac{p}{1-p}\; x^2 = \frac{x^2}{1-p}",
            span=BELOW_ONE,
        ),
        Numeric(
            r"For a linear function of many units expectations add up, and so do variances, since masks are "
            r"independent. At inference inverted dropout is the identity, and for a linear layer this is exact.",
            r"\mathbb{E}\Bigl[\sum_i w_i\, \frac{r_i x_i}{1-p}\Bigr] = \sum_i w_i x_i, \qquad "
            r"\operatorname{Var}\Bigl[\sum_i w_i\, \frac{r_i x_i}{1-p}\Bigr] = \frac{p}{1-p} \sum_i w_i^2 x_i^2",
            _linear,
            how=BY_MASKS,
        ),
    ]


def _without_scaling() -> list[Step]:
    return [
        Symbolic(
            r"The original form does not scale in training. The next layer then learns to work with smaller inputs, "
            r"so at inference every unit has to be multiplied by $1 - p$.",
            p * 0 + (1 - p) * x,
            (1 - p) * x,
            latex=r"\mathbb{E}[r x] = (1-p)\, x",
            span=BELOW_ONE,
        ),
        Numeric(
            r"If this is forgotten every layer sees inputs larger by $1/(1-p)$ than it was trained for. ReLU passes "
            r"the factor on, and over $L$ layers (of $h^L = \operatorname{relu}(W^L h^{L-1})$, without biases) it "
            r"compounds: $2^L$ at $p = \tfrac12$.",
            r"h^L_{\text{unscaled}} = (1-p)^{-L}\; h^L_{\text{scaled}}",
            _unscaled,
        ),
    ]


def _non_linear() -> list[Step]:
    return [
        Numeric(
            r"Behind a non-linearity the identity is only an approximation of the mean over masks. For a convex $f$, "
            r"such as ReLU, it is never too large, by Jensen's inequality, and right where no mask changes the sign. "
            r"Let $z = \sum_i w_i r_i x_i/(1-p)$.",
            r"f(\mathbb{E} z) \le \mathbb{E} f(z)",
            lambda rng: _jensen(_Layer(rng)),
            relation="<=",
            at=lambda rng: _jensen(_Layer(rng).of(1.0, 0.5)),
            how=BY_MASKS,
        ),
        Numeric(
            r"How far it is off follows from a Taylor expansion at $\mathbb{E} z$, whose linear term averages to 0: "
            r"half the largest curvature times the variance. For tanh the curvature is at most $4/\sqrt{27}$.",
            r"\bigl|\mathbb{E} f(z) - f(\mathbb{E} z)\bigr| \le \frac{\max |f''|}{2}\, \operatorname{Var} z "
            r"= \frac{\max |f''|}{2}\, \frac{p}{1-p} \sum_i w_i^2 x_i^2",
            lambda rng: _smooth(_Layer(rng)),
            relation="<=",
            at=lambda rng: _smooth(_Layer(rng).of(1.0, 0.6585 / UNITS, p=1e-3)),
            slack=1.02,
            how=BY_MASKS,
        ),
        Numeric(
            r"ReLU has no second derivative at its kink, but $\operatorname{relu}(z) = (z + |z|)/2$, and "
            r"$\mathbb{E}|z| - |\mathbb{E} z| \le \mathbb{E}|z - \mathbb{E} z|$ is at most the standard deviation.",
            r"\mathbb{E}\operatorname{relu}(z) - \operatorname{relu}(\mathbb{E} z) \le \tfrac12 "
            r"\sqrt{\operatorname{Var} z}",
            lambda rng: _kink(_Layer(rng)),
            relation="<=",
            at=lambda rng: _kink(_Layer(rng).of(1.0, np.array([1, -1] * (UNITS // 2)), p=0.5)),
            slack=1.34,
            how=BY_MASKS,
        ),
        Numeric(
            r"One non-linear case is exact. Logarithms of softmax outputs are linear in the logits, up to a constant "
            r"that normalizing removes: dropout before a softmax layer, switched off at inference, is the normalized "
            r"geometric mean of the outputs of all thinned networks.",
            r"\operatorname{softmax}(Wx + b) \propto \prod_{r} \operatorname{softmax}"
            r"\Bigl(W\, \frac{r \odot x}{1-p} + b\Bigr)^{P(r)}",
            _geometric_mean,
            how=BY_MASKS,
        ),
    ]


def dropout() -> Derivation:
    """Dropout's moments and inference; Srivastava et al. 2014, section 4, and Baldi & Sadowski 2013."""
    return Derivation(
        name="dropout",
        title="Dropout: expectation, variance and inference",
        claim=(
            r"Inverted dropout keeps the mean of a unit and adds the variance $\tfrac{p}{1-p}\,x^2$, so at inference "
            r"nothing is left to do. This is exact through a linear layer, and through a smooth $f$ to within "
            r"$\tfrac12 \max|f''| \operatorname{Var} z$."
        ),
        steps=[*_one_unit(), *_without_scaling(), *_non_linear()],
        cites=("srivastava2014", "baldi2013"),
    )
