"""How variance and gradients travel through wide random networks, and the edge of chaos between them."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import sympy
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy.integrate import quad
from scipy.special import expit, ndtr, ndtri
from sympy import Integral, Rational, exp, oo, pi, sqrt, tanh
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2 import registry
from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.probe.mean_field.measure import critical_weight_std, fixed_point

UNITS, DRAWS = 3, 100_000  # of a small layer, and draws of its input: expectations to some 1e-5
SIGNS = torch.tensor(list(product((-1.0, 1.0), repeat=UNITS)), dtype=torch.float64)
EDGE = {"relu": 1.4142, "tanh": 1.8556, "elu": 1.3580, "gelu": 1.4059, "silu": 1.4025, "sigmoid": 10.2650}

q, sigma_w, sigma_b, L, c = sympy.symbols("q sigma_w sigma_b L chi", positive=True)
z = sympy.symbols("z", real=True)
DENSITY = exp(-(z**2) / (2 * q)) / sqrt(2 * pi * q)

Function = Callable[[Any], Any]
BY_DEFINITION: dict[str, tuple[Function, Function]] = {  # f and f', apart from the library's code
    "relu": (lambda x: max(x, 0), lambda x: x > 0),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "elu": (lambda x: np.expm1(min(x, 0)) + max(x, 0), lambda x: np.exp(min(x, 0))),
    "gelu": (lambda x: x * ndtr(x), lambda x: ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
    "silu": (lambda x: x * expit(x), lambda x: expit(x) * (1 + x * expit(-x))),
    "sigmoid": (expit, lambda x: expit(x) * expit(-x)),
}


MEAN, SLOPE = (
    rf"\mathbb{{E}}\,\phi{prime}\bigl(\sqrt{{q^{{{l}}}}}\,z\bigr)^2" for prime, l in (("", "l-1"), ("'", "l"))
)
GROWTH = r"\frac{\mathbb{E}\,(\delta^{l}_i)^2}{\mathbb{E}\,(\delta^{l+1}_i)^2}"
BY_SIGNS = "for six activations, over every sign of the weights"


class _Layer:
    """A layer of units φ on h ~ N(0, q): h, (draws, units), takes every quantile once, its units independently."""

    def __init__(self, rng: np.random.Generator, name: str) -> None:
        self.q, self.weight_std, self.bias_std = rng.uniform(0.2, 2.0), rng.uniform(0.5, 1.5), rng.uniform(0.2, 0.8)
        self.phi = registry.load("activation", name)().double()
        ranks = rng.permuted(np.tile(np.arange(DRAWS), (UNITS, 1)), axis=1).T
        self.h = torch.from_numpy(np.sqrt(self.q) * ndtri((ranks + 0.5) / DRAWS))
        self.W = torch.from_numpy(rng.normal(size=(UNITS, UNITS)))
        self.delta = torch.from_numpy(rng.normal(size=UNITS))

    def delta_before(self, W: Tensor) -> Tensor:
        """The error of every draw of h by automatic differentiation, if that of W φ(h) + b is `delta`."""
        h = self.h.clone().requires_grad_()
        return torch.autograd.grad((self.phi(h) @ W.T @ self.delta).sum(), h)[0]


def _expectation(f: Function, q: float) -> float:
    """E f(√q z)² by adaptive quadrature."""

    def integrand(z: float) -> float:
        return float(f(np.sqrt(q) * z) ** 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))

    return sum(quad(integrand, *ends, epsabs=1e-13, limit=200)[0] for ends in ((-10, 0), (0, 10)))


def _variance(rng: np.random.Generator) -> Names:
    """The mean square of a next pre-activation over every sign of its weights and bias, and over all draws of h."""
    squares: list[Names] = []
    for name, (f, _) in BY_DEFINITION.items():
        layer = _Layer(rng, name)
        sums = layer.weight_std / UNITS**0.5 * layer.phi(layer.h) @ SIGNS.T
        measured = torch.stack([(sums + sign * layer.bias_std).square().mean() for sign in (-1, 1)]).mean()
        expected = _expectation(f, layer.q)
        squares.append({"q^l": measured, r"\sigma_w": layer.weight_std, r"\sigma_b": layer.bias_std, MEAN: expected})
    return _together(squares)


def _backward(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng, "tanh")
    return layer.delta_before(layer.W), (1 - torch.tanh(layer.h) ** 2) * (layer.W.T @ layer.delta)


def _growth(rng: np.random.Generator) -> Names:
    """The squared error over every sign of the weights that it comes through, and over all draws of h."""
    growth: list[Names] = []
    for name, (_, slope) in BY_DEFINITION.items():
        layer = _Layer(rng, name)
        back = [layer.delta_before(layer.weight_std / UNITS**0.5 * torch.outer(s, SIGNS[0]))[:, 0] for s in SIGNS]
        measured = torch.stack(back).square().mean() / layer.delta.square().mean()
        expected = _expectation(slope, layer.q)
        growth.append({GROWTH: measured, r"\sigma_w": layer.weight_std, SLOPE: expected})
    return _together(growth)


def _together(cases: list[Names]) -> Names:
    """Each name with its values in all cases."""
    return {name: np.array([float(case[name]) for case in cases]) for name in cases[0]}


def _correlation(rng: np.random.Generator) -> tuple[Any, Any]:
    """d/dc E f(u) f(v) against q E f'(u) f'(v), for u, v ~ N(0, q) of correlation c."""
    nodes, weights = hermegauss(60)
    u, v = (torch.from_numpy(grid) for grid in np.meshgrid(nodes, nodes))
    weight = torch.from_numpy(np.outer(weights, weights)) / (2 * np.pi)
    q, c = rng.uniform(0.1, 0.5), torch.tensor(rng.uniform(0.1, 0.9), dtype=torch.float64)

    def pair(c: Tensor) -> tuple[Tensor, Tensor]:
        return np.sqrt(q) * u, np.sqrt(q) * (c * u + torch.sqrt(1 - c**2) * v)

    left, right = [], []
    for name in ("tanh", "gelu", "silu", "sigmoid"):
        phi = registry.load("activation", name)().double()
        left.append(jacobian(lambda c, phi=phi: (weight * phi(pair(c)[0]) * phi(pair(c)[1])).sum(), c))
        slopes = [torch.autograd.functional.vjp(phi, x, torch.ones_like(x))[1] for x in pair(c)]
        right.append(q * (weight * slopes[0] * slopes[1]).sum())
    return left, right


def _edges(rng: np.random.Generator) -> tuple[Any, Any]:
    """The edge by our code against the printed values, and both its conditions by other code; σ_b = 1."""
    conditions = []
    for name in list(EDGE)[1:]:  # ReLU's fixed point on the edge is infinite
        f, slope = BY_DEFINITION[name]
        weight_std = critical_weight_std(name, 1.0)
        q = fixed_point(name, weight_std, 1.0)
        conditions += [weight_std**2 * _expectation(slope, q), (weight_std**2 * _expectation(f, q) + 1) / q]
    ours = [critical_weight_std(name, 1.0) for name in EDGE]
    return ours + conditions, list(EDGE.values()) + [1.0] * len(conditions)


def _theory() -> list[Step]:
    return [
        Remark(
            r"Let $h^l = W^l \phi(h^{l-1}) + b^l$ in layers of $N$ units, with independent $W^l_{ij} \sim "
            r"\mathcal{N}(0, \sigma_w^2/N)$ and $b^l_i \sim \mathcal{N}(0, \sigma_b^2)$. Given layer $l-1$ the "
            r"$h^l_i$ are independent normal variables, and their variance is a mean over $N$ units: as $N$ grows, it "
            r"is replaced by its expectation. Let $z \sim \mathcal{N}(0, 1)$."
        ),
        Numeric(
            r"So the variance $q^l$ of a layer's pre-activations is a function of the one before, and nothing else.",
            rf"q^l = \sigma_w^2\, {MEAN} + \sigma_b^2",
            _variance,
            tolerance=5e-4,
            how=BY_SIGNS,
        ),
        Numeric(
            r"The error $\delta^l = \partial L/\partial h^l$ goes back through the transposed weights and the slope.",
            r"\delta^{l} = \phi'(h^{l}) \odot \bigl(W^{l+1}\bigr)^{\!\top} \delta^{l+1}",
            _backward,
        ),
        Numeric(
            r"The slopes do not depend on $W^{l+1}$, and the theory takes $\delta^{l+1}$ as independent of it too. "
            r"Then the mean square of the error is multiplied by the same kind of integral.",
            rf"\chi = {GROWTH} = \sigma_w^2\, {SLOPE}",
            _growth,
            tolerance=5e-4,
            how=BY_SIGNS,
        ),
        Numeric(
            r"The same $\chi$ tells whether two inputs stay together. If $u$ and $v$ have variance $q$ and "
            r"correlation $c$, then by Price's theorem $c$ moves the covariance as follows. So at $c = 1$ the next "
            r"layer's correlation has the slope $\chi\,q/q'$, where $q'$ is its variance, and at a fixed point $q^* > "
            r"0$ "
            r"the slope $\chi$: if that is above 1, nearby inputs are driven apart, which is chaos.",
            r"\frac{\partial}{\partial c}\, \mathbb{E}\,\phi(u)\,\phi(v) = q\; \mathbb{E}\,\phi'(u)\,\phi'(v)",
            _correlation,
            tolerance=1e-7,
            how="for tanh, GELU, SiLU and the sigmoid, by Gauss-Hermite quadrature",
        ),
        Symbolic(
            r"Once the variance has settled at $q^*$ every layer has the same $\chi$. Over $L$ layers the squared "
            r"gradient changes exponentially, on the depth scale $\xi$, which is infinite only at $\chi = 1$.",
            c**L,
            exp(L * sympy.log(c)),
            names={r"\xi": 1 / sympy.Abs(sympy.log(c)), r"\pm L": sympy.sign(sympy.log(c)) * L},
            latex=r"\chi^L = e^{L \log \chi} = e^{\pm L/\xi}, \qquad \xi = \frac{1}{|\log \chi|}",
        ),
    ]


def _relu() -> list[Step]:
    return [
        Symbolic(
            r"For ReLU both integrals run over half of the normal density, and the second is a half whatever $q$ is.",
            sigma_w**2 * Integral(DENSITY, (z, 0, oo)),
            sigma_w**2 / 2,
            names={
                r"\mathbb{E}\operatorname{relu}(\sqrt q\,z)^2": Integral(z**2 * DENSITY, (z, 0, oo)),
                r"\mathbb{E}\operatorname{relu}'(\sqrt q\,z)^2": Integral(DENSITY, (z, 0, oo)),
            },
            latex=r"\mathbb{E}\operatorname{relu}(\sqrt q\,z)^2 = \frac q2, \quad "
            r"\mathbb{E}\operatorname{relu}'(\sqrt q\,z)^2 = \frac12 \quad\Longrightarrow\quad \chi = "
            r"\frac{\sigma_w^2}{2}",
        ),
        Symbolic(
            r"Its edge of chaos is therefore $\sigma_w^2 = 2$ exactly, which is Kaiming's initialization. Below it the "
            r"variance tends to $q^*$; on it $q$ grows by $\sigma_b^2$ a layer, and is kept only if $\sigma_b = 0$.",
            sympy.solve(sigma_w**2 * q / 2 + sigma_b**2 - q, q)[0],
            2 * sigma_b**2 / (2 - sigma_w**2),
            names={"q^*": 2 * sigma_b**2 / (2 - sigma_w**2)},
            latex=r"q^* = \frac{\sigma_w^2}{2}\,q^* + \sigma_b^2 \quad\Longleftrightarrow\quad "
            r"q^* = \frac{2\,\sigma_b^2}{2 - \sigma_w^2}, \qquad \sigma_w^2 < 2",
            span=(0.1, 1.2),
        ),
        Symbolic(
            r"There is no chaos beyond it, as there is no fixed point: the variance grows with the squared gradient, "
            r"and "
            r"the slope of the correlation at $c = 1$ does not exceed 1, whatever $\sigma_w$ is. Nearby inputs stay "
            r"together.",
            sigma_w**2 / 2 * q / (sigma_w**2 / 2 * q + sigma_b**2),
            sympy.Integer(1),
            relation="<=",
            names={r"\frac{q}{q'}": q / (sigma_w**2 / 2 * q + sigma_b**2), r"\chi": sigma_w**2 / 2},
            latex=r"\chi\,\frac{q}{q'} = \frac{\sigma_w^2}{2} \cdot \frac{q}{\frac{\sigma_w^2}{2}\,q + \sigma_b^2} "
            r"\le 1",
            at={sigma_w: 3, q: 1, sigma_b: 0},
        ),
    ]


def _mean_of_series(f: sympy.Expr, order: int) -> sympy.Expr:
    """E of the Taylor polynomial of f(x) for x ~ N(0, q), up to x^order."""
    return Integral(sympy.series(f, z, 0, order + 1).removeO() * DENSITY, (z, -oo, oo))


def _tanh() -> list[Step]:
    square = q - 2 * q**2 + Rational(17, 3) * q**3
    slope = 1 - 2 * q + 7 * q**2
    return [
        Symbolic(
            r"For tanh expand $\tanh^2 x = x^2 - \tfrac23 x^4 + \tfrac{17}{45} x^6 - \dots$ and use the moments "
            r"$q$, $3q^2$ and $15q^3$ of $x = \sqrt q\,z$.",
            _mean_of_series(tanh(z) ** 2, 6),
            square,
            names={r"\mathbb{E}\tanh(\sqrt q\,z)^2": square},
            latex=r"\mathbb{E}\tanh(\sqrt q\,z)^2 = q - 2q^2 + \tfrac{17}{3}\,q^3 + O(q^4)",
        ),
        Symbolic(
            r"In the same way for the slope $1 - \tanh^2$, with $(1 - \tanh^2 x)^2 = 1 - 2x^2 + \tfrac73 x^4 - \dots$",
            _mean_of_series((1 - tanh(z) ** 2) ** 2, 4),
            slope,
            latex=r"\mathbb{E}\tanh'(\sqrt q\,z)^2 = 1 - 2q + 7q^2 + O(q^3)",
        ),
        Symbolic(
            r"On the edge $\chi = 1$, so that $\sigma_w^2$ is the inverse of the last line, and $\sigma_b^2$ is what "
            r"the fixed point then needs. Two orders cancel, and the edge leaves $(\sigma_w, \sigma_b) = (1, 0)$ as "
            r"$\sigma_w^2 \approx 1 + 2\,(\tfrac34 \sigma_b^2)^{1/3}$: a small bias asks for clearly larger weights.",
            sympy.series(q - square / slope, q, 0, 4).removeO(),
            Rational(4, 3) * q**3,
            names={r"\sigma_w^2": sympy.series(1 / slope, q, 0, 3).removeO()},
            latex=r"\sigma_w^2 = 1 + 2q - 3q^2 + O(q^3), \qquad "
            r"\sigma_b^2 = q - \sigma_w^2\, \mathbb{E}\tanh(\sqrt q\,z)^2 = \tfrac43\,q^3 + O(q^4)",
        ),
    ]


def _numbers() -> list[Step]:
    return [
        Numeric(
            r"For other activations $\chi = 1$ and the equation of the fixed point are solved for $(\sigma_w, q^*)$ "
            r"numerically, here for $\sigma_b = 1$; the values are those of $\sigma_w$. (ReLU has no fixed point "
            r"there: its value is that of $\chi = 1$ alone.) Saturating activations need "
            r"larger weights than ReLU. At a small $\sigma_b$ the maps of GELU and SiLU have several fixed points: "
            r"there the one that a network reaches jumps as $\sigma_w$ grows, and $\chi$ passes 1 without taking the "
            r"value.",
            r"\begin{array}{cccccc} \text{ReLU, } \chi \text{ alone} & \tanh & \text{ELU} & \text{GELU} & "
            r"\text{SiLU} & \text{sigmoid} \\ "
            + " & ".join(f"{value:.4f}" for value in EDGE.values())
            + r" \end{array}",
            _edges,
            tolerance=1e-4,
            how="by quadrature and root finding, twice",
        )
    ]


def mean_field() -> Derivation:
    """The variance map, χ and the edge of chaos; Poole et al. 2016, Schoenholz et al. 2017."""
    return Derivation(
        name="mean_field",
        title="Mean-field theory and the edge of chaos",
        claim=(
            r"In a wide random network the variance of the pre-activations obeys $q \mapsto \sigma_w^2\, "
            r"\mathbb{E}\,\phi(\sqrt q\,z)^2 + \sigma_b^2$, and the squared gradient grows by $\chi = \sigma_w^2\, "
            r"\mathbb{E}\,\phi'(\sqrt q\,z)^2$ a layer. Deep networks can be trained near the edge of chaos, $\chi = "
            r"1$; for ReLU, which has no chaos beyond it, this is $\sigma_w^2 = 2$."
        ),
        steps=[*_theory(), *_relu(), *_tanh(), *_numbers()],
        cites=("poole2016", "schoenholz2017"),
    )
