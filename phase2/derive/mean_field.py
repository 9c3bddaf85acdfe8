"""How variance and gradients travel through wide random networks, and the edge of chaos between them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy.integrate import quad
from scipy.special import expit, ndtr
from sympy import Integral, Rational, exp, oo, pi, sqrt, tanh
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.probe.mean_field.measure import critical_weight_std, fixed_point, variance_map

WIDTH = 1500  # units, so that a layer's mean square is known to a few percent
EDGE = {"relu": 1.4142, "tanh": 1.8556, "elu": 1.3580, "gelu": 1.4059, "silu": 1.4025, "sigmoid": 10.2650}

q, sigma_w, sigma_b, L, c = sympy.symbols("q sigma_w sigma_b L chi", positive=True)
z = sympy.symbols("z", real=True)
DENSITY = exp(-(z**2) / (2 * q)) / sqrt(2 * pi * q)

Function = Callable[[Any], Any]
BY_DEFINITION: dict[str, tuple[Function, Function]] = {  # f and f', apart from the library's code
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "elu": (lambda x: np.expm1(min(x, 0)) + max(x, 0), lambda x: np.exp(min(x, 0))),
    "gelu": (lambda x: x * ndtr(x), lambda x: ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
    "silu": (lambda x: x * expit(x), lambda x: expit(x) * (1 + x * expit(-x))),
    "sigmoid": (expit, lambda x: expit(x) * expit(-x)),
}


class _WideLayer:
    """One layer of tanh units on h ~ N(0, q): the next pre-activations, and an error on its way back."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.q, self.weight_std, self.bias_std = rng.uniform(0.2, 2.0), rng.uniform(0.5, 1.5), rng.uniform(0.0, 0.5)
        self.h = torch.from_numpy(rng.normal(scale=np.sqrt(self.q), size=WIDTH))
        self.W = torch.from_numpy(rng.normal(scale=self.weight_std / np.sqrt(WIDTH), size=(WIDTH, WIDTH)))
        self.b = torch.from_numpy(rng.normal(scale=self.bias_std, size=WIDTH))
        self.delta = torch.from_numpy(rng.normal(size=WIDTH))

    def forward(self, h: Tensor) -> Tensor:
        return self.W @ torch.tanh(h) + self.b

    def delta_before(self) -> Tensor:
        """The error of h by automatic differentiation, if that of the next pre-activations is `delta`."""
        return jacobian(lambda h: self.delta @ self.forward(h), self.h)


def _expectation(f: Function, q: float) -> float:
    """E f(√q z)² by adaptive quadrature."""

    def integrand(z: float) -> float:
        return float(f(np.sqrt(q) * z) ** 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))

    return sum(quad(integrand, *ends, epsabs=1e-13, limit=200)[0] for ends in ((-10, 0), (0, 10)))


def _variance(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _WideLayer(rng)
    return layer.forward(layer.h).square().mean(), variance_map("tanh", layer.weight_std, layer.bias_std, layer.q)


def _backward(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _WideLayer(rng)
    return layer.delta_before(), (1 - torch.tanh(layer.h) ** 2) * (layer.W.T @ layer.delta)


def _growth(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _WideLayer(rng)
    chi = layer.weight_std**2 * _expectation(BY_DEFINITION["tanh"][1], layer.q)
    return layer.delta_before().square().mean() / layer.delta.square().mean(), chi


def _correlation(rng: np.random.Generator) -> tuple[Any, Any]:
    """d/dc E f(u) f(v) against q E f'(u) f'(v), for tanh and u, v ~ N(0, q) of correlation c."""
    nodes, weights = hermegauss(60)
    u, v = (torch.from_numpy(grid) for grid in np.meshgrid(nodes, nodes))
    weight = torch.from_numpy(np.outer(weights, weights)) / (2 * np.pi)
    q = rng.uniform(0.1, 0.5)

    def pair(c: Tensor) -> tuple[Tensor, Tensor]:
        return np.sqrt(q) * u, np.sqrt(q) * (c * u + torch.sqrt(1 - c**2) * v)

    def product(c: Tensor) -> Tensor:
        one, other = pair(c)
        return (weight * torch.tanh(one) * torch.tanh(other)).sum()

    c = torch.tensor(rng.uniform(0.1, 0.9), dtype=torch.float64)
    slopes = [1 - torch.tanh(x) ** 2 for x in pair(c)]
    return jacobian(product, c), q * (weight * slopes[0] * slopes[1]).sum()


def _edges(rng: np.random.Generator) -> tuple[Any, Any]:
    """The edge by our code against the printed values, and both its conditions by other code; σ_b = 1."""
    conditions = []
    for name, (f, slope) in BY_DEFINITION.items():
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
            r"q^l = \sigma_w^2\, \mathbb{E}\,\phi\bigl(\sqrt{q^{l-1}}\,z\bigr)^2 + \sigma_b^2",
            _variance,
            tolerance=0.2,
            how=f"within 0.2 in a random layer of {WIDTH} tanh units",
        ),
        Numeric(
            r"The error $\delta^l = \partial L/\partial h^l$ goes back through the transposed weights and the slope.",
            r"\delta^{l} = \phi'(h^{l}) \odot \bigl(W^{l+1}\bigr)^{\!\top} \delta^{l+1}",
            _backward,
        ),
        Numeric(
            r"The slopes do not depend on $W^{l+1}$, and the theory takes $\delta^{l+1}$ as independent of it too. "
            r"Then the mean square of the error is multiplied by the same kind of integral.",
            r"\frac{\mathbb{E}\,(\delta^{l}_i)^2}{\mathbb{E}\,(\delta^{l+1}_i)^2} = \chi, \qquad "
            r"\chi = \sigma_w^2\, \mathbb{E}\,\phi'\bigl(\sqrt{q^{l}}\,z\bigr)^2",
            _growth,
            tolerance=0.2,
            how=f"within 0.2 in a random layer of {WIDTH} tanh units",
        ),
        Numeric(
            r"The same $\chi$ tells whether two inputs stay together. If $u$ and $v$ have variance $q$ and "
            r"correlation $c$, then by Price's theorem $c$ moves the covariance as follows; at $c = 1$ and the fixed "
            r"point $q^*$ the next layer's correlation has the slope $\chi$. For $\chi > 1$ nearby inputs are driven "
            r"apart: chaos.",
            r"\frac{\partial}{\partial c}\, \mathbb{E}\,\phi(u)\,\phi(v) = q\; \mathbb{E}\,\phi'(u)\,\phi'(v)",
            _correlation,
            tolerance=1e-7,
            how="for tanh, by Gauss-Hermite quadrature",
        ),
        Symbolic(
            r"Once the variance has settled at $q^*$ every layer has the same $\chi$. Over $L$ layers the squared "
            r"gradient changes exponentially, on the depth scale $\xi$, which is infinite only at $\chi = 1$.",
            c**L,
            exp(L * sympy.log(c)),
            latex=r"\chi^L = e^{L \log \chi} = e^{\pm L/\xi}, \qquad \xi = \frac{1}{|\log \chi|}",
        ),
    ]


def _relu() -> list[Step]:
    return [
        Symbolic(
            r"For ReLU both integrals run over half of the normal density, and the second is a half whatever $q$ is.",
            Integral(z**2 * DENSITY, (z, 0, oo)) + Integral(DENSITY, (z, 0, oo)),
            q / 2 + Rational(1, 2),
            latex=r"\mathbb{E}\operatorname{relu}(\sqrt q\,z)^2 = \frac q2, \quad "
            r"\mathbb{E}\operatorname{relu}'(\sqrt q\,z)^2 = \frac12 \quad\Longrightarrow\quad \chi = "
            r"\frac{\sigma_w^2}{2}",
        ),
        Symbolic(
            r"Its edge of chaos is therefore $\sigma_w^2 = 2$ exactly, which is Kaiming's initialization. Below it the "
            r"variance tends to $q^*$; on it $q$ grows by $\sigma_b^2$ a layer, and is kept only if $\sigma_b = 0$.",
            sympy.solve(sigma_w**2 * q / 2 + sigma_b**2 - q, q)[0],
            2 * sigma_b**2 / (2 - sigma_w**2),
            latex=r"q^* = \frac{\sigma_w^2}{2}\,q^* + \sigma_b^2 \quad\Longleftrightarrow\quad "
            r"q^* = \frac{2\,\sigma_b^2}{2 - \sigma_w^2}, \qquad \sigma_w^2 < 2",
            span=(0.1, 1.2),
        ),
    ]


def _mean_of_series(f: sympy.Expr, order: int) -> sympy.Expr:
    """E of the Taylor polynomial of f(x) for x ~ N(0, q), up to x^order."""
    return Integral(sympy.series(f, z, 0, order + 1).removeO() * DENSITY, (z, -oo, oo))


def _tanh() -> list[Step]:
    square = q - 2 * q**2 + Rational(17, 3) * q**3
    slope = 1 - 2 * q + 7 * q**2
    on_edge = 1 + 2 * q - 3 * q**2
    return [
        Symbolic(
            r"For tanh expand $\tanh^2 x = x^2 - \tfrac23 x^4 + \tfrac{17}{45} x^6 - \dots$ and use the moments "
            r"$q$, $3q^2$ and $15q^3$ of $x = \sqrt q\,z$.",
            _mean_of_series(tanh(z) ** 2, 6),
            square,
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
            sympy.series(1 / slope, q, 0, 3).removeO() + sympy.series(q - on_edge * square, q, 0, 4).removeO(),
            on_edge + Rational(4, 3) * q**3,
            latex=r"\sigma_w^2 = 1 + 2q - 3q^2 + O(q^3), \qquad "
            r"\sigma_b^2 = q - \sigma_w^2\, \mathbb{E}\tanh(\sqrt q\,z)^2 = \tfrac43\,q^3 + O(q^4)",
        ),
    ]


def _numbers() -> list[Step]:
    return [
        Numeric(
            r"For other activations $\chi = 1$ and the equation of the fixed point are solved for $(\sigma_w, q^*)$ "
            r"numerically, here for $\sigma_b = 1$; the values are those of $\sigma_w$. Saturating activations need "
            r"larger weights than ReLU. At a small $\sigma_b$ the maps of GELU and SiLU have several fixed points: "
            r"there the one that a network reaches jumps as $\sigma_w$ grows, and $\chi$ passes 1 without taking the "
            r"value.",
            r"\begin{array}{cccccc} \text{ReLU} & \tanh & \text{ELU} & \text{GELU} & \text{SiLU} & \text{sigmoid} \\ "
            + " & ".join(f"{value:.4f}" for value in EDGE.values())
            + r" \end{array}",
            _edges,
            tolerance=1e-5,
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
            r"1$; for ReLU this is $\sigma_w^2 = 2$."
        ),
        steps=[*_theory(), *_relu(), *_tanh(), *_numbers()],
        cites=("poole2016", "schoenholz2017"),
    )
