"""ReLU: its subgradient, its positive homogeneity, and what it does to a Gaussian."""

from typing import Any

import numpy as np
import sympy
import torch
from sympy import Max, exp, oo, pi, sqrt

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.nn.activation.relu import relu as relu_layer

x = sympy.Symbol("x", real=True)
z = sympy.Symbol("z", real=True)
y = sympy.Symbol("y", real=True)
g, a, q = sympy.symbols("g a q", positive=True)

f = Max(x, 0)
step = sympy.Piecewise((1, x > 0), (0, True))
density = exp(-(z**2) / (2 * q)) / sqrt(2 * pi * q)


def gaussian_mean(of: sympy.Expr, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    """∫ of(z) over [low, high] under z ~ N(0, q), not yet evaluated."""
    return sympy.Integral(of * density, (z, low, high))


def _network(x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
    for W in weights:
        x = torch.relu(x @ W.T)
    return x


def _weights(rng: np.random.Generator) -> list[torch.Tensor]:
    return [torch.from_numpy(rng.standard_normal((5, 5))) for _ in range(3)]


def _derivative(rng: np.random.Generator) -> tuple[Any, Any]:
    """The layer's derivative by autograd, at random points and at 0."""
    at = torch.from_numpy(np.append(rng.standard_normal(9), 0.0)).requires_grad_()
    relu_layer(at).sum().backward()
    return at.grad, at.detach() > 0


def _depth(rng: np.random.Generator) -> tuple[Any, Any]:
    weights, at, scale = _weights(rng), torch.from_numpy(rng.standard_normal((4, 5))), rng.uniform(0.5, 2)
    return _network(at, [scale * W for W in weights]), scale ** len(weights) * _network(at, weights)


def _balance(rng: np.random.Generator) -> tuple[Any, Any]:
    (W1, W2, W3), at, scale = _weights(rng), torch.from_numpy(rng.standard_normal((4, 5))), rng.uniform(0.5, 2)
    return _network(at, [scale * W1, W2 / scale, W3]), _network(at, [W1, W2, W3])


def _silent(rng: np.random.Generator) -> tuple[Any, Any]:
    """The silent fraction of a wide layer under a symmetric distribution of weights."""
    W, at = rng.uniform(-1, 1, (40_000, 10)), rng.standard_normal(10)
    return np.mean(W @ at <= 0), 0.5


def _slope() -> list[Step]:
    return [
        Symbolic(
            r"ReLU is the larger of two linear functions, the identity and 0, so it is convex; without a case split "
            r"it is the mean of $x$ and $|x|$.",
            f,
            (x + sympy.Abs(x)) / 2,
            latex=r"f(x) = \max(x, 0) = \tfrac12\bigl(x + |x|\bigr)",
        ),
        Numeric(
            r"Away from 0 the derivative is that of the larger function. At 0 the layer takes 0, as is usual.",
            r"f'(x) = \mathbf{1}\{x > 0\}",
            _derivative,
        ),
        Symbolic(
            r"That choice is a subgradient: every line through the origin with a slope $g$ from $[0, 1]$ stays below "
            r"the function, so $\partial f(0) = [0, 1]$. (A slope outside would cross it on one side.)",
            g * y,
            f.subs(x, y),
            relation="<=",
            at={y: 1, g: 1},
            latex=r"f(0) + g\,(y - 0) = g\,y \le \max(y, 0) = f(y), \qquad 0 \le g \le 1",
            span=(0.05, 0.95),
        ),
    ]


def _homogeneity() -> list[Step]:
    return [
        Symbolic(
            r"A positive factor does not change which of the two is the larger, so it can be drawn out: ReLU is "
            r"positively homogeneous.",
            f.subs(x, a * x),
            a * f,
            latex=r"f(a x) = \max(a x, 0) = a\,f(x), \qquad a > 0",
        ),
        Symbolic(
            r"Differentiated by $a > 0$ at $a = 1$, this is Euler's identity.",
            x * step,
            f,
            latex=r"x\,f'(x) = f(x)",
        ),
        Numeric(
            r"Layer by layer it follows that a network of $L$ layers without biases scales with the $L$-th power of a "
            r"common factor of its weights.",
            r"N_{aW_1, \ldots, aW_L}(x) = a^L\, N_{W_1, \ldots, W_L}(x), \qquad a > 0",
            _depth,
        ),
        Numeric(
            r"It also follows that a factor can move from one layer to the next: the weights of a ReLU network are not "
            r"determined by its function, and the scale of a single layer means nothing.",
            r"W_2\, f(W_1 x) = \bigl(a^{-1} W_2\bigr)\, f\bigl(a W_1 x\bigr), \qquad a > 0",
            _balance,
        ),
    ]


def _gaussian() -> list[Step]:
    return [
        Symbolic(
            r"Let $z \sim \mathcal{N}(0, q)$. Its density is even and so is $z^2$, so the half line on which ReLU is "
            r"not 0 holds half of the second moment.",
            gaussian_mean(z**2, sympy.Integer(0), oo),
            q / 2,
            latex=r"\mathbb{E}\bigl[f(z)^2\bigr] = \int_0^\infty z^2\, \frac{e^{-z^2/2q}}{\sqrt{2\pi q}}\, dz "
            r"= \tfrac12\,\mathbb{E}\bigl[z^2\bigr] = \frac{q}{2}",
        ),
        Symbolic(
            r"The mean is not 0, unlike that of $z$: ReLU shifts what it passes on.",
            gaussian_mean(z, sympy.Integer(0), oo),
            sqrt(q / (2 * pi)),
            latex=r"\mathbb{E}\bigl[f(z)\bigr] = \int_0^\infty z\, \frac{e^{-z^2/2q}}{\sqrt{2\pi q}}\, dz "
            r"= \sqrt{\frac{q}{2\pi}}",
        ),
        Symbolic(
            r"The other half line is mapped to 0: half of the units are silent, and as $f'$ is 0 or 1, its second "
            r"moment is one half too.",
            gaussian_mean(sympy.Integer(1), -oo, sympy.Integer(0)),
            sympy.Rational(1, 2),
            latex=r"\mathbb{P}\bigl[f(z) = 0\bigr] = \int_{-\infty}^0 \frac{e^{-z^2/2q}}{\sqrt{2\pi q}}\, dz "
            r"= \tfrac12 = \mathbb{E}\bigl[f'(z)^2\bigr]",
        ),
        Numeric(
            r"For the silent half the Gaussian is not needed: any independent weights will do that are as likely as "
            r"their negatives and for which $w^\top x = 0$ has no chance, as with any density. Measured on a layer of "
            r"40,000 units with uniform weights, to two digits.",
            r"\frac{1}{n}\sum_{i=1}^n \mathbf{1}\{w_i^\top x \le 0\} \approx \tfrac12",
            _silent,
            tolerance=0.015,
            how="on random layers",
        ),
        Remark(
            r"Both halves matter for initialization: with weights of variance $1/n$ each layer would halve the second "
            r"moment of the signal going forward and of the gradient going back, and variance $2/n$ keeps both. A "
            r"unit that is silent on every sample gives its own weights no gradient, and stays so unless the layers "
            r"below change."
        ),
    ]


def relu() -> Derivation:
    """The rectified linear unit; Nair & Hinton 2010, He et al. 2015."""
    return Derivation(
        name="relu",
        title="ReLU",
        claim=(
            r"$f(x) = \max(x, 0)$ is convex with $\partial f(0) = [0, 1]$ and positively homogeneous. Of a centred "
            r"Gaussian it keeps half the second moment, $\mathbb{E}[f(z)^2] = q/2$, and silences half the units."
        ),
        steps=[*_slope(), *_homogeneity(), *_gaussian()],
        cites=("nair2010", "he2015"),
    )
