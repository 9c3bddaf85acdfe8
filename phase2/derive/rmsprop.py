"""RMSprop: the gradient over its own recent size; its memory, its bounds, its centred form, and Adagrad."""

from typing import Any

import numpy as np
import sympy

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.walk import every, moves, stream, walk
from phase2.optim.adagrad import Adagrad
from phase2.optim.rmsprop import RMSprop

STEPS, SIZE = 12, 3
LIBRARY = "against the library's RMSprop"

k, t = sympy.symbols("k t", positive=True, integer=True)
alpha = sympy.symbols("alpha", positive=True)


class _Stream:
    """Gradients g (steps, size), one a step, of random sizes by coordinate; and random η, α and ε."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.g = rng.normal(size=(STEPS, SIZE)) * np.exp(rng.normal(size=SIZE))
        self.lr, self.alpha, self.eps = rng.uniform(0.1, 1.0), rng.uniform(0.5, 0.95), rng.uniform(0.1, 1.0)
        self.t = np.arange(1, STEPS + 1)[:, None]

    def moves(self, g: np.ndarray, **options: Any) -> np.ndarray:
        """RMSprop's steps (steps, size) on the gradients g, without ε unless it is among the options."""
        return moves(RMSprop, g, **{"lr": self.lr, "alpha": self.alpha, "eps": 0.0, **options})

    def names(self, steps: np.ndarray, g: np.ndarray, called: str = r"\Delta_t") -> Names:
        """What the formulas call these steps and their gradients, for each step and coordinate."""
        t = np.repeat(self.t, SIZE)
        return {called: steps.ravel(), "g_t": g.ravel(), "t": t, r"\eta": self.lr, r"\alpha": self.alpha}

    @property
    def constant(self) -> np.ndarray:
        return np.tile(self.g[0], (STEPS, 1))

    @property
    def weights(self) -> np.ndarray:
        """Row t - 1 holds the weights (1 - α) α^(t - s) of g_s after t steps (steps, steps)."""
        age = self.t - self.t.T
        return np.where(age >= 0, (1 - self.alpha) * self.alpha ** np.maximum(age, 0), 0.0)

    @property
    def v(self) -> np.ndarray:
        return self.weights @ self.g**2


def _unrolled(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    return s.moves(s.g, eps=s.eps), -s.lr * s.g / (np.sqrt(s.v) + s.eps)


def _estimate(rng: np.random.Generator) -> Names:
    """Mean and variance of v over every sequence of gradients that take one of two sizes with equal chance."""
    sizes, decay, steps = rng.uniform(0.1, 2.0, size=2), rng.uniform(0.5, 0.95), 8
    draws = every(sizes, steps)
    v = walk(RMSprop, stream(draws), draws[0], [{}] * steps, alpha=decay)[1][-1]["square_avg"]
    measured = {r"\mathbb{E}\, v_t": v.mean(), r"\operatorname{Var} v_t": v.var(), r"\alpha": decay, "t": steps}
    return {**measured, r"\mathbb{E}\, g^2": (sizes**2).mean(), r"\operatorname{Var} g^2": (sizes**2).var()}


def _scaled(rng: np.random.Generator) -> tuple[Any, Any]:
    s, scale = _Stream(rng), rng.uniform(0.1, 9.0)
    each = rng.uniform(0.1, 9.0, size=SIZE)  # without ε every coordinate may have its own
    return (
        [s.moves(scale * s.g, eps=s.eps), s.moves(each * s.g)],
        [s.moves(s.g, eps=s.eps / scale), s.moves(s.g)],
    )


def _cap(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    factor = -s.moves(s.g, eps=s.eps) / (s.lr * s.g)
    cap = np.minimum(1 / np.sqrt(s.v), 1 / s.eps)
    return [cap / 2, factor], [factor, cap]


def _capped(rng: np.random.Generator) -> tuple[Any, Any]:
    """1/(√v + ε) between its bounds: where √v is ε, and where it is far below."""
    v = np.array([1.0, 1e-4])
    factor = -moves(RMSprop, np.array([[1.0, 1e-4]]), lr=1.0, alpha=0.0, eps=1.0)[0] / v
    return [0.5, factor[1]], [factor[0], 1.0]


def _first(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    return np.abs(s.moves(s.g))[0], np.full(SIZE, s.lr / np.sqrt(1 - s.alpha))


def _bound(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    s.g[: STEPS // 2] *= 1e-3  # then they grow, and with them the steps
    return np.abs(s.moves(s.g)), np.full_like(s.g, s.lr / np.sqrt(1 - s.alpha))


def _constant(rng: np.random.Generator) -> Names:
    s = _Stream(rng)
    return s.names(s.moves(s.constant), s.constant)


def _signs(rng: np.random.Generator) -> Names:
    s = _Stream(rng)
    return {**s.names(s.moves(s.g, alpha=0.0), s.g), r"\alpha": 0.0}


def _steepest(rng: np.random.Generator) -> tuple[Any, Any]:
    """No direction within the unit cube falls more steeply than the sign's, and that one falls by the sum."""
    g, within = rng.normal(size=SIZE), rng.uniform(-1, 1, size=(100, SIZE))
    falls = np.append(within @ g, np.sign(g) @ g)
    return falls, np.full(len(falls), np.abs(g).sum())


def _centred(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    m = s.weights @ s.g
    spread = np.array([w @ (s.g - mean) ** 2 for w, mean in zip(s.weights, m, strict=True)])
    variance = spread + s.alpha**s.t * m**2
    return s.moves(s.g, eps=s.eps, centered=True), -s.lr * s.g / (np.sqrt(variance) + s.eps)


def _centred_constant(rng: np.random.Generator) -> Names:
    s = _Stream(rng)
    return s.names(s.moves(s.constant, centered=True), s.constant)


def _adagrad(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    schedule = [{"lr": s.lr / step**0.5, "alpha": 1 - 1 / step} for step in range(1, STEPS + 1)]
    as_rmsprop, _ = walk(RMSprop, stream(s.g), np.zeros(SIZE), schedule, eps=0.0)
    return moves(Adagrad, s.g, lr=s.lr, eps=0.0), np.diff(as_rmsprop, axis=0)


def _adagrad_constant(rng: np.random.Generator) -> Names:
    s = _Stream(rng)
    return s.names(moves(Adagrad, s.constant, lr=s.lr, eps=0.0), s.constant, r"\Delta_t^{\mathrm{Adagrad}}")


def _adagrad_sum(g: np.ndarray) -> tuple[Any, Any]:
    falls = -(g * moves(Adagrad, g, lr=1.0, eps=0.0)).sum(0)
    return falls, 2 * np.sqrt((g**2).sum(0))


def _average() -> list[Step]:
    return [
        Remark(
            r"By coordinate, with $g_t = \nabla f(\theta_{t-1})$ and $v_0 = 0$: $v_t = \alpha v_{t-1} + (1 - \alpha)\, "
            r"g_t^2$ and $\Delta_t = \theta_t - \theta_{t-1} = -\eta\, g_t / (\sqrt{v_t} + \varepsilon)$."
        ),
        Numeric(
            r"Unrolled, the divisor is a mean of squares in which the gradient of $k$ steps ago has the weight "
            r"$(1 - \alpha)\,\alpha^k$: plain descent with a rate of its own for every coordinate, or a diagonal "
            r"preconditioner.",
            r"\Delta_t = -\frac{\eta\, g_t}{\sqrt{v_t} + \varepsilon}, \qquad v_t = (1 - \alpha) \sum_{k=0}^{t-1} "
            r"\alpha^k\, g_{t-k}^2",
            _unrolled,
            how=LIBRARY,
        ),
        Symbolic(
            r"Its memory, the mean age of what is in it with the present counted as 1, is the horizon of momentum: 100 "
            r"steps for $\alpha = 0.99$. The derivative of the geometric series adds it up.",
            (1 - alpha) * sympy.diff(alpha / (1 - alpha), alpha),
            1 / (1 - alpha),
            latex=r"(1 - \alpha) \sum_{k=0}^\infty (k + 1)\,\alpha^k = (1 - \alpha)\, \frac{d}{d\alpha}\, "
            r"\frac{\alpha}{1 - \alpha} = \frac{1}{1 - \alpha}",
            span=(0.1, 0.9),
        ),
        Numeric(
            r"For independent gradients of one distribution it estimates their second moment, but from below, as it "
            r"starts at 0, and with the noise of a mean over $(1 + \alpha)/(1 - \alpha)$ of them: a longer memory is "
            r"quieter, and slower to see a change.",
            r"\mathbb{E}\, v_t = (1 - \alpha^t)\, \mathbb{E}\, g^2, \qquad \operatorname{Var} v_t = "
            r"\frac{1 - \alpha}{1 + \alpha}\, (1 - \alpha^{2t}) \operatorname{Var} g^2",
            _estimate,
            how="over every sequence of 8 gradients, by the library's RMSprop",
        ),
    ]


def _size() -> list[Step]:
    return [
        Numeric(
            r"A factor of the gradients comes out of the root and cancels: without $\varepsilon$ the steps do not "
            r"depend on the loss's scale, nor on that of any one coordinate. With it, larger gradients are a smaller "
            r"$\varepsilon$.",
            r"\Delta_t(c\, g, \varepsilon) = \Delta_t(g, \varepsilon/c), \qquad \Delta_t(c \odot g, 0) = "
            r"\Delta_t(g, 0), \qquad c > 0",
            _scaled,
            how=LIBRARY,
        ),
        Numeric(
            r"So $\varepsilon$ is a size of gradients. Above it RMSprop normalizes, and below it is plain descent with "
            r"the rate $\eta/\varepsilon$, which no coordinate's rate can pass.",
            r"\frac12 \min\Bigl(\frac{1}{\sqrt{v_t}}, \frac1\varepsilon\Bigr) \le \frac{1}{\sqrt{v_t} + \varepsilon} "
            r"\le \min\Bigl(\frac{1}{\sqrt{v_t}}, \frac1\varepsilon\Bigr)",
            _cap,
            relation="<=",
            at=_capped,
            slack=1.001,
            how=LIBRARY,
        ),
        Numeric(
            r"A gradient is always part of its own divisor, $v_t \ge (1 - \alpha)\, g_t^2$. So no step is longer than "
            r"the following, however large the gradient: for $\alpha = 0.99$, $10\,\eta$.",
            r"\lvert \Delta_t \rvert \le \frac{\eta}{\sqrt{1 - \alpha}}",
            _bound,
            relation="<=",
            at=_first,
            how=LIBRARY,
        ),
        Numeric(
            r"Without $\varepsilon$ the bound is reached at the first step, as the average starts at 0. While the "
            r"gradient stays the same the steps then shrink to $\eta$, whatever its size.",
            r"g_1 = \dots = g_t,\ \varepsilon = 0: \qquad \Delta_t = -\frac{\eta \operatorname{sign}(g_t)}"
            r"{\sqrt{1 - \alpha^t}}",
            _constant,
            how=LIBRARY,
        ),
        Numeric(
            r"Without a memory only the sign of the gradient is left.",
            r"\alpha = \varepsilon = 0: \qquad \Delta_t = -\eta \operatorname{sign}(g_t)",
            _signs,
            how=LIBRARY,
        ),
        Numeric(
            r"That is steepest descent too, if a step is measured by its largest coordinate: no other direction of "
            r"that length falls as fast.",
            r"\langle g, d \rangle \le \lVert g \rVert_1 = \langle g, \operatorname{sign}(g) \rangle, \qquad "
            r"\lVert d \rVert_\infty \le 1",
            _steepest,
            relation="<=",
            at=lambda rng: tuple(side[-1:] for side in _steepest(rng)),
        ),
    ]


def _relatives() -> list[Step]:
    return [
        Numeric(
            r"The centred form also averages the gradients, $m_t = \alpha m_{t-1} + (1 - \alpha)\, g_t$, and divides "
            r"by $\sqrt{v_t - m_t^2}$: a standard deviation, once $\alpha^t$, what the weights lack to 1, is gone.",
            r"v_t - m_t^2 = (1 - \alpha) \sum_{k=0}^{t-1} \alpha^k\, (g_{t-k} - m_t)^2 + \alpha^t\, m_t^2",
            _centred,
            how="against the library's centred RMSprop",
        ),
        Numeric(
            r"It steps further where gradients agree. Where they are all equal the deviation fades, and the steps grow "
            r"exponentially until $\varepsilon$, which is left out here, stops them: the bound is lost.",
            r"g_1 = \dots = g_t: \qquad \Delta_t = -\frac{\eta \operatorname{sign}(g_t)}"
            r"{\sqrt{\alpha^t\, (1 - \alpha^t)}}",
            _centred_constant,
            how="against the library's centred RMSprop",
        ),
        Numeric(
            r"Adagrad divides by the sum of all squares instead. It is RMSprop with a memory as long as the past, an "
            r"even mean, and a falling rate (both without $\varepsilon$).",
            r"\frac{\eta\, g_t}{\sqrt{\sum_{s=1}^t g_s^2}} = \frac{\eta_t\, g_t}{\sqrt{v_t}}, \qquad v_t = \alpha_t "
            r"v_{t-1} + (1 - \alpha_t)\, g_t^2, \quad \alpha_t = 1 - \frac1t, \quad \eta_t = \frac{\eta}{\sqrt t}",
            _adagrad,
            how="with the library's Adagrad and RMSprop",
        ),
        Numeric(
            r"So while RMSprop walks on at a constant gradient, Adagrad slows down by itself.",
            r"g_1 = \dots = g_t: \qquad \Delta_t^{\mathrm{Adagrad}} = -\frac{\eta}{\sqrt t} \operatorname{sign}(g_t)",
            _adagrad_constant,
            how="against the library's Adagrad",
        ),
        Numeric(
            r"Its regret rests on one sum, which grows like $\sqrt T$: with $S_t = \sum_{s \le t} g_s^2$ each term is "
            r"at most $2\,(\sqrt{S_t} - \sqrt{S_{t-1}})$, and these telescope.",
            r"\sum_{t=1}^T \frac{g_t^2}{\sqrt{S_t}} \le 2 \sqrt{S_T}",
            lambda rng: _adagrad_sum(_Stream(rng).g),
            relation="<=",
            at=lambda rng: _adagrad_sum(np.ones((2000, 1))),
            slack=1.02,
            how="against the library's Adagrad",
        ),
    ]


def rmsprop() -> Derivation:
    """RMSprop and Adagrad; Tieleman & Hinton 2012, lecture 6e, and Duchi et al. 2011, lemma 4."""
    return Derivation(
        name="rmsprop",
        title="RMSprop: the gradient over its own size",
        claim=(
            r"RMSprop divides each coordinate's gradient by its root mean square over some $1/(1 - \alpha)$ steps. Its "
            r"steps do not depend on the gradient's scale: they come close to $\eta$ where gradients stay the same, "
            r"and are never longer than $\eta/\sqrt{1 - \alpha}$. Without a memory it is descent by signs, and with "
            r"one of all the past it is Adagrad."
        ),
        steps=[*_average(), *_size(), *_relatives()],
        cites=("tieleman2012", "duchi2011"),
    )
