"""Smoothness: the Lipschitz constants of each activation and of its derivative, and what they allow an optimizer."""

from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Abs, Max, Min, Piecewise, erf, exp, log, pi, sqrt, tanh

from phase2.derive.derivation import Case, Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.extrema import maximum
from phase2.derive.reader import Names

x = sympy.Symbol("x", real=True)
a, h, eta = sympy.symbols("a h eta", positive=True)
w, v, y = sympy.symbols("w v y", real=True)

sigma = 1 / (1 + exp(-x))
silu, softplus = x * sigma, log(1 + exp(x))
phi = exp(-(x**2) / 2) / sqrt(2 * pi)
gelu = x * (1 + erf(x / sqrt(2))) / 2

CONSTANTS = {  # f, f', sup |f'|, sup |f''|, and where these two are
    "sigmoid": (sigma, sympy.diff(sigma, x), 1 / 4, 1 / (6 * 3**0.5), 0.0, 1.317),
    "tanh": (tanh(x), 1 - tanh(x) ** 2, 1.0, 4 / (3 * 3**0.5), 0.0, 0.6585),
    "softplus": (softplus, sigma, 1.0, 1 / 4, 20.0, 0.0),
    "silu": (silu, sympy.diff(silu, x), 1.0998394, 1 / 2, 2.39936, 0.0),
    "gelu": (gelu, sympy.diff(gelu, x), 1.1289043, 0.7978846, 2**0.5, 0.0),
    "elu": (Max(x, 0) + Min(exp(x) - 1, 0), Min(exp(x), 1), 1.0, 1.0, 1.0, -1e-3),
}

ROWS = list(CONSTANTS.values())
STEP = np.array([[-1e-3], [1e-3]])

# A loss of one weight: F(w) = (tanh(aw) - y)² / 2, and a bound on |F''|
F = (tanh(a * w) - y) ** 2 / 2
slope = sympy.diff(F, w)
lipschitz = a**2 * (1 + (1 + Abs(y)) * 4 / (3 * sqrt(3)))
NAMES = {
    r"F\Bigl(w - \frac{F'(w)}{L}\Bigr)": F.subs(w, w - slope / lipschitz),
    "F(v)": F.subs(w, v),
    "F(w)": F,
    "F'(w)": slope,
    "L": lipschitz,
    "y": y,
}
BENT = {a: 1, w: -sympy.atanh(1 / sqrt(3))}  # where tanh is bent most


def _largest(f: sympy.Expr, order: int) -> tuple[mpmath.mpf, mpmath.mpf]:
    """(x*, sup |f^(order)|), at the one of the two signs where it is larger."""
    derivative = sympy.diff(f, x, order)
    return max((maximum(sign * derivative, x, -12.0, 12.0) for sign in (1, -1)), key=lambda peak: peak[1])


def _constants_of(name: str, f: sympy.Expr) -> Case:
    """The two constants from a search over the line, as the formulas name them, and where the first is."""

    def case(rng: np.random.Generator) -> Names:
        (where, steepest), (_, curvature) = _largest(f, 1), _largest(f, 2)
        bend = sympy.diff(f, x, 2).subs(x, 0)
        return {
            rf"\sup |{name}'|": float(steepest),
            rf"\sup |{name}''|": float(curvature),
            "x_*": float(where),
            "|f'(x_*)|": float(abs(sympy.diff(f, x).subs(x, float(where)))),
            "|f''(0)|": float(abs(bend)),
        }

    return case


def _mean_value(column: int, far: bool = True) -> Case:
    """Differences of f (column 0) or f' (1), against the constant times the distance: at random, or at the peak."""

    def case(rng: np.random.Generator) -> tuple[Any, Any]:
        pairs = [rng.uniform(-4, 4, (2, 200)) if far else row[column + 4] + STEP for row in ROWS]
        functions = [sympy.lambdify(x, row[column], ["scipy", "numpy"]) for row in ROWS]
        bounds = [row[column + 2] * np.abs(y - z) for row, (y, z) in zip(ROWS, pairs, strict=True)]
        return [np.abs(f(y) - f(z)) for f, (y, z) in zip(functions, pairs, strict=True)], bounds

    return case


def _constants() -> list[Step]:
    return [
        Symbolic(
            r"Let $s = \sigma(x)$. From $\sigma' = s(1 - s)$ the curvature is a cubic in $s$; its derivative $6s^2 - "
            r"6s + 1$ vanishes at $s = \tfrac12 \pm \tfrac{1}{2\sqrt 3}$.",
            sympy.Derivative(sigma, (x, 2)),
            sigma * (1 - sigma) * (1 - 2 * sigma),
            names={"s": sigma},
            latex=r"\sigma''(x) = s\,(1 - s)(1 - 2s)",
        ),
        Numeric(
            r"Put in, this gives the constants of the sigmoid: of $\sigma$ itself, and of $\sigma'$.",
            r"\sup |\sigma'| = \tfrac14, \qquad \sup |\sigma''| = \frac{1}{6\sqrt 3} = 0.0962\ldots",
            _constants_of(r"\sigma", sigma),
            how="at 50 digits",
        ),
        Numeric(
            r"As $\tanh x = 2\sigma(2x) - 1$, its first derivative is 4 times and its second 8 times that of the "
            r"sigmoid.",
            r"\sup |\tanh'| = 1, \qquad \sup |\tanh''| = \frac{4}{3\sqrt 3} = 0.7698\ldots",
            _constants_of(r"\tanh", tanh(x)),
            how="at 50 digits",
        ),
        Symbolic(
            r"Softplus is an integral of the sigmoid, so its constants are 1 and $\tfrac14$.",
            sympy.Derivative(softplus, x),
            sigma,
            names={r"\sigma(x)": sigma},
            latex=r"\frac{d}{dx} \log(1 + e^x) = \sigma(x)",
        ),
        Numeric(
            r"SiLU overshoots: its slope exceeds 1 before it settles there. Its curvature is largest at 0.",
            r"\sup |f'| = |f'(x_*)| = 1.09984, \quad x_* = 2.39936, \qquad \sup |f''| = |f''(0)| = \tfrac12",
            _constants_of("f", silu),
            how="at 50 digits",
        ),
        Symbolic(
            r"GELU has $f'' = (2 - x^2)\,\varphi$, so $f'$ is largest at $\sqrt 2$; $f''$ is largest in size at one "
            r"of the zeros of the next derivative, $0$ and $\pm 2$.",
            sympy.Derivative(gelu, (x, 3)),
            (x**3 - 4 * x) * phi,
            names={r"\varphi(x)": phi},
            latex=r"f'''(x) = x\,(x^2 - 4)\,\varphi(x)",
        ),
        Numeric(
            r"Of these it is 0, where $f''(0) = 2\varphi(0)$: GELU bends more sharply than SiLU, and overshoots a "
            r"little more.",
            r"\sup |f'| = |f'(x_*)| = 1.128904, \quad x_* = \sqrt 2, \qquad \sup |f''| = |f''(0)| = \sqrt{2/\pi} "
            r"= 0.7978\ldots",
            _constants_of("f", gelu),
            how="at 50 digits",
        ),
    ]


def _meaning() -> list[Step]:
    return [
        Numeric(
            r"By the mean value theorem, piecewise where $f$ has a kink as ReLU has, these suprema are Lipschitz "
            r"constants, for every activation, and the best ones.",
            r"|f(x) - f(y)| \le \sup |f'| \; |x - y|",
            _mean_value(0),
            relation="<=",
            at=_mean_value(0, far=False),
            slack=1.001,
            how="at random pairs",
        ),
        Numeric(
            r"The same holds for the derivative. ELU with $\alpha = 1$ has the constants 1 and 1 although $f''$ jumps "
            r"at 0, for $f' = \min(e^x, 1)$ is still continuous.",
            r"|f'(x) - f'(y)| \le \sup |f''| \; |x - y|",
            _mean_value(1),
            relation="<=",
            at=_mean_value(1, far=False),
            slack=1.001,
            how="at random pairs",
        ),
        Symbolic(
            r"ReLU has the constant 1, but $f' = \mathbf{1}\{x > 0\}$ has none: across 0 its difference quotient is "
            r"unbounded.",
            (Piecewise((1, x > 0), (0, True)).subs(x, h) - Piecewise((1, x > 0), (0, True)).subs(x, -h)) / (2 * h),
            1 / (2 * h),
            latex=r"\frac{f'(h) - f'(-h)}{h - (-h)} = \frac{1}{2h} \to \infty \quad\text{as}\quad h \to 0",
        ),
    ]


def _optimization() -> list[Step]:
    t = tanh(a * w)
    return [
        Symbolic(
            r"Both constants enter the curvature of a loss. Take one weight, $F(w) = \tfrac12\,(f(aw) - y)^2$, and "
            r"for the checks $f = \tanh$.",
            sympy.diff(slope, w),
            a**2 * ((1 - t**2) ** 2 + (t - y) * (-2 * t * (1 - t**2))),
            names={"f(aw)": t, "f'(aw)": 1 - t**2, "f''(aw)": -2 * t * (1 - t**2)},
            latex=r"F''(w) = a^2\,\bigl( f'(aw)^2 + (f(aw) - y)\, f''(aw) \bigr)",
        ),
        Symbolic(
            r"So $F'$ has a Lipschitz constant $L$ if $f$ and $f'$ have one, and $f$ is bounded, as $\tanh$ is by 1.",
            Abs(sympy.diff(slope, w)),
            lipschitz,
            relation="<=",
            at={**BENT, y: 10**4},
            slack=1.001,
            names=NAMES,
            latex=r"|F''(w)| \le L = a^2\,\Bigl( 1 + (1 + |y|)\,\frac{4}{3\sqrt 3} \Bigr)",
        ),
        Symbolic(
            r"Integrated twice, this puts a parabola of curvature $L$ above $F$: the descent lemma.",
            F.subs(w, v) - F - slope * (v - w),
            lipschitz / 2 * (v - w) ** 2,
            relation="<=",
            latex=r"F(v) - F(w) - F'(w)\,(v - w) \le \tfrac{L}{2}\,(v - w)^2",
            at={**BENT, y: -(10**4), v: BENT[w] + sympy.Rational(1, 10**4)},
            slack=1.001,
            names=NAMES,
        ),
        Symbolic(
            r"At the parabola's lowest point, a gradient step of size $1/L$ away, the loss is certain to have fallen.",
            slope**2 / (2 * lipschitz),
            F - F.subs(w, w - slope / lipschitz),
            relation="<=",
            latex=r"\frac{F'(w)^2}{2L} \le F(w) - F\Bigl(w - \frac{F'(w)}{L}\Bigr)",
            at={a: 1, w: -sympy.Rational(1, 3), y: -(10**4)},
            slack=1.2,
            names=NAMES,
        ),
        Symbolic(
            r"Without $L$ there is no safe step. On $F(w) = \max(w, 0) + \max(-w, 0) = |w|$, a step of any fixed size "
            r"$\eta$ from $\eta/2$ lands at $-\eta/2$, and the next goes back.",
            Abs(eta / 2 - eta * sympy.sign(eta / 2)),
            eta / 2,
            latex=r"F\bigl(\tfrac{\eta}{2} - \eta\, F'(\tfrac{\eta}{2})\bigr) = F\bigl(-\tfrac{\eta}{2}\bigr) "
            r"= F\bigl(\tfrac{\eta}{2}\bigr)",
        ),
        Remark(
            r"For training this is a guide and not a verdict: in a deep network the constants of all layers multiply, "
            r"so that the proven step is tiny, and ReLU networks train well with steps that decay."
        ),
    ]


def smoothness() -> Derivation:
    """Lipschitz constants of activations and the descent lemma; Nesterov 2004, section 1.2."""
    return Derivation(
        name="smoothness",
        title="Smoothness and curvature",
        claim=(
            r"Sigmoid, $\tanh$, softplus, SiLU and GELU have continuous second derivatives, and $f$ and $f'$ have the "
            r"Lipschitz constants below; ReLU's derivative has none. A loss whose derivative has the constant $L$ "
            r"falls by at least $F'^2/(2L)$ at every gradient step of size $1/L$."
        ),
        steps=[*_constants(), *_meaning(), *_optimization()],
        cites=("nesterov2004",),
    )
