"""Swish: its derivatives, its minimum in closed form, its limits in beta, and how near it comes to GELU."""

import numpy as np
import sympy
from scipy.special import expit, ndtr
from sympy import Abs, LambertW, Max, Rational, erf, exp, sqrt

from phase2.derive.derivation import Case, Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.extrema import maximum
from phase2.derive.reader import Names

x, u = sympy.symbols("x u", real=True)
beta = sympy.Symbol("beta", positive=True)
W = LambertW(exp(-1))  # 0.27846...


def sigma(t: sympy.Expr) -> sympy.Expr:
    """The logistic function."""
    return 1 / (1 + exp(-t))


def swish_of(t: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    """t σ(bt)."""
    return t * sigma(b * t)


f, s = swish_of(x, beta), sigma(beta * x)
gelu = x * (1 + erf(x / sqrt(2))) / 2


def furthest(b: sympy.Expr) -> tuple[float, float]:
    """(x*, distance) where Swish_b and GELU differ most; their difference is even, so x* > 0 is enough."""
    peaks = [maximum(sign * (swish_of(x, b) - gelu), x, 0.01, 8.0) for sign in (1, -1)]
    where, distance = max(peaks, key=lambda peak: peak[1])
    return float(where), float(distance)


def _constants(rng: np.random.Generator) -> Names:
    where, depth = maximum(-swish_of(x, sympy.Integer(1)), x, -8.0, 0.0)
    return {"u_*": float(where), "f_1(u_*)": -float(depth)}


def _to_gelu(rng: np.random.Generator) -> Names:
    """The functions on a fine grid, and where they differ most."""
    grid = np.linspace(-8, 8, 100_001)
    names: Names = {"x": grid, r"\Phi": ndtr, "f_{1.702}(x)": grid * expit(1.702 * grid), "f_1(x)": grid * expit(grid)}
    return names


def _furthest(beta: sympy.Expr) -> Case:
    return lambda rng: {r"\lvert x_* \rvert": furthest(beta)[0], r"\varepsilon": furthest(beta)[1], **_to_gelu(rng)}


def _derivatives() -> list[Step]:
    return [
        Symbolic(
            r"The logistic function $\sigma(u) = 1/(1 + e^{-u})$ satisfies a differential equation, from which all "
            r"else follows.",
            sympy.Derivative(sigma(u), u),
            sigma(u) * (1 - sigma(u)),
            names={r"\sigma": sigma},
            latex=r"\sigma'(u) = \sigma(u)\,\bigl(1 - \sigma(u)\bigr)",
        ),
        Symbolic(
            r"The product rule for $f_\beta(x) = x\,\sigma(\beta x)$, with $\sigma = \sigma(\beta x)$, gives a "
            r"derivative that can be had from $f_\beta$ and $\sigma$.",
            sympy.Derivative(f, x),
            beta * f + s * (1 - beta * f),
            names={r"\sigma": s, r"f_\beta": f},
            latex=r"f_\beta'(x) = \sigma + \beta x\,\sigma (1 - \sigma) = \beta f_\beta + \sigma\,(1 - \beta f_\beta)",
        ),
        Symbolic(
            r"Once more, with $\sigma'' = \sigma (1 - \sigma)(1 - 2\sigma)$: smooth everywhere, with $f_\beta''(0) = "
            r"\beta/2$.",
            sympy.Derivative(f, (x, 2)),
            beta * s * (1 - s) * (2 + beta * x * (1 - 2 * s)),
            names={r"\sigma": s},
            latex=r"f_\beta''(x) = \beta\,\sigma (1 - \sigma)\,\bigl(2 + \beta x\,(1 - 2\sigma)\bigr)",
        ),
        Symbolic(
            r"Where $\beta$ is learned, its own derivative is needed too.",
            sympy.Derivative(f, beta),
            x**2 * s * (1 - s),
            names={r"\sigma": s},
            latex=r"\frac{\partial f_\beta}{\partial \beta}(x) = x^2\,\sigma (1 - \sigma)",
        ),
        Symbolic(
            r"For $\beta > 0$ all members of the family have one shape, that of $f_1$, in another unit: it is enough "
            r"to study $f_1$, and the slope has the same bounds for every $\beta$.",
            f,
            swish_of(beta * x, sympy.Integer(1)) / beta,
            names={r"f_\beta(x)": f, "f_1": lambda t: swish_of(t, sympy.Integer(1))},
            latex=r"f_\beta(x) = \frac{1}{\beta}\, f_1(\beta x), \qquad f_\beta'(x) = f_1'(\beta x)",
        ),
    ]


def _minimum() -> list[Step]:
    lowest = -1 - W
    return [
        Symbolic(
            r"$f_1'(u) = \sigma\,(1 + u(1 - \sigma))$ is 0 where $1 + u + e^u = 0$. With $w = -(1 + u)$ this reads "
            r"$w\,e^w = e^{-1}$, which Lambert's $W$ solves.",
            sympy.diff(swish_of(u, sympy.Integer(1)), u).subs(u, lowest),
            sympy.Integer(0),
            names={"W": LambertW, "u_*": -1 - W},
            latex=r"f_1'(u_*) = 0, \qquad u_* = -1 - W(e^{-1})",
        ),
        Symbolic(
            r"There $e^{u_*} = -(1 + u_*)$, so that the value is $u_* e^{u_*} / (1 + e^{u_*}) = 1 + u_*$.",
            swish_of(lowest, sympy.Integer(1)),
            -W,
            names={"W": LambertW, "u_*": -1 - W},
            latex=r"\min f_1 = f_1(u_*) = 1 + u_* = -W(e^{-1})",
        ),
        Numeric(
            r"In numbers, from a search over the line; by the scaling, $f_\beta$ has its minimum $-0.27846/\beta$ at "
            r"$-1.27846/\beta$.",
            r"u_* = -1.27846, \qquad f_1(u_*) = -0.27846",
            _constants,
            how="at 50 digits",
        ),
    ]


def _family() -> list[Step]:
    return [
        Symbolic(
            r"As $\beta \to 0$ the gate is half open everywhere, and Swish becomes linear.",
            sympy.Limit(f, beta, 0),
            x / 2,
            names={r"\sigma": sigma},
            latex=r"\lim_{\beta \to 0} f_\beta(x) = x\,\sigma(0) = \frac{x}{2}",
        ),
        Symbolic(
            r"From ReLU it differs by as much on the one side as on the other, by symmetry of the gate.",
            Max(x, 0) - f,
            Abs(x) * sigma(-beta * Abs(x)),
            names={r"f_\beta(x)": f, r"\sigma": sigma},
            latex=r"\max(x, 0) - f_\beta(x) = |x|\,\sigma(-\beta |x|)",
        ),
        Symbolic(
            r"The right side is $-f_\beta(-|x|)$, so it is at most the depth of the minimum: as $\beta \to \infty$, "
            r"Swish tends to ReLU uniformly, at the rate $1/\beta$.",
            Max(x, 0) - f,
            W / beta,
            relation="<=",
            at={x: -1 - W, beta: 1},
            names={r"f_\beta(x)": f, "W": LambertW},
            latex=r"0 \le \max(x, 0) - f_\beta(x) \le \frac{W(e^{-1})}{\beta}",
        ),
        Numeric(
            r"GELU has the gate $\Phi$, which $\sigma(1.702\,x)$ follows closely. The two differ most at $\pm 2.27$, "
            r"where the gates still differ and the factor $x$ is large.",
            r"\max_x \bigl|f_{1.702}(x) - x\,\Phi(x)\bigr| = \varepsilon = 0.02033 \quad\text{at}\quad "
            r"\lvert x_* \rvert = 2.27040",
            _furthest(Rational(1702, 1000)),
            how="at 50 digits",
        ),
        Numeric(
            r"SiLU, $\beta = 1$, has a gate that opens more slowly, and is almost ten times as far from GELU.",
            r"\max_x \bigl|f_1(x) - x\,\Phi(x)\bigr| = \varepsilon = 0.19300 \quad\text{at}\quad "
            r"\lvert x_* \rvert = 1.96547",
            _furthest(sympy.Integer(1)),
            how="at 50 digits",
        ),
        Remark(
            r"So Swish, GELU and ReLU are one family: a gate that is a distribution function, times the input. They "
            r"differ in how steep the gate is and how fast its tails close."
        ),
    ]


def swish() -> Derivation:
    """Swish and SiLU; Ramachandran et al. 2017, Elfwing et al. 2018."""
    return Derivation(
        name="swish",
        title="Swish, and Swish against GELU",
        claim=(
            r"For $\beta > 0$, $f_\beta(x) = x\,\sigma(\beta x)$ goes from $x/2$ to ReLU as $\beta$ goes from 0 to "
            r"$\infty$, within $W(e^{-1})/\beta = 0.27846\ldots/\beta$ of ReLU; its minimum is $-W(e^{-1})/\beta$; and "
            r"the largest distance of $f_{1.702}$ from GELU is $0.02033$, rounded."
        ),
        steps=[*_derivatives(), *_minimum(), *_family()],
        cites=("ramachandran2017", "elfwing2018", "hendrycks2016"),
    )
