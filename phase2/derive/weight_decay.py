"""Weight decay: the same as an L2 penalty for SGD, for Adam not; and what it does to weights whose size is free."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from sympy import sqrt
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.walk import Gradient, stream, walk
from phase2.optim.adam import Adam
from phase2.optim.adamw import AdamW
from phase2.optim.sgd import SGD

STEPS, SIZE = 12, 3
SHRUNK = {"L2": (0.36, 0.89), "decoupled": (0.36, 0.36)}  # what is left of a weight under gradients of ±1 and ±10

eta, lamda, c, mu = sympy.symbols("eta lambda c mu", positive=True)
x, q = sympy.symbols("x q", positive=True)
slow = (1 + mu - x + sqrt((1 + mu - x) ** 2 - 4 * mu)) / 2  # the larger root of z² - (1 + μ - x) z + μ


class _DecayedSGD(SGD):
    """SGD that first multiplies the weights by `shrink` in each step: decoupled decay."""

    def __init__(self, params: Any, shrink: float, **options: Any) -> None:
        super().__init__(params, **options)
        self.shrink = shrink

    def step(self, closure: Any = None) -> Any:
        for param in self.param_groups[0]["params"]:
            param.mul_(self.shrink)
        return super().step(closure)


class _Problem:
    """f = Σ log cosh(A θ - b) with a random start, and random η, λ, μ and β."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.A, self.b, self.start = rng.normal(size=(SIZE, SIZE)), rng.normal(size=SIZE), rng.normal(size=SIZE)
        self.lr, self.decay, self.mu = rng.uniform(0.05, 0.2), rng.uniform(0.1, 1.0), rng.uniform(0.5, 0.9)
        self.betas = (rng.uniform(0.5, 0.9), rng.uniform(0.9, 0.99))

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return self.A.T @ np.tanh(self.A @ theta - self.b)

    def walk(self, optimizer: Callable[..., Any], gradient: Gradient | None = None, **options: Any) -> np.ndarray:
        """The iterates (steps + 1, size)."""
        gradient = gradient or self.gradient
        return walk(optimizer, gradient, self.start, [{}] * STEPS, **{"lr": self.lr, **options})[0]


def _sgd(rng: np.random.Generator) -> tuple[Any, Any]:
    p = _Problem(rng)
    return p.walk(SGD, weight_decay=p.decay), p.walk(_DecayedSGD, shrink=1 - p.lr * p.decay)


def _momentum(rng: np.random.Generator) -> tuple[Any, Any]:
    p = _Problem(rng)
    theta = p.walk(SGD, weight_decay=p.decay, momentum=p.mu)
    age = np.subtract.outer(np.arange(STEPS), np.arange(STEPS))
    weights = np.where(age >= 0, p.mu ** np.maximum(age, 0), 0.0)
    slopes = np.array([p.gradient(point) for point in theta[:-1]])
    return np.diff(theta, axis=0), -p.lr * weights @ slopes - p.lr * p.decay * weights @ theta[:-1]


def _rest(rng: np.random.Generator) -> tuple[Any, Any]:
    """Where SGD with momentum comes to rest on a quadratic, with L2 and with decay of λ / (1 - μ)."""
    p = _Problem(rng)
    H = p.A @ p.A.T / np.linalg.norm(p.A, 2) ** 2
    common: dict[str, Any] = {"start": p.start, "schedule": [{}] * 600, "momentum": 0.5, "lr": 0.5}
    l2, _ = walk(SGD, lambda theta: H @ theta - p.b, weight_decay=p.decay, **common)
    decoupled, _ = walk(_DecayedSGD, lambda theta: H @ theta - p.b, shrink=1 - 0.5 * p.decay / (1 - 0.5), **common)
    rest = np.linalg.solve(H + p.decay * np.eye(SIZE), p.b)
    return [l2[-1], decoupled[-1]], [rest, rest]


def _adam_l2(rng: np.random.Generator) -> tuple[Any, Any]:
    """One divisor for the loss's gradient and the penalty's, with β₁ = 0."""
    p = _Problem(rng)
    theta = p.walk(Adam, weight_decay=p.decay, betas=(0.0, p.betas[1]))
    slopes = np.array([p.gradient(point) for point in theta[:-1]])
    t = np.arange(1, STEPS + 1)[:, None]
    age = t - t.T
    weights = np.where(age >= 0, (1 - p.betas[1]) * p.betas[1] ** np.maximum(age, 0), 0.0) / (1 - p.betas[1] ** t)
    root = np.sqrt(weights @ (slopes + p.decay * theta[:-1]) ** 2) + 1e-8
    return np.diff(theta, axis=0), -p.lr * slopes / root - p.lr * p.decay / root * theta[:-1]


def _scaled(rng: np.random.Generator) -> tuple[Any, Any]:
    p, scale = _Problem(rng), rng.uniform(0.2, 5.0)
    options: dict[str, Any] = {"betas": p.betas, "eps": 0.0}

    def scaled(theta: np.ndarray) -> np.ndarray:
        return scale * p.gradient(theta)

    large = [p.walk(rule, scaled, weight_decay=p.decay, **options) for rule in (Adam, AdamW)]
    l2 = p.walk(Adam, weight_decay=p.decay / scale, **options)
    return large, [l2, p.walk(AdamW, weight_decay=p.decay, **options)]


def _counterexample(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two weights, both 1, under gradients that alternate in sign: what 1000 steps leave of them."""
    gradients = (-1.0) ** np.arange(1000)[:, None] * np.array([1.0, 10.0])
    common: dict[str, Any] = {"start": np.ones(2), "schedule": [{}] * 1000, "lr": 0.01, "weight_decay": 0.1}
    left = [walk(rule, stream(gradients), **common)[0][-1] for rule in (Adam, AdamW)]
    return left, list(SHRUNK.values())


def _no_coefficient(rng: np.random.Generator) -> tuple[Any, Any]:
    M, decay = rng.uniform(0.1, 2.0, size=SIZE), rng.uniform(0.1, 1.0)
    (best,), *_ = np.linalg.lstsq(np.ones((SIZE, 1)), decay * M, rcond=None)
    return ((decay * M - best) ** 2).sum(), decay**2 * ((M - M.mean()) ** 2).sum()


def _weighted(rng: np.random.Generator) -> tuple[Any, Any]:
    M, decay = torch.from_numpy(rng.uniform(0.1, 2.0, size=SIZE)), rng.uniform(0.1, 1.0)
    theta = torch.from_numpy(rng.normal(size=SIZE))
    return M * jacobian(lambda theta: decay / 2 * (theta**2 / M).sum(), theta), decay * theta


def _schedule(rng: np.random.Generator) -> tuple[Any, Any]:
    p, g = _Problem(rng), rng.normal(size=(STEPS, SIZE))
    schedule = [{"lr": rate} for rate in rng.uniform(0.05, 0.2, size=STEPS)]
    common: dict[str, Any] = {"start": p.start, "schedule": schedule, "betas": p.betas}
    decayed, _ = walk(AdamW, stream(g), weight_decay=p.decay, **common)
    plain, _ = walk(Adam, stream(g), **common)
    kept = np.cumprod([1 - options["lr"] * p.decay for options in schedule])
    return decayed[-1], kept[-1] * p.start + (kept[-1] / kept) @ np.diff(plain, axis=0)


def _constant(rng: np.random.Generator) -> tuple[Any, Any]:
    p, g = _Problem(rng), rng.normal(size=SIZE)
    theta = p.walk(AdamW, lambda _: g, weight_decay=p.decay, eps=0.0, betas=p.betas)
    kept = (1 - p.lr * p.decay) ** np.arange(STEPS + 1)[:, None]
    return theta, kept * p.start - (1 - kept) * np.sign(g) / p.decay


def _turning(rng: np.random.Generator) -> tuple[Any, Any]:
    """SGD with L2 on random gradients of a function that does not depend on the weights' size."""
    size, lr, decay, strength = 8, rng.uniform(0.1, 0.4), rng.uniform(0.2, 0.5), rng.uniform(0.5, 2.0)

    def gradient(w: np.ndarray) -> np.ndarray:
        along = w / np.linalg.norm(w)
        across = rng.normal(size=size)
        across -= along * (along @ across)
        return strength / np.linalg.norm(w) * across / np.linalg.norm(across)

    w = walk(SGD, gradient, rng.normal(size=size), [{}] * 400, lr=lr, weight_decay=decay)[0]
    norms = np.linalg.norm(w[-2:], axis=1)
    length = (lr * strength**2 / (decay * (2 - lr * decay))) ** 0.25
    return [norms[-1], w[-1] @ w[-2] / norms.prod()], [length, 1 - lr * decay]


def _same() -> list[Step]:
    return [
        Remark(
            r"An \emph{L2 penalty} adds $\tfrac{\lambda}{2} \lVert \theta \rVert^2$ to the loss $f$, and so "
            r"$\lambda\theta$ to its gradient. \emph{Decoupled decay} leaves the gradient as it is, and multiplies "
            r"the weights by $1 - \eta\lambda$ in each step."
        ),
        Numeric(
            r"For plain SGD these are the same, step by step. As a factor $1 - \lambda'$ of its own, decay would be a "
            r"penalty of $\lambda = \lambda'/\eta$, another one for every rate.",
            r"\theta - \eta\, \nabla \Bigl(f + \frac{\lambda}{2} \lVert \theta \rVert^2\Bigr) = (1 - \eta\lambda)\, "
            r"\theta - \eta\, \nabla f",
            _sgd,
            how="with the library's SGD both ways",
        ),
        Numeric(
            r"With momentum the penalty passes through the velocity: at each step a weight is pulled by all its past "
            r"values, where decoupled decay takes the present one.",
            r"\theta_t - \theta_{t-1} = -\eta \sum_{k=0}^{t-1} \mu^k\, \nabla f(\theta_{t-1-k}) - \eta\lambda "
            r"\sum_{k=0}^{t-1} \mu^k\, \theta_{t-1-k}",
            _momentum,
            how="against the library's SGD",
        ),
        Symbolic(
            r"Where the loss is flat this is $\theta_{t+1} = (1 + \mu - \eta\lambda)\, \theta_t - \mu\, "
            r"\theta_{t-1}$, and the larger root $z$ of its characteristic polynomial sets the pace. To first order "
            r"it is decoupled decay by $\lambda/(1 - \mu)$, at the effective rate of momentum.",
            slow.subs(x, 0) + eta * lamda * sympy.diff(slow, x).subs(x, 0),
            1 - eta * lamda / (1 - mu),
            latex=r"z = 1 - \frac{\eta\lambda}{1 - \mu} + O(\lambda^2)",
            span=(0.1, 0.9),
        ),
        Numeric(
            r"With that coefficient both also come to rest at the same place: the minimum of the loss with the "
            r"penalty. (Checked on a quadratic.)",
            r"\nabla f(\theta_\infty) = -\lambda\, \theta_\infty",
            _rest,
            how="with the library's SGD both ways",
        ),
    ]


def _different() -> list[Step]:
    return [
        Numeric(
            r"Adam divides by $\sqrt{\hat v_t}$, the penalty's gradient with the loss's. So under L2 each weight "
            r"decays at a rate of its own, $\eta\lambda/\sqrt{\hat v_t}$, and the larger its gradients the more "
            r"slowly. (Here with $\beta_1 = 0$; momentum adds delay, as above.)",
            r"\theta_t - \theta_{t-1} = -\frac{\eta}{\sqrt{\hat v_t} + \varepsilon}\, \nabla f - "
            r"\frac{\eta\lambda}{\sqrt{\hat v_t} + \varepsilon}\, \theta_{t-1}",
            _adam_l2,
            how="against the library's Adam",
        ),
        Numeric(
            r"If the loss is scaled by $c$, Adam's steps stay what they are, but those of the penalty shrink beside "
            r"it, like $1/c$. Decoupled decay, AdamW, does not depend on the scale.",
            r"\theta_t^{\mathrm{Adam}}(c f, \lambda) = \theta_t^{\mathrm{Adam}}(f, \lambda/c), \qquad "
            r"\theta_t^{\mathrm{AdamW}}(c f, \lambda) = \theta_t^{\mathrm{AdamW}}(f, \lambda), \qquad \varepsilon = 0",
            _scaled,
            how="by the library's Adam and AdamW",
        ),
        Numeric(
            r"In numbers: of two weights, both 1, whose gradients alternate between $\pm 1$ and between $\pm 10$, "
            r"this is left after 1000 steps with $\eta = 0.01$, $\lambda = 0.1$, betas 0.9 and 0.999. Of the second L2 "
            r"takes $1 - e^{-0.1}$, 9.5 percent; the rest of what it lost are Adam's first steps.",
            r"\theta^{\mathrm{Adam}} = (0.36, 0.89), \qquad \theta^{\mathrm{AdamW}} = (0.36, 0.36)",
            _counterexample,
            tolerance=5e-3,
            how="by the library's Adam and AdamW",
        ),
        Numeric(
            r"No other coefficient makes up for it: if gradients are multiplied by a diagonal matrix $M$ of $n$ "
            r"rates, L2 decays by $\lambda M$, and no multiple of the identity equals that unless the rates are the "
            r"same.",
            r"\min_{\lambda'}\, \lVert \lambda M - \lambda' I \rVert_F^2 = \lambda^2 \sum_{i=1}^n \Bigl(M_{ii} - "
            r"\frac1n \sum_{j=1}^n M_{jj}\Bigr)^2",
            _no_coefficient,
        ),
        Numeric(
            r"Seen from the other side, as long as $M$ stays the same decoupled decay is a penalty too, one that "
            r"weighs each weight by its divisor $1/M_{ii} = \sqrt{\hat v_i} + \varepsilon$: those with large "
            r"gradients are regularized more than by L2.",
            r"M\, \nabla\, \frac{\lambda}{2} \sum_{i=1}^n \frac{\theta_i^2}{M_{ii}} = \lambda\, \theta",
            _weighted,
        ),
    ]


def _decoupled() -> list[Step]:
    return [
        Numeric(
            r"AdamW's weights are therefore a sum of Adam's steps $\Delta_s$ in which the old ones fade, whatever the "
            r"gradients. The initial weights are forgotten by the product $K_T \le \exp(-\lambda \sum_t \eta_t)$, so "
            r"that a schedule sets the pace of the decay as well.",
            r"\theta_T = K_T\, \theta_0 + \sum_{s=1}^T \frac{K_T}{K_s}\, \Delta_s, \qquad K_s = \prod_{r=1}^s (1 - "
            r"\eta_r \lambda)",
            _schedule,
            how="against the library's AdamW and Adam",
        ),
        Numeric(
            r"It also limits the weights: steps of $\eta$ that always go the same way lead to $1/\lambda$, and no "
            r"further, however large the gradient. L2 under SGD would let the weight grow to $\lvert g "
            r"\rvert/\lambda$.",
            r"g_1 = \dots = g_t = g: \qquad \theta_t = (1 - \eta\lambda)^t\, \theta_0 - \frac{1 - (1 - "
            r"\eta\lambda)^t}{\lambda} \operatorname{sign}(g)",
            _constant,
            how="against the library's AdamW",
        ),
        Symbolic(
            r"Weights $w$ in front of BatchNorm have no size that the loss could see: their gradient is orthogonal to "
            r"them and of length $c/\lVert w \rVert$. Decay then makes them shorter until the gradient, which makes "
            r"them longer, holds against it.",
            sympy.solve((1 - eta * lamda) ** 2 * q**2 + eta**2 * c**2 - q**2, q)[0] ** 2,
            eta * c**2 / (lamda * (2 - eta * lamda)),
            latex=r"\lVert w \rVert^2 = (1 - \eta\lambda)^2\, \lVert w \rVert^2 + \frac{\eta^2 c^2}{\lVert w \rVert^2} "
            r"\quad\Longleftrightarrow\quad \lVert w \rVert^4 = \frac{\eta\, c^2}{\lambda\,(2 - \eta\lambda)}",
            span=(0.1, 0.9),
        ),
        Numeric(
            r"In this equilibrium each step turns the weights by the same angle, about $\sqrt{2\eta\lambda}$, and the "
            r"gradient's size is nowhere in it. There decay does not keep the function simple, it sets the effective "
            r"learning rate.",
            r"\frac{\langle w_t, w_{t+1} \rangle}{\lVert w_t \rVert\, \lVert w_{t+1} \rVert} = 1 - \eta\lambda, "
            r"\qquad \lVert w_t \rVert^4 = \frac{\eta\, c^2}{\lambda\,(2 - \eta\lambda)}",
            _turning,
            how="by the library's SGD with random orthogonal gradients",
        ),
    ]


def weight_decay() -> Derivation:
    """L2 and decoupled decay; Loshchilov & Hutter 2019, propositions 1 to 3, and van Laarhoven 2017, section 3."""
    return Derivation(
        name="weight_decay",
        title="Weight decay: L2 and decoupled",
        claim=(
            r"An L2 penalty and decay by $1 - \eta\lambda$ a step are the same for SGD; with momentum $\mu$ it decays "
            r"by $1 - \eta\lambda/(1 - \mu)$, to first order in $\lambda$. For Adam they are not: its gradient is "
            r"divided by $\sqrt{\hat v}$ too, so weights with large gradients hardly decay, which no coefficient mends."
        ),
        steps=[*_same(), *_different(), *_decoupled()],
        cites=("loshchilov2019", "laarhoven2017"),
    )
