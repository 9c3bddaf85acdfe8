"""Dropout as approximate variational inference: what it minimizes, and the uncertainty that it gives."""

from itertools import combinations
from typing import Any

import numpy as np
import sympy
from scipy.integrate import quad
from scipy.special import logsumexp, xlogy
from scipy.stats import norm
from sympy import exp, log, oo, pi, sqrt

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic

SAMPLES, CLASSES, WEIGHTS, DATA, BATCH = 5, 4, 6, 6, 2

y, f, z, m = sympy.symbols("y f z m", real=True)
tau, l, sigma, p, lam = sympy.symbols("tau l sigma p lambda", positive=True)
N, T = sympy.symbols("N T", positive=True, integer=True)
first, second = sympy.symbols("m_1 m_2", positive=True)


def _kl(q: np.ndarray, other: np.ndarray) -> float:
    return float((q * np.log(q / other)).sum())


def _evidence(rng: np.random.Generator) -> tuple[Any, Any]:
    """Weights that take WEIGHTS values only, so that all expectations are sums."""
    prior, q, likelihood = rng.dirichlet(np.ones(WEIGHTS)), rng.dirichlet(np.ones(WEIGHTS)), rng.uniform(size=WEIGHTS)
    evidence = prior @ likelihood
    bound = q @ np.log(likelihood) - _kl(q, prior)
    return np.log(evidence), bound + _kl(q, prior * likelihood / evidence)


def _minibatch(rng: np.random.Generator) -> tuple[Any, Any]:
    losses = rng.normal(size=DATA)
    estimates = [DATA / BATCH * losses[list(batch)].sum() for batch in combinations(range(DATA), BATCH)]
    return np.mean(estimates), losses.sum()


def _bernoulli_kl(rng: np.random.Generator) -> tuple[Any, Any]:
    """KL of p N(m, σ²) + (1 - p) N(0, σ²) from N(0, 1/l²), its components far apart, by quadrature."""
    p, m, std, l = rng.uniform(0.2, 0.8), rng.uniform(1.0, 3.0), 0.01, rng.uniform(0.5, 2.0)

    def integrand(w: float) -> float:
        logs = norm.logpdf(w, m, std) + np.log(p), norm.logpdf(w, 0, std) + np.log(1 - p)
        log_q = np.logaddexp(*logs)
        return float(np.exp(log_q) * (log_q - norm.logpdf(w, 0, 1 / l)))

    left = sum(quad(integrand, c - 12 * std, c + 12 * std, epsabs=1e-12)[0] for c in (0.0, m))
    constant = (l**2 * std**2 - 1 - np.log(l**2 * std**2)) / 2 + xlogy(p, p) + xlogy(1 - p, 1 - p)
    return left, p * l**2 * m**2 / 2 + constant


def _predictive(rng: np.random.Generator) -> tuple[Any, Any]:
    """Mean and variance of the mixture of T Gaussians, by quadrature of its density."""
    outputs, tau = rng.normal(size=SAMPLES), rng.uniform(0.5, 4.0)

    def moment(power: int, centre: float) -> float:
        def integrand(y: float) -> float:
            return float(norm.pdf(y, outputs, tau**-0.5).mean() * (y - centre) ** power)

        return quad(integrand, -15, 15, epsabs=1e-12, limit=200)[0]

    mean = outputs.mean()
    return [moment(1, 0.0), moment(2, mean)], [mean, 1 / tau + (outputs**2).mean() - mean**2]


def _log_likelihood(rng: np.random.Generator) -> tuple[Any, Any]:
    outputs, tau, y = rng.normal(size=SAMPLES), rng.uniform(0.5, 4.0), rng.normal()
    density = norm.pdf(y, outputs, tau**-0.5).mean()
    ours = logsumexp(-tau / 2 * (y - outputs) ** 2) - np.log(SAMPLES) - np.log(2 * np.pi) / 2 + np.log(tau) / 2
    return np.log(density), ours


def _entropy(p: np.ndarray) -> np.ndarray:
    return -xlogy(p, p).sum(-1)


def _decomposition(rng: np.random.Generator) -> tuple[Any, Any]:
    p = rng.dirichlet(np.ones(CLASSES), size=SAMPLES)
    information = np.mean([_kl(row, p.mean(0)) for row in p])
    return _entropy(p.mean(0)), _entropy(p).mean() + information


def _share(p: np.ndarray) -> float:
    """The mutual information of draws p (draws, classes)."""
    return float(_entropy(p.mean(0)) - _entropy(p).mean())


def _information(rng: np.random.Generator) -> tuple[Any, Any]:
    information = _share(rng.dirichlet(np.ones(CLASSES), size=SAMPLES))
    return [0.0, information], [information, np.log(SAMPLES)]


def _agreed_and_opposed(rng: np.random.Generator) -> tuple[Any, Any]:
    """Draws that all say the same, and as many draws as classes of which each is sure of another."""
    same = np.tile(rng.dirichlet(np.ones(CLASSES)), (CLASSES, 1))
    return [0.0, _share(np.eye(CLASSES))], [_share(same), np.log(CLASSES)]


def _objective() -> list[Step]:
    normal = sqrt(tau / (2 * pi)) * exp(-tau * (y - f) ** 2 / 2)
    log_ratio = -(z**2) / 2 - log(sigma) + l**2 * (m + sigma * z) ** 2 / 2 - log(l)  # at w = m + sigma z
    divergence = sympy.integrate(sympy.expand(log_ratio) * exp(-(z**2) / 2) / sqrt(2 * pi), (z, -oo, oo))
    return [
        Remark(
            r"A network $f_\omega$ of weights $\omega$ explains $N$ data: $y = f_\omega(x) + \epsilon$ with $\epsilon "
            r"\sim \mathcal{N}(0, \tau^{-1})$, and each weight has the prior $\mathcal{N}(0, l^{-2})$. Dropout "
            r"multiplies row $i$ of $M$ by $z_i \sim \operatorname{Bernoulli}(p)$; mind that $p$ is here the "
            r"probability to keep a unit. So it draws weights $\omega = \operatorname{diag}(z) M$ from a distribution "
            r"$q$, whose parameter is $M$."
        ),
        Numeric(
            r"For every $q$ the evidence splits into a bound and the distance of $q$ from the posterior. The latter "
            r"is not negative, so to raise the bound is to bring $q$ nearer to the posterior.",
            r"\log p(Y|X) = \mathbb{E}_q \log p(Y|X, \omega) - \operatorname{KL}(q \,\|\, p(\omega)) "
            r"+ \operatorname{KL}(q \,\|\, p(\omega|X, Y))",
            _evidence,
            how="by sums over weights of finitely many values",
        ),
        Symbolic(
            r"With Gaussian noise the first term of the bound is a squared error.",
            -log(normal),
            tau * (y - f) ** 2 / 2 - log(tau) / 2 + log(2 * pi) / 2,
            names={r"f_\omega(x)": f},
            latex=r"-\log p(y|x, \omega) = \frac{\tau}{2}\,(y - f_\omega(x))^2 - \tfrac12 \log \tau "
            r"+ \tfrac12 \log 2\pi",
        ),
        Numeric(
            r"It is estimated without bias by one random mask a sample, which is a draw of $\omega$ from $q$, and by a "
            r"random minibatch $B$: what a step of training with dropout computes.",
            r"\mathbb{E}_B \Bigl[\frac{N}{|B|} \sum_{i \in B} \ell_i\Bigr] = \sum_{i=1}^N \ell_i",
            _minibatch,
            how="by averaging over every minibatch",
        ),
        Symbolic(
            r"For the second term let $q$ be a narrow Gaussian instead of a point. One component has this distance "
            r"from the prior.",
            divergence,
            (l**2 * m**2 + l**2 * sigma**2 - 1 - log(l**2 * sigma**2)) / 2,
            latex=r"\operatorname{KL}\bigl(\mathcal{N}(m, \sigma^2)\,\|\,\mathcal{N}(0, l^{-2})\bigr) "
            r"= \tfrac12 \bigl(l^2 m^2 + l^2 \sigma^2 - 1 - \log l^2 \sigma^2\bigr)",
        ),
        Numeric(
            r"The weight is near $m$ with probability $p$ and near 0 otherwise. If the two components do not overlap, "
            r"their distances add up, less the entropy of the choice. What depends on $m$ is a weight decay.",
            r"\operatorname{KL}(q \,\|\, p(\omega)) = \frac{p\, l^2}{2}\, m^2 + \text{const}(\sigma, l, p)",
            _bernoulli_kl,
            tolerance=1e-8,
            how="by quadrature",
        ),
    ]


def _precision() -> list[Step]:
    return [
        Symbolic(
            r"The negative bound, divided by $N\tau$, is the objective of dropout training: half the mean squared "
            r"error, and a decay $\lambda \lVert M \rVert^2$, which an optimizer calls a weight decay of $2\lambda$. "
            r"So the decay that was used fixes the noise that was assumed.",
            sympy.solve(p * l**2 / (2 * N * tau) - lam, tau)[0],
            p * l**2 / (2 * N * lam),
            latex=r"\frac1N \sum_{i=1}^N \tfrac12 (y_i - f_i)^2 + \underbrace{\frac{p\, l^2}{2 N \tau}}_{\lambda} "
            r"\lVert M \rVert^2 \qquad\Longrightarrow\qquad \tau = \frac{p\, l^2}{2 N \lambda}",
        ),
    ]


def _prediction() -> list[Step]:
    estimate = second - (second / T + (T - 1) / T * first**2)
    return [
        Numeric(
            r"To predict, leave dropout on and draw $T$ outputs $\hat y_t$. The predictive distribution is a mixture "
            r"of $T$ Gaussians, whose variance is the noise plus the spread of the outputs.",
            r"\mathbb{E}\, y \approx \bar y = \frac1T \sum_{t=1}^T \hat y_t, \qquad "
            r"\operatorname{Var} y \approx \tau^{-1} + \frac1T \sum_{t=1}^T \hat y_t^2 - \bar y^2",
            _predictive,
            tolerance=1e-7,
            how="by quadrature of the mixture",
        ),
        Symbolic(
            r"With few samples this spread is too small on average, by the factor $(T-1)/T$: the mean $\bar y$, whose "
            r"square has the expectation $\tfrac1T \mathbb{E}\hat y^2 + \tfrac{T-1}{T} (\mathbb{E}\hat y)^2$, follows "
            r"the samples.",
            estimate,
            (T - 1) / T * (second - first**2),
            names={r"\operatorname{Var} \hat y": second - first**2},
            latex=r"\mathbb{E}\Bigl[\frac1T \sum_{t=1}^T \hat y_t^2 - \bar y^2\Bigr] "
            r"= \frac{T-1}{T}\, \operatorname{Var} \hat y",
        ),
        Numeric(
            r"The quality of a prediction is the mixture's log-density at the true $y$.",
            r"\log p(y|x) \approx \log \sum_{t=1}^T e^{-\frac{\tau}{2}(y - \hat y_t)^2} - \log T - \tfrac12 \log 2\pi "
            r"+ \tfrac12 \log \tau",
            _log_likelihood,
        ),
        Numeric(
            r"For a classifier let $\hat p_t$ be the class probabilities of draw $t$ and $\bar p$ their mean. The "
            r"uncertainty of the prediction splits into what every draw is unsure of, and what the draws disagree on: "
            r"the information that the weights would give about the class.",
            r"H(\bar p) = \frac1T \sum_{t=1}^T H(\hat p_t) + \mathcal{I}, \qquad "
            r"\mathcal{I} = \frac1T \sum_{t=1}^T \operatorname{KL}(\hat p_t \,\|\, \bar p)",
            _decomposition,
        ),
        Numeric(
            r"A mean of distances, $\mathcal{I}$ is not negative, and 0 if the draws agree; since $\bar p \ge \hat "
            r"p_t/T$ it is at most $\log T$, where each draw is sure of another class.",
            r"0 \le \mathcal{I} \le \log T",
            _information,
            relation="<=",
            at=_agreed_and_opposed,
        ),
        Remark(
            r"The hope is that $\mathcal{I}$ is large for unfamiliar inputs, on which the draws disagree, and small "
            r"for "
            r"ambiguous ones. Nothing above says so: $q$ is a narrow family, and its draws may agree where there are "
            r"no "
            r"data. So it has to be measured, against the largest probability of one ordinary forward pass."
        ),
    ]


def mc_dropout() -> Derivation:
    """Monte-Carlo dropout: its objective, predictive moments and entropies; Gal & Ghahramani 2016, and appendix."""
    return Derivation(
        name="mc_dropout",
        title="Dropout as approximate variational inference",
        claim=(
            r"Training with dropout and a penalty $\lambda \lVert M \rVert^2$, which is an optimizer's weight decay of "
            r"$2\lambda$, maximizes, up to approximations, a variational bound on the evidence of a Bayesian network. "
            r"Outputs $\hat y_t$ with dropout left on estimate its predictive mean $\bar y$ and variance $\tau^{-1} + "
            r"\tfrac1T \sum_t \hat y_t^2 - \bar y^2$, with $\tau = p\,l^2/(2N\lambda)$ and $p$ the probability to keep "
            r"a unit."
        ),
        steps=[*_objective(), *_precision(), *_prediction()],
        cites=("gal2016",),
    )
