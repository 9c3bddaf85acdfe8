"""Momentum: an exponential average of gradients, and a heavy ball with friction."""

from typing import Any

import numpy as np
import sympy
from scipy.linalg import expm
from sympy import log

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.walk import descend

STEPS, SIZE = 12, 3
FINE = 1 / 400  # time step at which the heavy ball is compared with its limit

k, t = sympy.symbols("k t", positive=True, integer=True)
mu, h, m, c, a, b = sympy.symbols("mu h m c a b", positive=True)
x, x_next, x_last, g, v = sympy.symbols("x x_next x_last g v", real=True)


class _Stream:
    """Random gradients g (steps, size), one a step, for SGD with momentum μ from θ = 0 at the rates `rates`."""

    def __init__(self, rng: np.random.Generator, dampened: bool = False) -> None:
        self.g = rng.normal(size=(STEPS, SIZE))
        self.mu, self.eta, self.eta_new = rng.uniform(0.5, 0.95), *rng.uniform(0.1, 1.0, size=2)
        self.rates = np.append(np.full(STEPS - 1, self.eta), self.eta_new)  # another rate in the last step
        gradients = iter(self.g)
        self.theta, self.v = descend(
            lambda _: next(gradients),
            np.zeros(SIZE),
            self.rates,
            momentum=self.mu,
            dampening=self.mu if dampened else 0.0,
        )

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """Σ_k weights[k] g_{t-k}, the last gradient first."""
        return weights @ self.g[::-1]

    def classical(self) -> np.ndarray:
        """The iterates if the rate multiplies each gradient as it enters the velocity."""
        velocity, theta = np.zeros(SIZE), [np.zeros(SIZE)]
        for rate, gradient in zip(self.rates, self.g, strict=True):
            velocity = self.mu * velocity - rate * gradient
            theta.append(theta[-1] + velocity)
        return np.array(theta)


def _unrolled(rng: np.random.Generator) -> tuple[Any, Any]:
    stream = _Stream(rng)
    return stream.v[-1], stream.weighted(stream.mu ** np.arange(STEPS))


def _lag_and_noise(rng: np.random.Generator) -> tuple[Any, Any]:
    momentum, age = rng.uniform(0.5, 0.95), np.arange(2000)
    weights = (1 - momentum) * momentum**age
    return [weights @ age, weights @ weights], [momentum / (1 - momentum), (1 - momentum) / (1 + momentum)]


def _constant_gradient(rng: np.random.Generator) -> Names:
    rate, momentum, gradient = rng.uniform(0.1, 1.0), rng.uniform(0.5, 0.95), rng.normal(size=SIZE)
    theta, _ = descend(lambda _: gradient, np.zeros(SIZE), [rate] * STEPS, momentum=momentum)
    return {r"\theta_t": theta[-1], r"\theta_0": 0.0, r"\eta": rate, r"\mu": momentum, "t": STEPS, "g": gradient}


def _heavy_ball(rng: np.random.Generator) -> tuple[Any, Any]:
    """The iterates on f = Σ log cosh(A θ), whose gradient is Aᵀ tanh(A θ)."""
    A, start = rng.normal(size=(2, SIZE, SIZE))
    rate, momentum = rng.uniform(0.05, 0.2), rng.uniform(0.5, 0.95)

    def gradient(theta: np.ndarray) -> np.ndarray:
        return A.T @ np.tanh(A @ theta)

    theta, _ = descend(gradient, start[0], [rate] * STEPS, momentum=momentum)
    slopes = np.array([gradient(point) for point in theta[1:-1]])
    return theta[2:], theta[1:-1] - rate * slopes + momentum * (theta[1:-1] - theta[:-2])


def _classical(rng: np.random.Generator) -> tuple[Any, Any]:
    stream = _Stream(rng)
    return stream.theta[:-1], stream.classical()[:-1]


def _changed_rate(rng: np.random.Generator) -> tuple[Any, Any]:
    s = _Stream(rng)
    return s.theta[-1] - s.classical()[-1], -(s.eta_new - s.eta) * s.mu * s.v[-2]


def _dampened(rng: np.random.Generator) -> tuple[Any, Any]:
    stream = _Stream(rng, dampened=True)
    weights = (1 - stream.mu) * stream.mu ** np.arange(STEPS)
    weights[-1] = stream.mu ** (STEPS - 1)
    return np.append(stream.v[-1], 1.0), np.append(stream.weighted(weights), weights.sum())


def _oscillator(rng: np.random.Generator) -> tuple[Any, Any]:
    """SGD on λx²/2 from x = 1 up to time 2, and the solution of ẍ + c ẋ + λ x = 0 at every tenth of it."""
    curvature, friction, steps = rng.uniform(0.5, 4.0), rng.uniform(0.2, 2.0), round(2 / FINE)
    theta, _ = descend(lambda x: curvature * x, np.ones(1), [FINE**2] * steps, momentum=1 - friction * FINE)
    generator = np.array([[0.0, 1.0], [-curvature, -friction]])
    return theta[:: steps // 10, 0], [expm(generator * time)[0, 0] for time in np.linspace(0, 2, 11)]


def _average() -> list[Step]:
    return [
        Remark(
            r"Let $v_0 = 0$, $v_t = \mu v_{t-1} + g_t$ and $\theta_t = \theta_{t-1} - \eta v_t$ with "
            r"$g_t = \nabla f(\theta_{t-1})$ and $0 \le \mu < 1$: the rate multiplies the velocity, as in torch."
        ),
        Numeric(
            r"Unrolled, the velocity holds every gradient so far, each older one with a weight smaller by $\mu$.",
            r"v_t = \sum_{k=0}^{t-1} \mu^k\, g_{t-k}",
            _unrolled,
            how="against the library's SGD",
        ),
        Symbolic(
            r"The weights do not add up to 1 as those of an average would: $(1 - \mu)\,v_t$ is the exponential "
            r"average, apart from the first $1/(1 - \mu)$ steps or so.",
            sympy.Sum(mu**k, (k, 0, t - 1)),
            (1 - mu**t) / (1 - mu),
            latex=r"\sum_{k=0}^{t-1} \mu^k = \frac{1 - \mu^t}{1 - \mu}",
            span=(0.1, 0.9),
        ),
        Symbolic(
            r"It looks back $1/(1 - \mu)$ steps, its horizon: there the weight has fallen to $1/e$ or less, because "
            r"$\log \mu \le \mu - 1$. For $\mu = 0.9$ these are 10 steps, for 0.99 they are 100.",
            log(mu) / (1 - mu),
            sympy.Integer(-1),
            relation="<=",
            at={mu: sympy.Rational(999, 1000)},
            slack=1.001,
            latex=r"\log \mu^{1/(1 - \mu)} = \frac{\log \mu}{1 - \mu} \le -1",
            span=(0.05, 0.95),
        ),
        Numeric(
            r"An average lags behind, by the mean age of what is in it. In return it is less noisy: of the variance of "
            r"independent gradients this part is left, as if $(1 + \mu)/(1 - \mu)$ of them were averaged evenly.",
            r"(1 - \mu) \sum_{k=0}^\infty k\, \mu^k = \frac{\mu}{1 - \mu}, \qquad "
            r"(1 - \mu)^2 \sum_{k=0}^\infty \mu^{2k} = \frac{1 - \mu}{1 + \mu}",
            _lag_and_noise,
            how="by summing the series",
        ),
        Numeric(
            r"While the gradient stays the same the steps grow to those of plain descent with the effective rate "
            r"$\eta/(1 - \mu)$, which start $\mu/(1 - \mu)$ steps late.",
            r"g_1 = \dots = g_t = g: \qquad \theta_t = \theta_0 - \frac{\eta}{1 - \mu} \Bigl(t "
            r"- \frac{\mu\,(1 - \mu^t)}{1 - \mu}\Bigr) g",
            _constant_gradient,
            how="against the library's SGD",
        ),
    ]


def _forms() -> list[Step]:
    return [
        Numeric(
            r"The velocity can be eliminated, since $-\eta v_t = \theta_t - \theta_{t-1}$. What is left is a recursion "
            r"of second order: a step repeats a part $\mu$ of the last one.",
            r"\theta_{t+1} = \theta_t - \eta\, \nabla f(\theta_t) + \mu\,(\theta_t - \theta_{t-1})",
            _heavy_ball,
            how="against the library's SGD, on a random function",
        ),
        Numeric(
            r"In the classical form the rate enters with the gradient. At a constant rate $u_t = -\eta v_t$, and both "
            r"forms walk the same path.",
            r"u_t = \mu u_{t-1} - \eta\, g_t, \qquad \theta_t = \theta_{t-1} + u_t",
            _classical,
            how="against the library's SGD",
        ),
        Numeric(
            r"They part when the rate changes to $\eta'$: the classical form keeps its speed, and torch's scales the "
            r"whole velocity at once, so that a schedule acts without delay.",
            r"\theta_{t+1} - \theta_{t+1}^{\mathrm{classical}} = -(\eta' - \eta)\, \mu\, v_t",
            _changed_rate,
            how="against the library's SGD",
        ),
        Numeric(
            r"Dampening weighs the new gradient by $1 - \tau$. With $\tau = \mu$ this is the exponential average "
            r"itself, and as torch starts with $v_1 = g_1$ the weights add up to 1 from the first step on; the "
            r"effective rate is then $\eta$.",
            r"v_t = \mu^{t-1} g_1 + (1 - \mu) \sum_{k=0}^{t-2} \mu^k\, g_{t-k}, \qquad "
            r"\mu^{t-1} + (1 - \mu) \sum_{k=0}^{t-2} \mu^k = 1",
            _dampened,
            how="against the library's SGD",
        ),
    ]


def _continuous() -> list[Step]:
    newton = m * (x_next - 2 * x + x_last) / h**2 + c * (x - x_last) / h + g
    f = a * x**2 / 2 + b * x**4 / 4
    energy = v**2 / 2 + f
    return [
        Symbolic(
            r"A ball of mass $m$ that rolls with friction $c$ down $f$ obeys $m \ddot x + c\, \dot x + \nabla f(x) = "
            r"0$. With differences over a time $h$ for the derivatives its next place is that of momentum, if "
            r"$\eta = h^2/m$ and $\mu = 1 - ch/m$.",
            sympy.solve(newton, x_next)[0],
            x - h**2 / m * g + (1 - c * h / m) * (x - x_last),
            names={"x_t": x, "x_{t-1}": x_last, r"\nabla f(x_t)": g},
            latex=r"x_{t+1} = x_t - \frac{h^2}{m}\, \nabla f(x_t) + \Bigl(1 - \frac{ch}{m}\Bigr) (x_t - x_{t-1})",
        ),
        Numeric(
            r"So for unit mass a step takes the time $\sqrt\eta$, and for $\eta \to 0$ with $1 - \mu = c\sqrt\eta$ "
            r"momentum follows the ball. Checked on the damped oscillator, whose solution is known.",
            r"\theta_t \to x(t\sqrt\eta), \qquad \ddot x + c\, \dot x + \nabla f(x) = 0, \quad x(0) = \theta_0, \quad "
            r"\dot x(0) = 0",
            _oscillator,
            absolute=5e-3,
            how="against the library's SGD at a small rate",
        ),
        Symbolic(
            r"Only friction takes energy from the ball, and always does while it moves, so that it comes to rest if "
            r"$f$ is bounded below and smooth (with a gradient that has a Lipschitz constant); without friction, at "
            r"$\mu = 1$, it would swing for ever.",
            sympy.diff(energy, x) * v + sympy.diff(energy, v) * (-c * v - sympy.diff(f, x)),
            -c * v**2,
            latex=r"\frac{d}{dt} \Bigl(\tfrac12 \lVert \dot x \rVert^2 + f(x)\Bigr) "
            r"= \bigl\langle \dot x,\, \ddot x + \nabla f(x) \bigr\rangle = -c\, \lVert \dot x \rVert^2",
        ),
    ]


def momentum() -> Derivation:
    """Momentum as an average and as a recursion; Polyak 1964, Sutskever et al. 2013, section 2."""
    return Derivation(
        name="momentum",
        title="Momentum: an average and a heavy ball",
        claim=(
            r"Momentum steps along a sum in which the gradient of $k$ steps ago has the weight $\mu^k$: an average "
            r"over some $1/(1 - \mu)$ steps, at the effective rate $\eta/(1 - \mu)$. As a recursion of second order "
            r"it is a ball that rolls down the loss with friction."
        ),
        steps=[*_average(), *_forms(), *_continuous()],
        cites=("polyak1964", "sutskever2013"),
    )
