"""Adam: what bias correction removes, how long a step can be, and the denominator that does not forget."""

from typing import Any

import numpy as np
import sympy

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.walk import every, moves, stream, walk
from phase2.optim.adam import Adam

STEPS, SIZE = 12, 3
LIBRARY = "against the library's Adam"
PEAK, LONGEST = 6.568520, 7.270292  # for Adam's own β: the largest factor without correction, the longest step over η

k, t = sympy.symbols("k t", positive=True, integer=True)
beta = sympy.symbols("beta", positive=True)


class _Stream:
    """Random gradients g (steps, size), one a step, with random η, β₁ and β₂ (β₁² < β₂), and ε."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.g = rng.normal(size=(STEPS, SIZE)) * np.exp(rng.normal(size=SIZE))
        self.lr, self.eps = rng.uniform(0.1, 1.0, size=2)
        self.beta1, self.beta2 = rng.uniform(0.5, 0.9), rng.uniform(0.9, 0.99)
        self.t = np.arange(1, STEPS + 1)[:, None]

    def moves(self, g: np.ndarray, **options: Any) -> np.ndarray:
        """Adam's steps (steps, size) on the gradients g, without ε unless it is among the options."""
        return moves(Adam, g, **{"lr": self.lr, "betas": (self.beta1, self.beta2), "eps": 0.0, **options})

    def weights(self, beta: float) -> np.ndarray:
        """Row t - 1 holds the weights (1 - β) β^(t - s) of g_s after t steps (steps, steps)."""
        age = self.t - self.t.T
        return np.where(age >= 0, (1 - beta) * beta ** np.maximum(age, 0), 0.0)

    @property
    def m(self) -> np.ndarray:
        return self.weights(self.beta1) @ self.g

    @property
    def v(self) -> np.ndarray:
        return self.weights(self.beta2) @ self.g**2

    @property
    def corrections(self) -> tuple[np.ndarray, np.ndarray]:
        """1 - β₁^t and 1 - β₂^t after each step (steps, 1)."""
        return 1 - self.beta1**self.t, 1 - self.beta2**self.t


def _longest(beta1: float, beta2: float, t: Any) -> Any:
    """The longest possible step t, over η, by the inequality of Cauchy and Schwarz."""
    overlap = (1 - (beta1**2 / beta2) ** t) / (1 - beta1**2 / beta2)
    return (1 - beta1) / (1 - beta1**t) * np.sqrt((1 - beta2**t) / (1 - beta2) * overlap)


def _unrolled(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    one, two = s.corrections
    return s.moves(s.g, eps=s.eps), -s.lr * (s.m / one) / (np.sqrt(s.v / two) + s.eps)


def _expectation(rng: np.random.Generator) -> tuple[Any, Any]:
    values, betas, steps = rng.normal(size=2), rng.uniform(0.5, 0.99, size=2), 8
    draws = every(values, steps)
    _, (*_, state) = walk(Adam, stream(draws), draws[0], [{}] * steps, betas=tuple(betas))
    moments = np.array([values.mean(), (values**2).mean()])
    return [state["exp_avg"].mean(), state["exp_avg_sq"].mean()], (1 - betas**steps) * moments


def _constant(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    g = np.tile(s.g[0], (STEPS, 1))
    return s.moves(g, eps=s.eps), -s.lr * g / (np.abs(g) + s.eps)


def _uncorrected(rng: np.random.Generator) -> tuple[Any, Any]:
    """The factor on random gradients, and with Adam's own β its first and its largest value, and where that is."""
    s = _Stream(rng)
    one, two = s.corrections
    times = np.arange(1, 10_000)
    factor = (1 - 0.9**times) / np.sqrt(1 - 0.999**times)
    of_defaults = [factor[0], factor.max(), times[factor.argmax()]]
    expected = s.moves(s.g) * one / np.sqrt(two)
    return np.append(-s.lr * s.m / np.sqrt(s.v), of_defaults), np.append(expected, [np.sqrt(10), PEAK, 12])


def _sparse(rng: np.random.Generator) -> Names:
    s = _Stream(rng)
    last = s.moves(np.where(s.t == STEPS, s.g, 0.0), eps=1e-12)[-1]
    return {r"\Delta_t": last, r"\eta": s.lr, r"\beta_1": s.beta1, r"\beta_2": s.beta2, "t": STEPS}


def _bound(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    by_step = s.lr * _longest(s.beta1, s.beta2, s.t) * np.ones(SIZE)
    limit = np.full_like(by_step, s.lr * _longest(s.beta1, s.beta2, np.inf))
    return [np.abs(s.moves(s.g)), by_step], [by_step, limit]


def _growing(rng: np.random.Generator) -> tuple[Any, Any]:
    """The last step on the worst gradients, and the longest of all for Adam's own β."""
    s = _Stream(rng)
    g = (s.beta2 / s.beta1) ** s.t * s.g[0]
    longest = s.lr * _longest(s.beta1, s.beta2, STEPS)
    return np.append(s.moves(g)[-1], _longest(0.9, 0.999, np.inf)), np.append(-longest * np.sign(g[-1]), LONGEST)


def _reached(rng: np.random.Generator) -> tuple[Any, Any]:
    """The first bound by the last step on the worst gradients, and the second by the first after many steps."""
    s = _Stream(rng)
    longest = np.abs(s.moves((s.beta2 / s.beta1) ** s.t * s.g[0]))[-1, 0] / s.lr
    of_step, late, limit = (_longest(s.beta1, s.beta2, t) for t in (STEPS, 10_000, np.inf))
    return [longest, late], [of_step, limit]


def _equal(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    return np.abs(s.moves(s.g, betas=(s.beta1, s.beta1))), np.full_like(s.g, s.lr)


def _noise(rng: np.random.Generator) -> Names:
    """The mean square of step 8 over every sequence of signs."""
    lr, beta1, steps = rng.uniform(0.1, 1.0), rng.uniform(0.5, 0.95), 8
    signs = rng.uniform(0.1, 2.0) * every(np.array([-1.0, 1.0]), steps)
    last = moves(Adam, signs, lr=lr, betas=(beta1, 0.99), eps=0.0)[-1]
    return {r"\mathbb{E}\, \Delta_t^2": (last**2).mean(), r"\eta": lr, r"\beta_1": beta1, "t": steps}


def _scaled(rng: np.random.Generator) -> tuple[Any, Any]:
    s, scale = _Stream(rng), rng.uniform(0.1, 9.0)
    return s.moves(scale * s.g, eps=s.eps), s.moves(s.g, eps=s.eps / scale)


def _amsgrad(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    s.g[STEPS // 2 :] *= 0.1  # so that v falls
    one, two = s.corrections
    largest = np.maximum.accumulate(s.v)
    return s.moves(s.g, amsgrad=True), -s.lr * np.sqrt(two) / one * s.m / np.sqrt(largest)


def _uphill(rng: np.random.Generator) -> Names:
    """The way over one cycle of gradients 3, -1, -1, after many, from a random start of the cycle."""
    cycles = np.roll(np.tile([3.0, -1.0, -1.0], 40), int(rng.integers(3)))[:, None]
    options = {"lr": 1.0, "betas": (0.0, 0.1), "eps": 0.0}
    forgetful, amsgrad = (moves(Adam, cycles, amsgrad=amsgrad, **options)[-3:].sum() for amsgrad in (False, True))
    return {r"\sum \Delta": forgetful, r"\sum \Delta^{\mathrm{AMSGrad}}": amsgrad, r"\eta": 1.0}


def _moments() -> list[Step]:
    return [
        Remark(
            r"By coordinate, with $m_0 = v_0 = 0$: $m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t$, $v_t = \beta_2 "
            r"v_{t-1} + (1 - \beta_2)\, g_t^2$, $\hat m_t = m_t/(1 - \beta_1^t)$, $\hat v_t = v_t/(1 - \beta_2^t)$ "
            r"and $\Delta_t = \theta_t - \theta_{t-1} = -\eta\, \hat m_t/(\sqrt{\hat v_t} + \varepsilon)$."
        ),
        Numeric(
            r"Unrolled, both moments are sums over all gradients so far, in which older ones fade: RMSprop's divisor "
            r"under momentum.",
            r"m_t = (1 - \beta_1) \sum_{k=0}^{t-1} \beta_1^k\, g_{t-k}, \qquad v_t = (1 - \beta_2) \sum_{k=0}^{t-1} "
            r"\beta_2^k\, g_{t-k}^2",
            _unrolled,
            how=LIBRARY,
        ),
        Symbolic(
            r"The weights lack $\beta^t$ to 1, which stands for the zeros before the start. Divided by their sum they "
            r"are those of a mean.",
            sympy.Sum((1 - beta) * beta**k, (k, 0, t - 1)),
            1 - beta**t,
            latex=r"(1 - \beta) \sum_{k=0}^{t-1} \beta^k = 1 - \beta^t",
            span=(0.1, 0.9),
        ),
        Numeric(
            r"So if the gradients keep their distribution, both moments expect too little by exactly the factor that "
            r"the correction removes: $\hat m_t$ and $\hat v_t$ are unbiased from the first step on.",
            r"\mathbb{E}\, m_t = (1 - \beta_1^t)\, \mathbb{E}\, g, \qquad \mathbb{E}\, v_t = (1 - \beta_2^t)\, "
            r"\mathbb{E}\, g^2",
            _expectation,
            how="over every sequence of 8 gradients, by the library's Adam",
        ),
        Numeric(
            r"If the gradient does not change, $\hat m_t = g$ and $\hat v_t = g^2$ at once. At $t = 1$ this is always "
            r"so: the first step moves every coordinate by $\eta$.",
            r"g_1 = \dots = g_t = g: \qquad \Delta_t = -\frac{\eta\, g}{\lvert g \rvert + \varepsilon} \approx -\eta "
            r"\operatorname{sign}(g)",
            _constant,
            how=LIBRARY,
        ),
        Numeric(
            r"Without correction, and with $\varepsilon = 0$, this factor remains. At $t = 1$ it is $(1 - \beta_1) / "
            r"\sqrt{1 - \beta_2}$, for $\beta = (0.9, 0.999)$ thus 3.2; there it grows to 6.6 at step 12, and is felt "
            r"for thousands.",
            r"-\frac{\eta\, m_t}{\sqrt{v_t}} = \frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}}\, \Delta_t",
            _uncorrected,
            tolerance=1e-6,
            how=LIBRARY,
        ),
    ]


def _length() -> list[Step]:
    return [
        Numeric(
            r"A gradient that appears after many zeros moves its weight further than $\eta$ if $1 - \beta_1 > "
            r"\sqrt{1 - \beta_2}$. This is the bound of the paper's section 2.1, which takes it for the worst case.",
            r"g_1 = \dots = g_{t-1} = 0: \qquad \lvert \Delta_t \rvert = \eta\, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} "
            r"\cdot \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}",
            _sparse,
            how=LIBRARY,
        ),
        Numeric(
            r"For any gradients, write $\beta_1^k\, g_{t-k} = (\beta_1^k \beta_2^{-k/2})(\beta_2^{k/2} g_{t-k})$ and "
            r"use the inequality of Cauchy and Schwarz; as $\beta_2^t + r^t \ge 2 \beta_1^t$, no bound is above the "
            r"last.",
            r"\lvert \Delta_t \rvert \le \eta\, \frac{1 - \beta_1}{1 - \beta_1^t} \sqrt{\frac{1 - \beta_2^t}"
            r"{1 - \beta_2} \sum_{k=0}^{t-1} r^k} \le \eta\, \frac{1 - \beta_1}{\sqrt{(1 - \beta_2)(1 - r)}}, \qquad "
            r"r = \frac{\beta_1^2}{\beta_2} < 1",
            _bound,
            relation="<=",
            at=_reached,
            how=LIBRARY,
        ),
        Numeric(
            r"It is reached where the two factors are proportional, by gradients that grow by $\beta_2/\beta_1$ a "
            r"step. So the paper's is not a bound: for $\beta = (0.9, 0.999)$ it says $3.2\,\eta$, and growth by 11\% "
            r"a step leads to $7.3\,\eta$.",
            r"g_s \propto (\beta_2/\beta_1)^s: \qquad \lvert \Delta_t \rvert \to \eta\, \frac{1 - \beta_1}"
            r"{\sqrt{(1 - \beta_2)(1 - r)}} \quad (t \to \infty)",
            _growing,
            tolerance=1e-6,
            how=LIBRARY,
        ),
        Numeric(
            r"With equal $\beta$ both moments are means with the same weights, the square of a mean is at most the "
            r"mean of the squares, and no step is longer than $\eta$.",
            r"\beta_1 = \beta_2: \qquad \hat m_t^2 \le \hat v_t, \quad \lvert \Delta_t \rvert \le \eta",
            _equal,
            relation="<=",
            at=lambda rng: tuple(side[:1] for side in _equal(rng)),
            how=LIBRARY,
        ),
        Numeric(
            r"Where gradients disagree, $\hat m_t$ averages out and $\hat v_t$ does not: the steps shrink, but not to "
            r"0. Fair signs of any size leave, in the long run, a random walk of steps $\eta \sqrt{(1 - \beta_1)/(1 + "
            r"\beta_1)}$, for $\beta_1 = 0.9$ thus $0.23\,\eta$: the rate has to fall.",
            r"g_s = \pm c: \qquad \mathbb{E}\, \Delta_t^2 = \eta^2\, \frac{1 - \beta_1}{1 + \beta_1} \cdot "
            r"\frac{1 + \beta_1^t}{1 - \beta_1^t}",
            _noise,
            how="over every sequence of 8 signs, by the library's Adam",
        ),
        Numeric(
            r"Scaling the loss scales $\hat m_t$ and $\sqrt{\hat v_t}$ alike, and only $\varepsilon$ notices.",
            r"\Delta_t(c\, g, \varepsilon) = \Delta_t(g, \varepsilon/c), \qquad c > 0",
            _scaled,
            how=LIBRARY,
        ),
    ]


def _memory() -> list[Step]:
    return [
        Numeric(
            r"What Adam forgets can mislead it. Let $\beta = (0, 0.1)$ and the gradients $3, -1, -1, 3, \dots$, whose "
            r"mean is positive. After each 3 the divisor is large, after the others small again, and over a cycle Adam "
            r"walks uphill. AMSGrad, which keeps the largest $v$, walks down.",
            r"\sum \Delta \approx 0.681\,\eta, \qquad \sum \Delta^{\mathrm{AMSGrad}} \approx -0.349\,\eta",
            _uphill,
            absolute=1e-4,
            how="by the library's Adam",
        ),
        Numeric(
            r"Its divisor never falls, so that no coordinate's rate grows again, apart from the correction, which here "
            r"is that of the library and of PyTorch; the paper has none.",
            r"\Delta^{\mathrm{AMSGrad}}_t = -\eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \cdot "
            r"\frac{m_t}{\sqrt{v^{\max}_t}}, \qquad v^{\max}_t = \max(v^{\max}_{t-1}, v_t) \ge v^{\max}_{t-1}",
            _amsgrad,
            how=LIBRARY,
        ),
    ]


def adam() -> Derivation:
    """Adam's bias correction and step; Kingma & Ba 2015, sections 2.1 and 3, and Reddi et al. 2018, section 3."""
    return Derivation(
        name="adam",
        title="Adam: bias correction and the length of a step",
        claim=(
            r"Both of Adam's moments expect too little by the factor $1 - \beta^t$, which the correction removes "
            r"exactly: the first step has the length $\eta$ in every coordinate, whatever the loss's scale. Later "
            r"steps are at most $\eta\,(1 - \beta_1)/\sqrt{(1 - \beta_2)(1 - \beta_1^2/\beta_2)}$ long."
        ),
        steps=[*_moments(), *_length(), *_memory()],
        cites=("kingma2015", "reddi2018"),
    )
