"""The variances of initial weights that keep a signal's size: Xavier's and Kaiming's."""

from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy import exp, oo, pi, sqrt

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.nn.init import calculate_gain

OUT, IN = 2, 4

n_in, n_out, L = sympy.symbols(r"n_{\mathrm{in}} n_{\mathrm{out}} L", positive=True, integer=True)
q, a, w = sympy.symbols("q a w", positive=True)
z = sympy.symbols("z", real=True)
DENSITY = exp(-(z**2) / (2 * q)) / sqrt(2 * pi * q)


def _every_sign(std: float) -> np.ndarray:
    """All matrices (OUT, IN) with entries ±std: their mean is an exact expectation over independent weights."""
    signs = list(product((-std, std), repeat=OUT * IN))
    return np.reshape(signs, (-1, OUT, IN))


def _forward_variance(rng: np.random.Generator) -> tuple[Any, Any]:
    std, x = rng.uniform(0.5, 2.0), rng.normal(size=IN)
    y = _every_sign(std) @ x
    return (y**2).mean(0), np.full(OUT, IN * std**2 * (x**2).mean())


def _backward_variance(rng: np.random.Generator) -> tuple[Any, Any]:
    std, delta = rng.uniform(0.5, 2.0), rng.normal(size=OUT)
    back = np.swapaxes(_every_sign(std), 1, 2) @ delta
    return (back**2).mean(0), np.full(IN, OUT * std**2 * (delta**2).mean())


def _gain(rng: np.random.Generator) -> tuple[Any, Any]:
    slope = rng.uniform(0.0, 1.0)
    return calculate_gain("leaky_relu", slope) ** 2, 2 / (1 + slope**2)


def _linear() -> list[Step]:
    return [
        Remark(
            r"Let $y = Wx$ with $W \in \mathbb{R}^{n_{\mathrm{out}} \times n_{\mathrm{in}}}$, whose entries are "
            r"independent with mean 0 and variance $w$, and let $q = \tfrac{1}{n_{\mathrm{in}}} \sum_i x_i^2$ be the "
            r"mean square of the inputs. Biases start at 0."
        ),
        Numeric(
            r"In $\mathbb{E}\,y_j^2 = \sum_{i,k} \mathbb{E}[W_{ji} W_{jk}]\, x_i x_k$ all products of two different "
            r"weights average to 0, which leaves $n_{\mathrm{in}}$ squares.",
            r"\operatorname{Var} y_j = \sum_{i=1}^{n_{\mathrm{in}}} w\, x_i^2 = n_{\mathrm{in}}\, w\, q",
            _forward_variance,
            how="by averaging over every matrix of signs",
        ),
        Symbolic(
            r"The signal keeps its size from layer to layer if the factor of $q$ is 1.",
            sympy.solve(n_in * w * q - q, w)[0],
            1 / n_in,
            names={"w": 1 / n_in},
            latex=r"n_{\mathrm{in}}\, w = 1 \quad\Longleftrightarrow\quad w = \frac{1}{n_{\mathrm{in}}}",
        ),
        Numeric(
            r"On the way back the same weights are summed over the other index: the error $\delta$ of the outputs "
            r"reaches the inputs as $W^\top \delta$.",
            r"\operatorname{Var} (W^\top\delta)_i = \sum_{j=1}^{n_{\mathrm{out}}} w\, \delta_j^2 "
            r"= n_{\mathrm{out}}\, w\, \overline{\delta^2}, \qquad w = \frac{1}{n_{\mathrm{out}}}",
            _backward_variance,
            how="by averaging over every matrix of signs",
        ),
    ]


def _xavier() -> list[Step]:
    compromise = 2 / (n_in + n_out)
    bound = sqrt(6) / sqrt(n_in + n_out)
    return [
        Symbolic(
            r"Unless the layer is square both demands cannot be met. Xavier's initialization meets their sum, so that "
            r"the two factors are 1 on average.",
            sympy.solve(n_in * w + n_out * w - 2, w)[0],
            compromise,
            names={"w": compromise},
            latex=r"n_{\mathrm{in}}\, w + n_{\mathrm{out}}\, w = 2 \quad\Longleftrightarrow\quad "
            r"w = \frac{2}{n_{\mathrm{in}} + n_{\mathrm{out}}}",
        ),
        Symbolic(
            r"What one direction gains the other more than loses: by the inequality of the means the product of the "
            r"two factors is at most 1.",
            n_in * compromise * n_out * compromise,
            sympy.Integer(1),
            relation="<=",
            at={n_in: 7, n_out: 7},
            names={"w": compromise},
            latex=r"n_{\mathrm{in}} w \cdot n_{\mathrm{out}} w "
            r"= \frac{4\, n_{\mathrm{in}} n_{\mathrm{out}}}{(n_{\mathrm{in}} + n_{\mathrm{out}})^2} \le 1",
        ),
        Symbolic(
            r"A uniform distribution on $[-b, b]$ has variance $b^2/3$, so weights of standard deviation $\sigma$ "
            r"need the bound $b = \sqrt 3\,\sigma$. With Xavier's variance this is the normalized initialization.",
            sympy.Integral(z**2 / (2 * bound), (z, -bound, bound)),
            compromise,
            names={"b": bound},
            latex=r"\frac{1}{2b}\int_{-b}^{b} z^2\,dz = \frac{b^2}{3} = \frac{2}{n_{\mathrm{in}} + n_{\mathrm{out}}} "
            r"\quad\Longleftrightarrow\quad b = \sqrt{\frac{6}{n_{\mathrm{in}} + n_{\mathrm{out}}}}",
        ),
    ]


def _kaiming() -> list[Step]:
    return [
        Symbolic(
            r"ReLU passes half of a symmetric signal's power: the pre-activation $z \sim \mathcal{N}(0, q)$ and its "
            r"mirror image $-z$ are equally likely, and only the positive one of the two is passed.",
            sympy.Integral(z**2 * DENSITY, (z, 0, oo)),
            q / 2,
            latex=r"\mathbb{E}\operatorname{relu}(z)^2 = \int_0^\infty z^2\, \frac{e^{-z^2/2q}}{\sqrt{2\pi q}}\,dz "
            r"= \frac{q}{2}",
        ),
        Symbolic(
            r"The next layer's variance is therefore $n_{\mathrm{in}}\, w\, q / 2$, and the lost half is made up for "
            r"by twice the variance. Backwards, $\mathbb{E}\operatorname{relu}'(z)^2 = \tfrac12$ asks for $2 / "
            r"n_{\mathrm{out}}$.",
            sympy.solve(n_in * w * q / 2 - q, w)[0],
            2 / n_in,
            names={"w": 2 / n_in},
            latex=r"n_{\mathrm{in}}\, w\, \frac{q}{2} = q \quad\Longleftrightarrow\quad w = \frac{2}{n_{\mathrm{in}}}",
        ),
        Symbolic(
            r"The factor 2 decides whether a deep network can learn: without it the variance halves at every layer, "
            r"and after 50 layers less than $10^{-15}$ of it is left.",
            sympy.Product(n_in * (1 / n_in) / 2, (sympy.Symbol("l"), 1, L)),
            sympy.Integer(2) ** (-L),
            names={"w": 1 / n_in, r"n_{\mathrm{in}}": n_in},
            latex=r"w = \frac{1}{n_{\mathrm{in}}}: \qquad \frac{q_L}{q_0} = \prod_{l=1}^{L} \frac{n_{\mathrm{in}}\, "
            r"w}{2} = 2^{-L}",
        ),
        Symbolic(
            r"A leaky ReLU of slope $a$ on the left passes $a^2$ of the other half as well.",
            sympy.Integral(z**2 * DENSITY, (z, 0, oo)) + sympy.Integral((a * z) ** 2 * DENSITY, (z, -oo, 0)),
            (1 + a**2) * q / 2,
            names={"w": 1 / (n_in * (1 + a**2) / 2), r"n_{\mathrm{in}}": n_in},
            latex=r"\mathbb{E}\,\phi(z)^2 = \frac{q}{2} + \frac{a^2 q}{2} = \frac{1 + a^2}{2}\, q "
            r"\quad\Longrightarrow\quad w = \frac{2}{(1 + a^2)\, n_{\mathrm{in}}}",
        ),
        Numeric(
            r"Written as $w = \mathrm{gain}^2 / n_{\mathrm{in}}$, these are the gains that the code uses; $a = 0$ is "
            r"ReLU and $a = 1$ the identity.",
            r"\mathrm{gain}^2 = \frac{2}{1 + a^2}",
            _gain,
            how="against the code's gain",
        ),
    ]


def weight_variance() -> Derivation:
    """Xavier's and Kaiming's variances; Glorot & Bengio 2010, section 4.2, and He et al. 2015, section 2.2."""
    return Derivation(
        name="weight_variance",
        title="Xavier's and Kaiming's variances",
        claim=(
            r"Weights of variance $1/n_{\mathrm{in}}$ keep the signal's size through a linear layer, those of "
            r"variance $1/n_{\mathrm{out}}$ the gradient's; Xavier's $2/(n_{\mathrm{in}} + n_{\mathrm{out}})$ lies "
            r"between them, and behind a ReLU the variance has to be $2/n_{\mathrm{in}}$."
        ),
        steps=[*_linear(), *_xavier(), *_kaiming()],
        cites=("glorot2010", "he2015"),
    )
