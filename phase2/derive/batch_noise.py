"""BatchNorm's batch noise: how far a sample's normalized value depends on the rest of its batch."""

from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import Integral, Rational, exp, gamma, oo, pi, sqrt

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names

SIZE = 4  # samples of the batches that are enumerated
LARGE, BATCHES = 128, 20_000  # samples of the batches that are drawn, and their number
MODEST = 2  # the largest size of a sample for which they show the leading order

m, k = sympy.symbols("m k", positive=True, integer=True)
sigma, V, t, a = sympy.symbols("sigma V t a", positive=True)
mu, M, dM, dV, x, z = sympy.symbols("mu M dM dV x z", real=True)
x_hat = sympy.Symbol("xhat", real=True)
NORMAL = exp(-(z**2) / 2) / sqrt(2 * pi)


class _Enumeration:
    """Every batch of SIZE values from a random three-point distribution, with its probability."""

    def __init__(self, rng: np.random.Generator) -> None:
        values, chances = rng.normal(size=3), rng.dirichlet(np.ones(3))
        self.sigma2, self.mu3, self.mu4 = (chances @ (values - chances @ values) ** n for n in (2, 3, 4))
        picks = np.array(list(product(range(3), repeat=SIZE)))
        self.probability = chances[picks].prod(1)
        self.M, self.V = values[picks].mean(1), values[picks].var(1)

    def covariance(self, one: np.ndarray, other: np.ndarray) -> float:
        mean, other_mean = self.probability @ one, self.probability @ other
        return float(self.probability @ ((one - mean) * (other - other_mean)))


def _moments(rng: np.random.Generator) -> Names:
    e = _Enumeration(rng)
    of_one = {r"\sigma": e.sigma2**0.5, r"\mu_3": e.mu3, r"\mu_4": e.mu4, "m": SIZE}
    of_mean = {r"\operatorname{Var} M": e.covariance(e.M, e.M), r"\mathbb{E} V": e.probability @ e.V}
    return {
        **of_one,
        **of_mean,
        r"\operatorname{Var} V": e.covariance(e.V, e.V),
        r"\operatorname{Cov}(M, V)": e.covariance(e.M, e.V),
    }


def _drawn(rng: np.random.Generator) -> tuple[Any, Any]:
    """A sample among LARGE - 1 random others, in many batches."""
    x = rng.uniform(-MODEST, MODEST)
    batch = rng.normal(size=(BATCHES, LARGE))
    batch[:, 0] = x
    normalized = (x - batch.mean(1)) / batch.std(1)
    return LARGE * normalized.var(), 1 + x**2 / 2


def _expansion() -> sympy.Expr:
    """The exact variance to second order in t = 1/m, by Stirling's series of the Gamma functions."""
    n = sympy.Symbol("n", positive=True)
    log_ratio = sympy.series(sympy.loggamma(n - Rational(1, 2)) - sympy.loggamma(n), n, oo, 3).removeO()
    size = 1 / t
    squared = size / 2 * exp(2 * log_ratio.subs(n, (size - 1) / 2))
    variance = size / (size - 3) * (x_hat**2 + t) - x_hat**2 * squared
    return sympy.series(sympy.simplify(variance), t, 0, 2).removeO()


def _statistics() -> list[Step]:
    fourth = sympy.integrate(z**4 * NORMAL, (z, -oo, oo))
    return [
        Remark(
            r"A batch of $m$ independent samples of mean $\mu$ and variance $\sigma^2$ has the mean "
            r"$M = \tfrac1m \sum_i x_i$ and the variance $V = \tfrac1m \sum_i (x_i - M)^2$. We follow one fixed sample "
            r"$x$ through many random batches: it should become $\hat x = (x - \mu)/\sigma$, and becomes "
            r"$\hat x_B = (x - M)/\sqrt V$."
        ),
        Numeric(
            r"The variances of independent samples add up. Of the batch variance one part in $m$ is missing on "
            r"average, because $M$ follows the batch.",
            r"\operatorname{Var} M = \frac{\sigma^2}{m}, \qquad \mathbb{E} V = \frac{m-1}{m}\, \sigma^2",
            _moments,
            how="by summing over every batch of a three-point distribution",
        ),
        Numeric(
            r"The batch variance fluctuates with the fourth central moment $\mu_4$, and together with the batch mean "
            r"only if the distribution is skewed, $\mu_3 \ne 0$.",
            r"\operatorname{Var} V = \frac{(m-1)^2}{m^3} \Bigl(\mu_4 - \frac{m-3}{m-1}\, \sigma^4\Bigr), \qquad "
            r"\operatorname{Cov}(M, V) = \frac{m-1}{m^2}\, \mu_3",
            _moments,
            how="by summing over every batch of a three-point distribution",
        ),
        Symbolic(
            r"For Gaussian data $\mu_4 = \sigma^4\,\mathbb{E} z^4 = 3\sigma^4$ and $\mu_3 = 0$.",
            (m - 1) ** 2 / m**3 * (fourth * sigma**4 - (m - 3) / (m - 1) * sigma**4),
            2 * (m - 1) * sigma**4 / m**2,
            names={r"\operatorname{Cov}(M, V)": (m - 1) / m**2 * sympy.Integral(z**3 * NORMAL, (z, -oo, oo))},
            latex=r"\operatorname{Var} V = \frac{2\,(m-1)}{m^2}\, \sigma^4 = \frac{2\sigma^4}{m} "
            r"\Bigl(1 - \frac1m\Bigr), \qquad \operatorname{Cov}(M, V) = 0",
        ),
    ]


def _first_order() -> list[Step]:
    value = (x - M) / sqrt(V)
    linear = (value.diff(M) * dM + value.diff(V) * dV).subs({M: mu, V: sigma**2, x: mu + sigma * x_hat})
    return [
        Symbolic(
            r"The delta method replaces $\hat x_B$ by its linear part in $dM = M - \mu$ and $dV = V - \sigma^2$. A "
            r"wrong mean shifts all samples alike; a wrong variance moves those most that lie far out.",
            linear,
            -dM / sigma - x_hat / (2 * sigma**2) * dV,
            latex=r"d\hat x_B = \frac{\partial \hat x_B}{\partial M}\,dM + \frac{\partial \hat x_B}{\partial V}\,dV "
            r"= -\frac{1}{\sigma}\,dM - \frac{\hat x}{2\sigma^2}\,dV",
        ),
        Symbolic(
            r"The two are uncorrelated, so their variances add up, and $\sigma$ cancels.",
            (1 / sigma**2) * sigma**2 / m + x_hat**2 / (4 * sigma**4) * 2 * sigma**4 / m,
            (1 + x_hat**2 / 2) / m,
            names={r"\sigma": sigma},
            latex=r"\operatorname{Var} \hat x_B \approx \frac{1}{\sigma^2}\cdot\frac{\sigma^2}{m} "
            r"+ \frac{\hat x^2}{4\sigma^4}\cdot\frac{2\sigma^4}{m} = \frac{1}{m}\Bigl(1 + \frac{\hat x^2}{2}\Bigr)",
        ),
        Symbolic(
            r"Averaged over samples $\hat x \sim \mathcal{N}(0, 1)$ the noise has this power, against the signal's of "
            r"1: about a twentieth in batches of 32.",
            sympy.integrate((1 + z**2 / 2) * NORMAL, (z, -oo, oo)) / m,
            3 / (2 * m),
            latex=r"\mathbb{E}\Bigl[\frac{1}{m}\Bigl(1 + \frac{\hat x^2}{2}\Bigr)\Bigr] = \frac{3}{2m}",
        ),
    ]


def _exact() -> list[Step]:
    # m = k + 3, for which both moments that are needed are finite.
    density = z ** (k / 2) * exp(-z / 2) / (2 ** (k / 2 + 1) * gamma(k / 2 + 1))
    return [
        Symbolic(
            r"Exactly, if the sample is not in the batch: $mV/\sigma^2$ has a $\chi^2$ distribution of $m - 1$ "
            r"degrees of freedom and is independent of $M$. Its negative moments are ratios of Gamma functions.",
            Integral(z**-a * density, (z, 0, oo)),
            2**-a * gamma(k / 2 + 1 - a) / gamma(k / 2 + 1),
            names={"m": k + 3},
            latex=r"\mathbb{E}\Bigl[\Bigl(\frac{mV}{\sigma^2}\Bigr)^{\!-a}\Bigr] "
            r"= \frac{\Gamma\bigl(\frac{m-1}{2} - a\bigr)}{2^a\, \Gamma\bigl(\frac{m-1}{2}\bigr)}",
            span=(0.1, 1.0),
        ),
        Symbolic(
            r"With $a = 1$ and $a = \tfrac12$ these give the variance for every $m > 3$. By Stirling's series its "
            r"first term is what the delta method found.",
            _expansion(),
            t * (1 + x_hat**2 / 2),
            latex=r"\operatorname{Var} \hat x_B = \frac{m \hat x^2 + 1}{m - 3} - \hat x^2\, \frac{m}{2} "
            r"\biggl(\frac{\Gamma(\frac{m}{2} - 1)}{\Gamma(\frac{m-1}{2})}\biggr)^{\!2} "
            r"= \frac{1}{m}\Bigl(1 + \frac{\hat x^2}{2}\Bigr) + O(m^{-2})",
        ),
        Numeric(
            r"In training the sample is one of its batch. This changes the mean by $O(1/m)$ and the variance in the "
            rf"second order only: batches of ${LARGE}$ agree within a tenth for $|\hat x| \le {MODEST}$. Farther out "
            r"the variance is less, since such a sample moves the statistics of its own batch.",
            r"m\, \operatorname{Var} \hat x_B \approx 1 + \frac{\hat x^2}{2}",
            _drawn,
            tolerance=0.1,
            how=f"within a tenth, in {BATCHES} random batches of {LARGE}",
        ),
        Remark(
            r"Small batches thus regularize as dropout does, by noise on the activations, and train and test differ: "
            r"at inference the running averages have none of it."
        ),
    ]


def batch_noise() -> Derivation:
    """The variance of a normalized sample over random batches, by the delta method and exactly."""
    return Derivation(
        name="batch_noise",
        title="BatchNorm's batch noise",
        claim=(
            r"Normalized by the statistics of a random batch of $m$ Gaussian samples, a fixed sample varies from batch "
            r"to batch with variance $\tfrac1m\bigl(1 + \tfrac12 \hat x^2\bigr)$ to first order in $1/m$."
        ),
        steps=[*_statistics(), *_first_order(), *_exact()],
        cites=("ioffe2015",),
    )
