"""GELU from its Gaussian gate, its derivatives, and how far its two approximations are off."""

import numpy as np
import sympy
from scipy.special import expit, ndtr
from sympy import Rational, erf, exp, pi, sqrt, tanh

from phase2.derive.derivation import DIGITS, Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.extrema import maximum
from phase2.derive.reader import Names

x, z = sympy.symbols("x z", real=True)
C, BETA = Rational(44715, 10**6), Rational(1702, 1000)  # the constants of Hendrycks & Gimpel 2016, section 2

Phi = (1 + erf(x / sqrt(2))) / 2
phi = exp(-(x**2) / 2) / sqrt(2 * pi)
f = x * Phi


def tanh_gelu(c: sympy.Expr) -> sympy.Expr:
    """x (1 + tanh √(2/π) (x + c x³)) / 2."""
    return x * (1 + tanh(sqrt(2 / pi) * (x + c * x**3))) / 2


def sigmoid_gelu(beta: sympy.Expr) -> sympy.Expr:
    """x σ(βx)."""
    return x / (1 + exp(-beta * x))


def worst_error(approximation: sympy.Expr) -> float:
    """The largest distance to GELU; it is even in x, and has one sign where it is largest."""
    difference = approximation - f
    return float(max(maximum(sign * difference, x, 0.01, 8.0)[1] for sign in (1, -1)))


def _lowest(rng: np.random.Generator) -> Names:
    where, depth = maximum(-f, x, -8.0, 0.0)
    return {"x_*": float(where), "f(x_*)": -float(depth)}


def _errors(rng: np.random.Generator) -> Names:
    """Both errors as functions of their constant; and what they consist of, to be read on a fine grid."""
    return {
        r"\varepsilon_{\tanh}": lambda c: worst_error(tanh_gelu(sympy.Float(c, DIGITS))),
        r"\varepsilon_\sigma": lambda beta: worst_error(sigmoid_gelu(sympy.Float(beta, DIGITS))),
        "x": np.linspace(-8, 8, 100_001),
        r"\Phi": ndtr,
        r"\sigma": expit,
    }


def _exact() -> list[Step]:
    return [
        Symbolic(
            r"Let $Z$ be standard normal. A gate that passes $x$ if it exceeds $Z$, and 0 if not, passes on average "
            r"$x$ times the probability of being open.",
            x * sympy.Integral(exp(-(z**2) / 2) / sqrt(2 * pi), (z, -sympy.oo, x)),
            f,
            latex=r"\mathbb{E}\bigl[x\,\mathbf{1}\{Z \le x\}\bigr] = x \int_{-\infty}^{x} \varphi(z)\,dz = x\,\Phi(x) "
            r"= \frac{x}{2}\Bigl(1 + \operatorname{erf}\frac{x}{\sqrt 2}\Bigr), "
            r"\qquad \varphi(z) = \frac{e^{-z^2/2}}{\sqrt{2\pi}}",
            names={
                r"\Phi(x)": Phi,
                r"\varphi": lambda t: phi.subs(x, t),
                "z": z,
                r"\operatorname{erf}\frac{x}{\sqrt 2}": erf(x / sqrt(2)),
            },
        ),
        Symbolic(
            r"The normal distribution is symmetric, so $\Phi(x) + \Phi(-x) = 1$, and GELU differs from the identity on "
            r"the right by what it is on the left.",
            f - f.subs(x, -x),
            x,
            latex=r"f(x) - f(-x) = x\,\Phi(x) + x\,\Phi(-x) = x",
        ),
        Symbolic(
            r"The derivative follows by the product rule from $\Phi' = \varphi$.",
            sympy.Derivative(f, x),
            Phi + x * phi,
            names={r"\Phi(x)": Phi, r"\varphi(x)": phi},
            latex=r"f'(x) = \Phi(x) + x\,\varphi(x)",
        ),
        Symbolic(
            r"Since $\varphi'(x) = -x\,\varphi(x)$, the second derivative has no $\Phi$ left: it is smooth, largest "
            r"at 0, and changes its sign at $\pm\sqrt 2$.",
            sympy.Derivative(f, (x, 2)),
            (2 - x**2) * phi,
            names={r"\varphi(x)": phi},
            latex=r"f''(x) = 2\,\varphi(x) - x^2\,\varphi(x) = (2 - x^2)\,\varphi(x)",
        ),
        Numeric(
            r"GELU is not monotone: $f'$ vanishes where $\Phi(x) = -x\,\varphi(x)$, at one negative $x_*$, where the "
            r"function is lowest.",
            r"x_* = -0.75179, \qquad f(x_*) = -0.16997",
            _lowest,
            how="at 50 digits",
        ),
    ]


def _approximations() -> list[Step]:
    u = sympy.atanh(erf(x / sqrt(2))) / sqrt(2 / pi)
    series = x * sympy.diff(u, x).subs(x, 0) + x**3 * sympy.diff(u, x, 3).subs(x, 0) / 6
    return [
        Symbolic(
            r"Both approximations replace $\Phi$ by a logistic function, the first by one of a cubic in $x$: $\tanh$ "
            r"is a sigmoid in other units.",
            (1 + tanh(z)) / 2,
            1 / (1 + exp(-2 * z)),
            names={"u": z, r"\sigma": lambda t: 1 / (1 + exp(-t))},
            latex=r"\tfrac12\bigl(1 + \tanh u\bigr) = \sigma(2u)",
        ),
        Symbolic(
            r"To be exact, $u$ would have to be $\operatorname{artanh}(2\Phi(x) - 1)$, which is odd; its series begins "
            r"with a linear and a cubic term.",
            series,
            x + (4 - pi) / (6 * pi) * x**3,
            names={r"\operatorname{artanh}\Bigl(\operatorname{erf}\frac{x}{\sqrt 2}\Bigr)": sqrt(2 / pi) * series},
            latex=r"\operatorname{artanh}\Bigl(\operatorname{erf}\frac{x}{\sqrt 2}\Bigr) "
            r"= \sqrt{\frac{2}{\pi}}\Bigl(x + \frac{4 - \pi}{6\pi}\,x^3\Bigr) + O(x^5), "
            r"\qquad \frac{4 - \pi}{6\pi} = 0.04554\ldots",
        ),
        Numeric(
            r"The constant in use, 0.044715, is not that coefficient but near it: with it the error stays small "
            r"away from 0 too.",
            r"\max_x \Bigl| x\,\Phi(x) - \tfrac{x}{2}\bigl(1 + \tanh \sqrt{2/\pi}\,(x + 0.044715\,x^3)\bigr) \Bigr| "
            r"= \varepsilon_{\tanh}(0.044715) = 4.73\ldots \cdot 10^{-4}",
            _errors,
            absolute=1e-7,
            how="at 50 digits",
        ),
        Symbolic(
            r"With the linear term alone the approximation is $x\,\sigma(\beta x)$; equal slopes of the gates at 0 "
            r"would ask for $\beta = \sqrt{8/\pi} = 1.596$.",
            sympy.diff(sigmoid_gelu(sqrt(8 / pi)) / x, x).subs(x, 0),
            phi.subs(x, 0),
            names={r"\beta": sqrt(8 / pi), r"\varphi": lambda t: phi.subs(x, t)},
            latex=r"\frac{d}{dx}\,\sigma(\beta x)\Big|_{x=0} = \frac{\beta}{4} = \varphi(0) = \frac{1}{\sqrt{2\pi}}",
        ),
        Numeric(
            r"A steeper gate fits the whole line better: with 1.702 in its place the worst error is some forty times "
            r"that of the cubic.",
            r"\max_x \bigl| x\,\Phi(x) - x\,\sigma(1.702\,x) \bigr| = \varepsilon_\sigma(1.702) = 2.03\ldots \cdot "
            r"10^{-2}",
            _errors,
            absolute=1e-7,
            how="at 50 digits",
        ),
        Numeric(
            r"Either constant beats the one that a series at 0 would give, in the worst case over all $x$:",
            r"\varepsilon_{\tanh}\Bigl(\frac{4 - \pi}{6\pi}\Bigr) = 7.46 \cdot 10^{-4}, \qquad "
            r"\varepsilon_\sigma\bigl(\sqrt{8/\pi}\bigr) = 3.36 \cdot 10^{-2}",
            _errors,
            how="at 50 digits",
        ),
        Remark(
            r"Weights trained with one of the three are not exactly weights for another: the names \texttt{none} and "
            r"\texttt{tanh} of the layer's option stand for different functions."
        ),
    ]


def gelu() -> Derivation:
    """The Gaussian error linear unit; Hendrycks & Gimpel 2016, section 2."""
    return Derivation(
        name="gelu",
        title="GELU from its Gaussian gate",
        claim=(
            r"Gating $x$ by $\mathbf{1}\{Z \le x\}$ with a standard normal $Z$ gives $f(x) = x\,\Phi(x)$ on average, "
            r"with $f' = \Phi + x\varphi$ and $f'' = (2 - x^2)\varphi$; the worst error of the $\tanh$ form is "
            r"$4.73\ldots \cdot 10^{-4}$ and that of $x\,\sigma(1.702x)$ is $2.03\ldots \cdot 10^{-2}$."
        ),
        steps=[*_exact(), *_approximations()],
        cites=("hendrycks2016",),
    )
