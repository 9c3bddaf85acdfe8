"""Nesterov's momentum: the look-ahead, torch's form of it, and its rate."""

from typing import Any

import numpy as np
import sympy
from scipy.optimize import minimize_scalar
from sympy import sqrt

from phase2.derive.bowl import SIZE, STEPS, Bowl, by_code, look_ahead
from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.walk import descend

CYCLE = np.array([2592, 792, -2208]) / 1225

mu, eta, lam, kappa = sympy.symbols("mu eta lambda kappa", positive=True)
theta, v, g, z, e, e_last = sympy.symbols("theta v g z e e_last", real=True)
MATRIX = sympy.Matrix([[(1 + mu) * (1 - eta * lam), -mu * (1 - eta * lam)], [1, 0]])
POLYNOMIAL = (z * sympy.eye(2) - MATRIX).det()


def radius(rate_eigenvalue: np.ndarray, momentum: float) -> np.ndarray:
    """The larger modulus of the roots of z² - (1 + μ)(1 - ηλ) z + μ(1 - ηλ), for each ηλ."""
    shrunk = 1 - rate_eigenvalue
    return np.array([np.abs(np.roots([1, -(1 + momentum) * a, momentum * a])).max(initial=0) for a in shrunk])


def _two_sequences(rng: np.random.Generator) -> tuple[Any, Any]:
    bowl = Bowl(rng)
    theta, _ = bowl.run(look_ahead)
    y = theta[1:-1] + bowl.momentum * (theta[1:-1] - theta[:-2])
    return theta[2:], y - bowl.rate * np.array([bowl.gradient(point) for point in y])


def _torch_form(rng: np.random.Generator) -> tuple[Any, Any]:
    bowl = Bowl(rng)
    theta, v = bowl.run(look_ahead)
    phi, b = bowl.run(by_code)
    return [phi, b], [theta + bowl.momentum * v, -v / bowl.rate]


def _back(rng: np.random.Generator) -> tuple[Any, Any]:
    bowl = Bowl(rng)
    phi, b = bowl.run(by_code)
    return bowl.run(look_ahead)[0], phi + bowl.rate * bowl.momentum * b


def _weaker(rng: np.random.Generator) -> tuple[Any, Any]:
    """The look-ahead on ½ Σ λ θ²: its velocity as that of momentum μ (1 - ηλ)."""
    eigenvalues, start = rng.uniform(0.1, 2.0, size=SIZE), rng.normal(size=SIZE)
    rate, momentum = rng.uniform(0.1, 0.5), rng.uniform(0.5, 0.95)
    theta, v = look_ahead(lambda x: eigenvalues * x, start, rate, momentum, STEPS)
    return v[1:], momentum * (1 - rate * eigenvalues) * v[:-1] - rate * eigenvalues * theta[:-1]


def _optimal(kappa: float) -> tuple[float, float]:
    """μ and the factor a step, for η = 1/L."""
    return (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1), 1 - 1 / np.sqrt(kappa)


def _best_momentum(rng: np.random.Generator) -> tuple[Any, Any]:
    kappa = rng.uniform(2.0, 50.0)
    products = np.linspace(1 / kappa, 1, 30)
    best = minimize_scalar(
        lambda momentum: radius(products, momentum).max(), bounds=(0, 1), method="bounded", options={"xatol": 1e-10}
    )
    return [best.x, best.fun], _optimal(kappa)


def _on_quadratic(kappa: float, steps: int = STEPS) -> Names:
    """θ = φ + ημ b of SGD on ½ (x₁²/κ + x₂²), L = 1, from (1, 1)."""
    momentum, rho = _optimal(kappa)
    phi, b = by_code(lambda x: np.array([1 / kappa, 1.0]) * x, np.ones(2), 1.0, momentum, steps)
    flat, steep = (phi + momentum * b).T
    return {"e_t": flat, r"\rho": rho, "t": np.arange(steps + 1), "e_{t+1}": steep[1:]}


def _exact(rng: np.random.Generator) -> Names:
    return _on_quadratic(rng.uniform(2.0, 100.0))


def _transient(rng: np.random.Generator) -> Names:
    run = _on_quadratic(100.0, steps=100)
    above = np.flatnonzero(run["e_t"] ** 2 > run[r"\rho"] ** run["t"])
    return {"e_1": run["e_t"][1], r"\max \{t : e_t^2 > \rho^t\}": above.max()}


def _beyond(rng: np.random.Generator) -> tuple[Any, Any]:
    bowl = Bowl(rng)
    bowl.rate = 1 / bowl.L
    bowl.momentum, rho = _optimal(float(bowl.L / bowl.ell))
    theta, _ = bowl.run(look_ahead)
    first = bowl.value(bowl.start) + bowl.ell / 2 * bowl.start @ bowl.start
    return bowl.value(theta), first * rho ** np.arange(STEPS + 1)


def _flattest(rng: np.random.Generator) -> tuple[Any, Any]:
    """The promise for x²/2κ, a quadratic of the least curvature, after √κ steps."""
    run = _on_quadratic(1e4, steps=100)
    return run["e_t"][-1] ** 2, 2 * run[r"\rho"] ** 100


def _circle(rng: np.random.Generator) -> tuple[Any, Any]:
    """The last three iterates of the heavy ball and the last of Nesterov's, both tuned for curvatures from 1 to 25."""
    start = np.array([rng.uniform(3.1, 3.4)])
    heavy, _ = descend(_bent, start, [1 / 9] * 300, momentum=4 / 9)
    ahead, _ = by_code(_bent, start, 1 / 25, _optimal(25)[0], 300)
    return [*np.sort(heavy[-3:, 0]), ahead[-1, 0]], [*np.sort(CYCLE), 0.0]


def _bent(x: np.ndarray) -> np.ndarray:
    return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))


def _forms() -> list[Step]:
    v_next = mu * v - eta * g
    return [
        Remark(
            r"Momentum will carry the parameters from $\theta_t$ to $\theta_t + \mu v_t$ in any case. Nesterov's "
            r"momentum therefore takes the gradient there, $v_{t+1} = \mu v_t - \eta\, \nabla f(\theta_t + \mu v_t)$, "
            r"and $\theta_{t+1} = \theta_t + v_{t+1}$ with $v_0 = 0$."
        ),
        Numeric(
            r"As $v_t = \theta_t - \theta_{t-1}$ these are Nesterov's two sequences: extrapolate, then take a step of "
            r"descent from there.",
            r"y_t = \theta_t + \mu\,(\theta_t - \theta_{t-1}), \qquad \theta_{t+1} = y_t - \eta\, \nabla f(y_t)",
            _two_sequences,
            how="on a random function",
        ),
        Symbolic(
            r"A library takes gradients where the network's parameters are, so they have to be "
            r"$\varphi_t = \theta_t + \mu v_t$. With $g_{t+1} = \nabla f(\varphi_t)$ the old velocity drops out.",
            theta + v_next + mu * v_next,
            (theta + mu * v) + mu * v_next - eta * g,
            names={r"\theta_t": theta, r"\varphi_t": theta + mu * v, "v_t": v, "v_{t+1}": v_next, "g_{t+1}": g},
            latex=r"\varphi_{t+1} = \theta_t + (1 + \mu)\, v_{t+1} = \varphi_t - \mu v_t + (1 + \mu)\, v_{t+1} "
            r"= \varphi_t + \mu v_{t+1} - \eta\, g_{t+1}",
        ),
        Numeric(
            r"Torch's velocity is $b_t = -v_t/\eta$. In these variables the look-ahead is torch's form: the step goes "
            r"along the gradient plus $\mu$ times a velocity that has seen it.",
            r"b_{t+1} = \mu b_t + g_{t+1}, \qquad \varphi_{t+1} = \varphi_t - \eta\, (g_{t+1} + \mu b_{t+1})",
            _torch_form,
            how="against the library's SGD, on a random function",
        ),
        Numeric(
            r"The parameters that are trained and evaluated are thus the extrapolated ones; Nesterov's own follow "
            r"from the optimizer's state.",
            r"\theta_t = \varphi_t + \eta \mu\, b_t",
            _back,
            how="against the library's SGD, on a random function",
        ),
        Numeric(
            r"What the look-ahead changes is seen on a quadratic, along an eigenvector of eigenvalue $\lambda$: it is "
            r"a heavy ball whose momentum is smaller where the curvature is large, and which swings less there.",
            r"v_{t+1} = \mu\,(1 - \eta\lambda)\, v_t - \eta\lambda\, \theta_t",
            _weaker,
            how="on a random quadratic",
        ),
    ]


def _recursion() -> list[Step]:
    product = sympy.Symbol("p", positive=True)
    return [
        Symbolic(
            r"The velocity is eliminated by $v_t = e_t - e_{t-1}$ for the error $e_t$ along the eigenvector.",
            e + mu * (1 - eta * lam) * (e - e_last) - eta * lam * e,
            (1 - eta * lam) * ((1 + mu) * e - mu * e_last),
            names={"e_t": e, "e_{t-1}": e_last},
            latex=r"e_{t+1} = e_t + v_{t+1} = (1 - \eta\lambda) \bigl((1 + \mu)\, e_t - \mu\, e_{t-1}\bigr)",
        ),
        Symbolic(
            r"So the pair $(e_t, e_{t-1})$ is multiplied by a matrix, whose eigenvalues are the roots of this "
            r"polynomial.",
            POLYNOMIAL,
            z**2 - (1 + mu) * (1 - eta * lam) * z + mu * (1 - eta * lam),
            latex=r"\det\left(z I - \begin{pmatrix} (1 + \mu)(1 - \eta\lambda) & -\mu\,(1 - \eta\lambda) \\ 1 & 0 "
            r"\end{pmatrix}\right) = z^2 - (1 + \mu)(1 - \eta\lambda)\, z + \mu\,(1 - \eta\lambda)",
        ),
        Symbolic(
            r"Stability ends where $-1$ is a root. For $\mu$ near 1 this is at $\tfrac43$, less than the 2 of descent "
            r"and the 4 of the heavy ball: the look-ahead has to be paid for with a smaller rate.",
            sympy.solve(POLYNOMIAL.subs({z: -1, lam: product / eta}), product)[0],
            2 * (1 + mu) / (1 + 2 * mu),
            names={r"\eta\lambda": 2 * (1 + mu) / (1 + 2 * mu)},
            latex=r"1 + (1 + 2\mu)(1 - \eta\lambda) = 0 \quad\Longleftrightarrow\quad "
            r"\eta\lambda = \frac{2\,(1 + \mu)}{1 + 2\mu}",
        ),
    ]


def _rate() -> list[Step]:
    product = sympy.Symbol("p", positive=True)
    double = sympy.discriminant(POLYNOMIAL.subs(lam, product / eta), z) / (1 - product)
    momentum = (sqrt(kappa) - 1) / (sqrt(kappa) + 1)
    return [
        Symbolic(
            r"Let $\eta = 1/L$ and $\kappa = L/\ell$. The roots are complex, of modulus "
            r"$\sqrt{\mu\,(1 - \eta\lambda)}$, where $(1 + \mu)^2 (1 - \eta\lambda) < 4\mu$. The flattest "
            r"direction has a double root at this momentum.",
            double.subs(product, 1 / kappa).subs(mu, momentum),
            sympy.Integer(0),
            names={r"\mu": momentum},
            latex=r"(1 + \mu)^2 \Bigl(1 - \frac1\kappa\Bigr) = 4\mu \quad\Longleftarrow\quad "
            r"\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}",
            span=(1.1, 50.0),
        ),
        Numeric(
            r"Its modulus is the factor by which a step shrinks the error: steeper directions are faster, and at this "
            r"rate no other momentum is better.",
            r"\min_\mu\, \max_{\ell \le \lambda \le L} \max\bigl(|z_1|, |z_2|\bigr) "
            r"= \sqrt{\mu \Bigl(1 - \frac1\kappa\Bigr)} = 1 - \frac{1}{\sqrt\kappa} = \rho",
            _best_momentum,
            tolerance=1e-4,
            how="by numerical minimization",
        ),
        Numeric(
            r"The double root adds a factor that grows with $t$, as with the heavy ball: the error falls as $\rho^t$ "
            r"in "
            r"the long run only. The steepest direction is done after one step. (From $e_0 = 1$.)",
            r"\lambda = \ell: \quad e_t = \bigl(1 + (1 - \rho)\,t\bigr)\, \rho^t, \qquad "
            r"\lambda = L: \quad e_{t+1} = 0",
            _exact,
            how="against the library's SGD",
        ),
        Numeric(
            r"The factor is felt for some $2\sqrt\kappa$ steps. At $\kappa = 100$ the first step takes a hundredth off "
            r"the error and no tenth, and the loss, which goes as $e_t^2$, stays above $\rho^t$ of what it was.",
            r"\kappa = 100: \quad e_1 = 0.99, \qquad \max\{t : e_t^2 > \rho^t\} = 22",
            _transient,
            how="by running the library's SGD",
        ),
        Symbolic(
            r"On a quadratic this is the slower of the two: what the heavy ball takes off the error in a step is "
            r"larger "
            r"by a factor of up to 2, near $\kappa = \infty$, where it needs half as many steps.",
            1 - momentum,
            2 / sqrt(kappa),
            relation="<=",
            latex=r"1 - \rho_{\text{heavy ball}} = 1 - \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} "
            r"= \frac{2}{\sqrt\kappa + 1} \le \frac{2}{\sqrt\kappa} = 2\,(1 - \rho)",
            span=(1.1, 50.0),
            at={kappa: 10**6},
            slack=1.01,
            names={r"\rho": 1 - 1 / sqrt(kappa)},
        ),
    ]


def _guarantee() -> list[Step]:
    return [
        Numeric(
            r"What is won is a promise for every function whose curvature lies between $\ell$ and $L$ (Nesterov 2004, "
            r"theorem 2.2.3). The bracket is at most $2\,(f(\theta_0) - f^*)$, and some such factor is needed: on the "
            r"flattest quadratic the value reaches $4/e$ of $\rho^t (f(\theta_0) - f^*)$ after $\sqrt\kappa$ steps.",
            r"f(\theta_t) - f^* \le \Bigl(1 - \frac{1}{\sqrt\kappa}\Bigr)^{\!t} \Bigl(f(\theta_0) - f^* "
            r"+ \frac{\ell}{2}\, \lVert \theta_0 - \theta^* \rVert^2\Bigr)",
            _beyond,
            relation="<=",
            at=_flattest,
            slack=1.37,
            how="on random functions",
        ),
        Numeric(
            r"For the heavy ball, tuned as for a quadratic, there is none: on this function of curvature 1 or 25 it "
            r"walks round three points for ever (Lessard 2016), while Nesterov's momentum from the same start, near "
            r"3.3, arrives.",
            r"f'(x) = \begin{cases} 25x & x < 1 \\ x + 24 & 1 \le x < 2 \\ 25x - 24 & x \ge 2 \end{cases} \qquad "
            r"x_t:\ \tfrac{2592}{1225} \to \tfrac{792}{1225} \to -\tfrac{2208}{1225} \to \tfrac{2592}{1225} \to \dots",
            _circle,
            how="by running the library's SGD",
        ),
    ]


def nesterov() -> Derivation:
    """Nesterov's momentum; Nesterov 1983, and Sutskever et al. 2013, section 2, for the look-ahead."""
    return Derivation(
        name="nesterov",
        title="Nesterov's momentum",
        claim=(
            r"Taking the gradient where momentum is about to lead is, in the variable $\varphi = \theta + \mu v$, "
            r"torch's step along $g + \mu b$. With $\eta = 1/L$ and $\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$ "
            r"the error on a quadratic is at worst $(1 + t/\sqrt\kappa)\,\rho^t$ of what it was, $\rho = 1 - "
            r"1/\sqrt\kappa$, and on every function of these curvatures the loss is at most $2 \rho^t$ of what it was."
        ),
        steps=[*_forms(), *_recursion(), *_rate(), *_guarantee()],
        cites=("nesterov1983", "sutskever2013", "nesterov2004", "lessard2016"),
    )
