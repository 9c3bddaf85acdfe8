"""Gradient descent and momentum on a quadratic: eigenvalue by eigenvalue, with the optimal rate and momentum."""

from typing import Any

import numpy as np
import sympy
from scipy.optimize import minimize_scalar
from sympy import log, sqrt

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.walk import descend

SIZE = 4

eta, mu, lam, ell, L, kappa = sympy.symbols(r"eta mu lambda ell L kappa", positive=True)
z = sympy.Symbol("z", real=True)
MATRIX = sympy.Matrix([[1 + mu - eta * lam, -mu], [1, 0]])
POLYNOMIAL = (z * sympy.eye(2) - MATRIX).det()


class _Quadratic:
    """f(x) = ½ (x - x*)ᵀ A (x - x*) with random A = U diag(λ) Uᵀ, and a random start."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.eigenvalues = np.sort(rng.uniform(0.1, 2.0, size=SIZE))
        self.U, _ = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))
        self.A = self.U @ np.diag(self.eigenvalues) @ self.U.T
        self.minimum, self.start = rng.normal(size=(2, SIZE))

    def errors(self, rate: float, momentum: float, steps: int) -> np.ndarray:
        """The errors (steps + 1, SIZE) of SGD's iterates in the basis of the eigenvectors."""
        x, _ = descend(lambda x: self.A @ (x - self.minimum), self.start, [rate] * steps, momentum=momentum)
        return (x - self.minimum) @ self.U


def _ends(eigenvalues: np.ndarray, rate: float, momentum: float, steps: int) -> np.ndarray:
    """The errors (steps + 1, eigenvalues) of SGD on ½ Σ λ x² from x = 1."""
    return descend(lambda x: eigenvalues * x, np.ones(len(eigenvalues)), [rate] * steps, momentum=momentum)[0]


def radius(rate_eigenvalue: np.ndarray | float, momentum: float) -> np.ndarray:
    """The larger modulus of the two eigenvalues of the iteration's matrix, for each ηλ."""
    products = np.atleast_1d(rate_eigenvalue)
    matrices = np.zeros((len(products), 2, 2))
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 0] = 1 + momentum - products, -momentum, 1
    return np.abs(np.linalg.eigvals(matrices)).max(1)


def _least(function: Any, low: float, high: float) -> tuple[float, float]:
    """Where a function of one variable is least between two bounds, and its value there."""
    best = minimize_scalar(function, bounds=(low, high), method="bounded", options={"xatol": 1e-10})
    return best.x, best.fun


def _optimal(kappa: float) -> tuple[float, float]:
    """Polyak's η L and μ."""
    return 4 * kappa / (np.sqrt(kappa) + 1) ** 2, ((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)) ** 2


def _apart(rng: np.random.Generator) -> tuple[Any, Any]:
    f, rate, momentum = _Quadratic(rng), rng.uniform(0.1, 1.0), rng.uniform(0.1, 0.95)
    e = f.errors(rate, momentum, steps=10)
    return e[2:], (1 + momentum - rate * f.eigenvalues) * e[1:-1] - momentum * e[:-2]


def _best_descent(rng: np.random.Generator) -> tuple[Any, Any]:
    low, high = rng.uniform(0.1, 1.0), rng.uniform(1.0, 30.0)
    best = _least(lambda rate: np.abs(1 - rate * np.array([low, high])).max(), 0, 2 / low)
    return best, [2 / (high + low), (high / low - 1) / (high / low + 1)]


def _between(rng: np.random.Generator, shares: tuple[float, float]) -> tuple[float, float]:
    """A random μ, and an ηλ at a random share of the way between (1 - √μ)² and (1 + √μ)²."""
    momentum = rng.uniform(0.1, 0.95)
    low, high = (1 - np.sqrt(momentum)) ** 2, (1 + np.sqrt(momentum)) ** 2
    return momentum, low + rng.uniform(*shares) * (high - low)


def _complex(rng: np.random.Generator) -> tuple[Any, Any]:
    momentum, product = _between(rng, (0.05, 0.95))
    roots = np.roots([1, -(1 + momentum - product), momentum])
    return np.append(np.abs(roots), radius(product, momentum)), np.full(3, np.sqrt(momentum))


def _largest_rate(rng: np.random.Generator) -> tuple[Any, Any]:
    """The largest λ of a grid for which SGD's iterates at η = 1 do not grow."""
    momentum, eigenvalues = rng.uniform(0.1, 0.9), np.linspace(1, 5, 1001)
    grew = np.abs(_ends(eigenvalues, 1.0, momentum, steps=300)[-1]) > 100
    return eigenvalues[~grew].max(), 2 * (1 + momentum)


def _best_momentum(rng: np.random.Generator) -> tuple[Any, Any]:
    """The smallest spectral radius over rates and momenta, by two nested searches."""
    kappa = rng.uniform(2.0, 30.0)

    def least_over_rates(momentum: float) -> tuple[float, float]:
        return _least(lambda rate: radius(rate * np.array([1 / kappa, 1.0]), momentum).max(), 0, 2 * (1 + momentum))

    momentum, rho = _least(lambda momentum: least_over_rates(momentum)[1], 0, 0.99)
    rate, best = _optimal(kappa)
    return [rho, momentum, least_over_rates(momentum)[0] / rate], [np.sqrt(best), best, 1]


def _transient(rng: np.random.Generator) -> Names:
    kappa, t = rng.uniform(2.0, 100.0), np.arange(50)
    rate, momentum = _optimal(kappa)
    flat, steep = _ends(np.array([1 / kappa, 1.0]), rate, momentum, steps=49).T
    return {r"e_t^\ell": flat, "e_t^L": steep, r"\rho": np.sqrt(momentum), "t": t}


def _race(rng: np.random.Generator) -> Names:
    """Steps until a part ε of the error is left, and the heavy ball's first steps at both ends."""
    kappa, left = 100, 1e-6
    runs = [(2 * kappa / (kappa + 1), 0.0), _optimal(kappa)]
    ends = [_ends(np.array([1 / kappa, 1.0]), *run, steps=800) for run in runs]
    errors = [np.linalg.norm(end, axis=1) for end in ends]
    steps = [int(np.argmax(error <= left * error[0])) for error in errors]
    names = (r"t_{\text{descent}}", r"t_{\text{momentum}}", r"e_1^\ell", "e_1^L")
    return dict(zip(names, [*steps, *ends[1][1]], strict=True))


def _descent() -> list[Step]:
    return [
        Remark(
            r"Let $f(x) = \tfrac12 (x - x^*)^\top A\, (x - x^*)$ with a symmetric $A$ whose eigenvalues lie in $[\ell, "
            r"L]$, $\ell > 0$, and let $\kappa = L/\ell$. The gradient is $A\,(x - x^*)$. Let $e_t$ be the error "
            r"$x_t - x^*$ along an eigenvector, and $\lambda$ its eigenvalue."
        ),
        Numeric(
            r"In the basis of the eigenvectors $A$ is diagonal, and the heavy ball falls apart into one recursion for "
            r"each eigenvalue; $\mu = 0$ is gradient descent.",
            r"e_{t+1} = (1 + \mu - \eta\lambda)\, e_t - \mu\, e_{t-1}",
            _apart,
            how="against the library's SGD",
        ),
        Numeric(
            r"Descent multiplies each error by $1 - \eta\lambda$. The largest factor is at one of the two ends, and is "
            r"smallest where both are equally large: no rate does better, and the price is $\kappa$.",
            r"\min_\eta\, \max\bigl(|1 - \eta\ell|, |1 - \eta L|\bigr) = \frac{\kappa - 1}{\kappa + 1} \quad\text{at}"
            r"\quad \eta = \frac{2}{L + \ell}",
            _best_descent,
            tolerance=1e-6,
            how="by numerical minimization",
        ),
    ]


def _spectrum() -> list[Step]:
    return [
        Symbolic(
            r"With momentum the pair $(e_t, e_{t-1})$ is multiplied by a matrix, whose eigenvalues are the roots of "
            r"this polynomial.",
            POLYNOMIAL,
            z**2 - (1 + mu - eta * lam) * z + mu,
            latex=r"\det\left(z I - \begin{pmatrix} 1 + \mu - \eta\lambda & -\mu \\ 1 & 0 \end{pmatrix}\right) "
            r"= z^2 - (1 + \mu - \eta\lambda)\, z + \mu",
        ),
        Symbolic(
            r"Its discriminant is negative, and the roots complex, between two bounds.",
            sympy.discriminant(POLYNOMIAL, z),
            (eta * lam - (1 - sqrt(mu)) ** 2) * (eta * lam - (1 + sqrt(mu)) ** 2),
            latex=r"(1 + \mu - \eta\lambda)^2 - 4\mu = \bigl(\eta\lambda - (1 - \sqrt\mu)^2\bigr) "
            r"\bigl(\eta\lambda - (1 + \sqrt\mu)^2\bigr)",
        ),
        Numeric(
            r"The product of the roots is $\mu$, so that complex ones, conjugate to each other, both have the modulus "
            r"$\sqrt\mu$: all these directions shrink equally fast, whatever their curvature. Of two real roots one is "
            r"larger.",
            r"|z_1| = |z_2| = \sqrt\mu, \qquad (1 - \sqrt\mu)^2 < \eta\lambda < (1 + \sqrt\mu)^2",
            _complex,
            how="by the eigenvalues of random iterations",
        ),
        Symbolic(
            r"Stability ends where a root reaches $-1$: momentum bears larger rates than descent, up to "
            r"$2\,(1 + \mu)/L$ in place of $2/L$.",
            sympy.solve(POLYNOMIAL.subs(z, -1), eta)[0] * lam,
            2 * (1 + mu),
            names={r"\eta\lambda": 2 * (1 + mu)},
            latex=r"1 + (1 + \mu - \eta\lambda) + \mu = 0 \quad\Longleftrightarrow\quad \eta\lambda = 2\,(1 + \mu)",
        ),
        Numeric(
            r"The library's SGD has this bound too: a little above it its iterates grow.",
            r"\sup\{\eta\lambda : e_t \text{ is bounded}\} = 2\,(1 + \mu)",
            _largest_rate,
            tolerance=0.02,
            how="by running the library's SGD on a grid",
        ),
    ]


def _optimum() -> list[Step]:
    s, m = sympy.symbols("s m", positive=True)
    ends = sympy.solve([1 - m - s * sqrt(ell), 1 + m - s * sqrt(L)], [s, m])
    rho = (sqrt(kappa) - 1) / (sqrt(kappa) + 1)
    return [
        Symbolic(
            r"The smallest momentum that makes all roots complex puts $\ell$ and $L$ on the bounds: $1 - \sqrt\mu = "
            r"\sqrt{\eta\ell}$ and $1 + \sqrt\mu = \sqrt{\eta L}$. These equations are linear, and their sum gives the "
            r"rate.",
            ends[s] ** 2,
            4 / (sqrt(L) + sqrt(ell)) ** 2,
            latex=r"\eta^* = \frac{4}{\bigl(\sqrt L + \sqrt \ell\bigr)^2}",
        ),
        Symbolic(
            r"Their ratio gives the momentum, and with it the factor by which a step shrinks the error: that of "
            r"descent with $\sqrt\kappa$ in the place of $\kappa$.",
            ends[m].subs(L, kappa * ell),
            rho,
            latex=r"\sqrt{\mu^*} = \rho = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}",
        ),
        Numeric(
            r"No other pair of rate and momentum is better: with less momentum one end has a real root above $\rho$, "
            r"and with more $\sqrt\mu$ is above it.",
            r"\min_{\eta, \mu}\, \max_{\ell \le \lambda \le L} \max\bigl(|z_1|, |z_2|\bigr) = \rho",
            _best_momentum,
            tolerance=2e-4,
            how="by numerical minimization over rate and momentum",
        ),
        Numeric(
            r"That is so in the long run. At the two ends the roots coincide, and a factor that grows with $t$ comes "
            r"on "
            r"top: from $e_0 = 1$ the errors only begin to fall as $\rho^t$ after some $\sqrt\kappa$ steps.",
            r"e_t^\ell = \bigl(1 + (1 - \rho)\,t\bigr)\, \rho^t, \qquad "
            r"e_t^L = \bigl(1 + (1 + \rho)\,t\bigr)\, (-\rho)^t",
            _transient,
            how="against the library's SGD",
        ),
        Symbolic(
            r"Since $\log\frac{1 + x}{1 - x} \ge 2x$, up to this factor $\tfrac12 \sqrt\kappa \log\tfrac1\varepsilon$ "
            r"steps leave the part $\varepsilon$ of the error, where descent needs "
            r"$\tfrac12 \kappa \log\tfrac1\varepsilon$.",
            2 / sqrt(kappa),
            -log(rho),
            relation="<=",
            latex=r"\frac{2}{\sqrt\kappa} \le \log \frac{\sqrt\kappa + 1}{\sqrt\kappa - 1} = \log \frac1\rho",
            span=(1.1, 50.0),
            at={kappa: 10**4},
            slack=1.001,
            names={r"\rho": rho},
        ),
        Numeric(
            r"Counted for $\kappa = 100$ and $\varepsilon = 10^{-6}$, from an error of the same size at both ends. The "
            r"heavy ball's first step makes the steep error more than twice as large.",
            r"t_{\text{descent}} = 691, \quad t_{\text{momentum}} = 93, \qquad e_1^\ell = 0.967, \quad e_1^L = -2.306",
            _race,
            how="by running the library's SGD",
        ),
        Remark(
            r"No method whose steps combine the gradients seen so far has a better factor than $\rho$ on all "
            r"quadratics of this $\kappa$ when the number of dimensions is not bounded (Nesterov 2004, theorem "
            r"2.1.13). On functions that are not quadratic this rate and momentum need not even converge."
        ),
    ]


def quadratic_momentum() -> Derivation:
    """Optimal rate and momentum on a quadratic; Polyak 1964, and Nesterov 2004, section 2.1, for the bound."""
    return Derivation(
        name="quadratic_momentum",
        title="Optimal momentum on a quadratic",
        claim=(
            r"On a quadratic with eigenvalues in $[\ell, L]$ and $\kappa = L/\ell$ gradient descent multiplies the "
            r"error by $\frac{\kappa - 1}{\kappa + 1}$ a step at best. In the long run the heavy ball does by $\frac"
            r"{\sqrt\kappa - 1}{\sqrt\kappa + 1}$, with $\sqrt\mu$ equal to this and $\eta = 4/(\sqrt L + "
            r"\sqrt\ell)^2$; its first steps can make the error larger."
        ),
        steps=[*_descent(), *_spectrum(), *_optimum()],
        cites=("polyak1964", "nesterov2004"),
    )
