"""Universal approximation: Cybenko's proof in outline, and in one dimension a construction with its error bound."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from scipy.special import expit
from sympy import Abs, Piecewise, exp, log

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic

UNITS = (8, 32, 128)
GRID = np.linspace(0, 1, 2049)  # with all knots and midpoints of these numbers of units

t = sympy.Symbol("t", real=True)
lam = sympy.Symbol("lambda", positive=True)
n = sympy.Symbol("n", positive=True, integer=True)

Target = Callable[[np.ndarray], np.ndarray]


def _target(rng: np.random.Generator) -> Target:
    """√|x - a|, with a cusp inside [0, 1]: its modulus of continuity is ω(δ) = √δ exactly."""
    return _cusp(rng.uniform(0.2, 0.8))


def _cusp(a: float) -> Target:
    return lambda x: np.sqrt(np.abs(x - a))


def _sum_of_units(f: Target, units: int, unit: Target) -> np.ndarray:
    """f(0) + Σ_k (f(x_k) - f(x_{k-1})) unit(x - m_k) on GRID; knots x_k = k/n, midpoints m_k between them."""
    knots = np.linspace(0, 1, units + 1)
    middles = (knots[1:] + knots[:-1]) / 2
    return f(knots[:1]) + unit(GRID[:, None] - middles) @ np.diff(f(knots))


def _network(f: Target, units: int) -> np.ndarray:
    """The same with sigmoids of steepness λ = 4 n log n: a network of one hidden layer."""
    return _sum_of_units(f, units, lambda x: expit(4 * units * np.log(units) * x))


def _sup_error(f: Target, approximation: np.ndarray) -> float:
    return float(np.abs(f(GRID) - approximation).max())


def _limit(rng: np.random.Generator) -> tuple[Any, Any]:
    c, distance = rng.uniform(-2, 2), rng.uniform(0.1, 1)
    return expit(1e3 * distance * np.array([1, 0, -1]) + c), [1, expit(c), 0]


def _bump(rng: np.random.Generator) -> tuple[Any, Any]:
    a, b = np.sort(rng.uniform(0, 1, 2))
    return _bump_error(GRID, a, b, rng.uniform(20, 200))


def _bump_error(x: np.ndarray, a: float, b: float, steepness: float) -> tuple[Any, Any]:
    """The error of a bump at each point, against the bound at the point's distance from the nearer edge."""
    bump = expit(steepness * (x - a)) - expit(steepness * (x - b))
    delta = np.minimum(np.abs(x - a), np.abs(x - b))
    return np.abs(bump - (np.abs(x - (a + b) / 2) < (b - a) / 2)), 2 * np.exp(-steepness * delta)


def _telescope(rng: np.random.Generator) -> tuple[Any, Any]:
    f = _target(rng)
    stairs = _sum_of_units(f, 32, lambda x: x > 0)
    return stairs, f(np.ceil(GRID * 32 - 0.5) / 32)


def _stairs_error(rng: np.random.Generator, f: Target | None = None) -> tuple[Any, Any]:
    f = f or _target(rng)
    return [_sup_error(f, _sum_of_units(f, k, lambda x: x > 0)) for k in UNITS], [(1 / (2 * k)) ** 0.5 for k in UNITS]


def _network_error(rng: np.random.Generator) -> tuple[Any, Any]:
    f = _target(rng)
    return [_sup_error(f, _network(f, k)) for k in UNITS], [(1 / k) ** 0.5 * (1 + 1 / k) for k in UNITS]


def _between_knots(rng: np.random.Generator) -> tuple[Any, Any]:
    """A network of many units, and a target whose cusp is as far from the knots as can be."""
    k = UNITS[-1]
    return _sup_error(_cusp(0.5 + 0.5 / k), _network(_cusp(0.5 + 0.5 / k), k)), (1 / k) ** 0.5 * (1 + 1 / k)


def _existence() -> list[Step]:
    return [
        Remark(
            r"Hypotheses: $\sigma$ is continuous and sigmoidal, $\sigma(t) \to 1$ as $t \to \infty$ and $\sigma(t) "
            r"\to 0$ as $t \to -\infty$; the domain is the cube $I = [0, 1]^d$; $S$ is the set of finite sums $\sum_j "
            r"\alpha_j\, \sigma(w_j^\top x + b_j)$. Distances are in the supremum norm."
        ),
        Remark(
            r"Suppose the closure of $S$ were not all of $C(I)$. It is a proper closed subspace, so by the "
            r"Hahn--Banach theorem some bounded linear functional on $C(I)$ is 0 on $S$ but not everywhere; by "
            r"Riesz's theorem it is $g \mapsto \int_I g\, d\mu$ for a signed measure $\mu \ne 0$. Hence $\int_I "
            r"\sigma(w^\top x + b)\, d\mu(x) = 0$ for all $w$ and $b$. A function $\sigma$ is called discriminatory "
            r"if this forces $\mu = 0$; it is left to show that ours is."
        ),
        Symbolic(
            r"A steep sigmoid is almost a step. For the logistic $\sigma$, used from here wherever a rate appears or a "
            r"number is checked, the difference decays exponentially in the steepness $\lambda$ away from $t = 0$; for "
            r"any sigmoidal $\sigma$ it tends to 0 at $t \ne 0$, which is all that the next step needs.",
            Abs(1 / (1 + exp(-lam * t)) - Piecewise((1, t > 0), (0, True))),
            exp(-lam * Abs(t)),
            relation="<=",
            at={lam: 4, t: 3},
            slack=1.001,
            names={r"\sigma": lambda t: 1 / (1 + exp(-t)), r"\mathbf{1}\{t > 0\}": Piecewise((1, t > 0), (0, True))},
            latex=r"\bigl|\sigma(\lambda t) - \mathbf{1}\{t > 0\}\bigr| \le e^{-\lambda |t|}, \qquad t \ne 0",
        ),
        Numeric(
            r"With an offset $c$ the limit is still 1 on the one side and 0 on the other; at $t = 0$ it is whatever "
            r"value of the sigmoid one likes.",
            r"\lim_{\lambda \to \infty} \sigma(\lambda t + c) = \mathbf{1}\{t > 0\} + \sigma(c)\, \mathbf{1}\{t = 0\}",
            _limit,
        ),
        Remark(
            r"Put $t = w^\top x + b$. The functions are bounded, so dominated convergence carries the limit into the "
            r"integral: $\mu\{w^\top x + b > 0\} + \sigma(c)\, \mu\{w^\top x + b = 0\} = 0$ for every $c$, so $\mu$ "
            r"is 0 on every hyperplane and on every half-space. Sums of steps in $w^\top x$ approximate $\cos w^\top "
            r"x$ and $\sin w^\top x$ uniformly, so the Fourier transform of $\mu$ is 0, and $\mu = 0$: a "
            r"contradiction."
        ),
    ]


def _construction() -> list[Step]:
    return [
        Numeric(
            r"In one dimension no functional analysis is needed. Two sigmoids make a bump, which differs from an "
            r"interval's indicator near its ends only.",
            r"\bigl|\sigma(\lambda(x - a)) - \sigma(\lambda(x - b)) - \mathbf{1}\{a < x < b\}\bigr| "
            r"\le 2\,e^{-\lambda\delta}, \quad \delta = \min(|x - a|, |x - b|)",
            _bump,
            relation="<=",
            at=lambda rng: _bump_error(np.array([0.5]), 0.4, 0.6, steepness=100.0),
            slack=1.001,
            absolute=1e-12,
            how="on a grid",
        ),
        Numeric(
            r"Let $x_k = k/n$, with midpoints $m_k = (x_{k-1} + x_k)/2$. A sum of steps whose heights are the "
            r"increments of $f$ telescopes to $f$ at the nearest knot.",
            r"f(0) + \sum_{k=1}^{n} \bigl(f(x_k) - f(x_{k-1})\bigr)\, \mathbf{1}\{x > m_k\} = f(x_j), "
            r"\qquad |x - x_j| \le \frac{1}{2n}",
            _telescope,
        ),
        Numeric(
            r"The nearest knot is at most $1/(2n)$ away, so the staircase is as near to $f$ as $f$ is to itself over "
            r"that distance. Measured for $f(x) = \sqrt{|x - a|}$, where $\omega(\delta) = \sqrt\delta$.",
            r"\sup_x |f(x) - \text{staircase}(x)| \le \omega\Bigl(\frac{1}{2n}\Bigr), \qquad "
            r"\omega(\delta) = \sup_{|x - y| \le \delta} |f(x) - f(y)|",
            _stairs_error,
            relation="<=",
            at=lambda rng: _stairs_error(rng, _cusp(0.5)),
            how="on a grid",
        ),
        Symbolic(
            r"Now let sigmoids of steepness $\lambda$ stand for the steps. Only the step nearest to $x$ is nearer "
            r"than $1/(2n)$; the others, $n$ at most, are off by $e^{-\lambda/(2n)}$ each, in units of their heights, "
            r"which are at most $\omega(1/n)$. One steepness makes that small for all $n$.",
            n * exp(-lam / (2 * n)).subs(lam, 4 * n * log(n)),
            1 / n,
            names={r"\lambda": 4 * n * log(n)},
            latex=r"n\, e^{-\lambda/2n} = \frac1n \qquad\text{for}\qquad \lambda = 4 n \log n",
        ),
        Numeric(
            r"The nearest sigmoid mixes $f(x_{j-1})$ and $f(x_j)$, and both knots are within $1/n$ of $x$. So a "
            r"network of $n$ hidden units has an error that goes to 0 for every continuous $f$. Its output has the "
            r"bias "
            r"$f(0)$; sums in $S$ have none, but one more unit with $w = 0$ is a constant: $f(0) = \alpha\,\sigma(b)$.",
            r"\sup_{x \in [0,1]} \Bigl| f(x) - f(0) - \sum_{k=1}^n \bigl(f(x_k) - f(x_{k-1})\bigr)\, "
            r"\sigma\bigl(\lambda(x - m_k)\bigr) \Bigr| \le \Bigl(1 + \frac1n\Bigr)\, \omega\Bigl(\frac1n\Bigr)",
            _network_error,
            relation="<=",
            at=_between_knots,
            slack=1.43,
            how="on a grid",
        ),
    ]


def _limits() -> list[Step]:
    return [
        Remark(
            r"Consequences: one hidden layer suffices for any continuous target on a compact set. Cybenko's lemma "
            r"asks for no continuity, and gives density in $L^1(I)$ for every bounded measurable sigmoidal function; "
            r"later work shows that a continuous activation has the property exactly if it is no polynomial, so ReLU "
            r"has it too."
        ),
        Remark(
            r"Limits: the theorem bounds neither the width nor the weights (here $\lambda$ grows like $n \log n$). "
            r"The same construction in $d$ dimensions needs a grid, and so of the order of $n^d$ units. It says "
            r"nothing about whether gradient descent finds the weights, nor about error on data not seen. It needs a "
            r"compact domain, as a finite sum of sigmoids is nearly constant far out along a line, and a continuous "
            r"target, as a continuous function stays at least half the jump away from a discontinuous one."
        ),
    ]


def cybenko() -> Derivation:
    """Cybenko 1989, theorems 1 and 2, lemma 1; the converse is by Leshno et al. 1993."""
    return Derivation(
        name="cybenko",
        title="Universal approximation",
        claim=(
            r"Sums $\sum_j \alpha_j\, \sigma(w_j^\top x + b_j)$ with a continuous sigmoidal $\sigma$ are dense in "
            r"$C([0,1]^d)$. For $d = 1$, $n$ logistic units and a constant reach a supremum error of at most "
            r"$(1 + 1/n)\,\omega(1/n)$, where $\omega$ is the target's modulus of continuity."
        ),
        steps=[*_existence(), *_construction(), *_limits()],
        cites=("cybenko1989", "leshno1993"),
    )
