"""Saturation: how small the derivatives of sigmoid and tanh are, and what their product does to a deep gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
import torch
from sympy import Abs, Rational, cosh, exp, log, oo, tanh
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic

DEPTH, WIDTH = 10, 6
Share = Callable[["_Deep"], tuple[Any, Any]]

x = sympy.Symbol("x", real=True)
w = sympy.Symbol("w", positive=True)
L = sympy.Symbol("L", positive=True, integer=True)
sigma = 1 / (1 + exp(-x))


class _Deep:
    """A random network h_l = φ(W_l h_{l-1} + b_l) of `DEPTH` layers with its pre-activations z_l at one input."""

    def __init__(self, rng: np.random.Generator, phi: Callable[[Tensor], Tensor], bias: float = 1.0) -> None:
        self.phi = phi
        self.W = torch.from_numpy(rng.standard_normal((DEPTH, WIDTH, WIDTH)))
        self.b = bias * torch.from_numpy(rng.standard_normal((DEPTH, WIDTH)))
        self.x = torch.from_numpy(rng.standard_normal(WIDTH))
        self.z = torch.stack(self.run(self.x)[1])
        self.norms = torch.linalg.matrix_norm(self.W, 2)

    def run(self, h: Tensor) -> tuple[Tensor, list[Tensor]]:
        z = []
        for W, b in zip(self.W, self.b, strict=True):
            z.append(W @ h + b)
            h = self.phi(z[-1])
        return h, z

    def driven(self, to: float) -> "_Deep":
        """The same network with orthogonal weights, and biases that set every pre-activation to one value."""
        self.W = torch.linalg.qr(self.W)[0]
        self.norms, h, b = torch.ones(DEPTH), self.x, []
        for W in self.W:
            b.append(to - W @ h)
            h = self.phi(torch.full_like(h, to))
        self.b, self.z = torch.stack(b), torch.full_like(self.b, to)
        return self

    def jacobian(self) -> Tensor:
        """∂h_L/∂h_0 by automatic differentiation."""
        return jacobian(lambda h: self.run(h)[0], self.x)

    def slopes(self) -> Tensor:
        """φ'(z_l) of every unit, by formula."""
        h = self.phi(self.z)
        return h * (1 - h) if self.phi is torch.sigmoid else 1 - h**2


def _product(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Deep(rng, torch.tanh)
    J = torch.eye(WIDTH, dtype=torch.float64)
    for W, slope in zip(net.W, net.slopes(), strict=True):
        J = torch.diag(slope) @ W @ J
    return net.jacobian(), J


def _share(net: _Deep, slopes: Any) -> tuple[Any, Any]:
    """The norm of the Jacobian as a share of its bound ∏ slope_l ‖W_l‖, which it may not exceed."""
    return torch.linalg.matrix_norm(net.jacobian(), 2) / torch.prod(slopes * net.norms), 1.0


def _largest_slope(net: _Deep) -> tuple[Any, Any]:
    return _share(net, net.slopes().amax(1))


def _tail(net: _Deep) -> tuple[Any, Any]:
    return _share(net, 4 * torch.exp(-2 * net.z.abs().amin(1)))


def _cases(phi: Callable[[Tensor], Tensor], share: Share, bias: float, to: float) -> dict[str, Any]:
    """A random network, and one of which every unit works at the same place, where the bound is reached."""
    return {
        "case": lambda rng: share(_Deep(rng, phi, bias)),
        "at": lambda rng: share(_Deep(rng, phi, bias).driven(to)),
    }


def _one_unit() -> list[Step]:
    return [
        Symbolic(
            r"The derivative of the sigmoid is $\sigma' = \sigma(1 - \sigma)$. What it lacks to one quarter is a "
            r"square, so it never exceeds that, and reaches it at $x = 0$ only.",
            Rational(1, 4) - sympy.Derivative(sigma, x),
            (Rational(1, 2) - sigma) ** 2,
            names={r"\sigma(x)": sigma, r"\sigma'(x)": sympy.diff(sigma, x)},
            latex=r"\tfrac14 - \sigma'(x) = \tfrac14 - \sigma(x)\,\bigl(1 - \sigma(x)\bigr) "
            r"= \bigl(\tfrac12 - \sigma(x)\bigr)^2 \ge 0",
        ),
        Symbolic(
            r"The hyperbolic tangent is a sigmoid in other units, $\tanh x = 2\sigma(2x) - 1$, which makes its slope "
            r"four times as large: at most 1.",
            sympy.Derivative(tanh(x), x),
            4 * sympy.diff(sigma, x).subs(x, 2 * x),
            names={r"\sigma'(2x)": sympy.diff(sigma, x).subs(x, 2 * x), "x": x},
            latex=r"\tanh'(x) = 1 - \tanh^2 x = 4\,\sigma'(2x) \le 1",
        ),
    ]


def _depth() -> list[Step]:
    return [
        Numeric(
            r"In a network $h_l = \phi(z_l)$, $z_l = W_l h_{l-1} + b_l$, the chain rule puts one factor of slopes and "
            r"one of weights into the Jacobian for each layer.",
            r"\frac{\partial h_L}{\partial h_0} = D_L W_L\, D_{L-1} W_{L-1} \cdots D_1 W_1, "
            r"\qquad D_l = \operatorname{diag} \phi'(z_l)",
            _product,
        ),
        Numeric(
            r"The spectral norm of a product is at most the product of the norms, and that of a diagonal matrix is its "
            r"largest entry. Orthogonal weights and units that all work at the same place reach this bound.",
            r"\Bigl\| \frac{\partial h_L}{\partial h_0} \Bigr\| \le \prod_{l=1}^L \max_i |\phi'(z_{l,i})|\, \|W_l\|",
            **_cases(torch.tanh, _largest_slope, bias=1.0, to=0.5),
            relation="<=",
            how="on random networks",
        ),
        Numeric(
            r"For sigmoid units every first factor is at most one quarter, wherever the units work. A gradient "
            r"$\partial\ell/\partial h_0 = \partial\ell/\partial h_L \cdot \partial h_L/\partial h_0$ inherits the "
            r"bound.",
            r"\Bigl\| \frac{\partial \ell}{\partial h_0} \Bigr\| \le \Bigl(\frac14\Bigr)^{\!L}\, \prod_{l=1}^L "
            r"\|W_l\| \; \Bigl\| \frac{\partial \ell}{\partial h_L} \Bigr\| \qquad (\phi = \sigma)",
            **_cases(torch.sigmoid, lambda net: _share(net, 0.25), bias=1.0, to=0.0),
            relation="<=",
            how="on random networks",
        ),
        Numeric(
            r"For $\tanh$ the factor is 1, so depth alone need not make the gradient vanish: at $z = 0$ it is kept.",
            r"\Bigl\| \frac{\partial \ell}{\partial h_0} \Bigr\| \le \prod_{l=1}^L \|W_l\| \; "
            r"\Bigl\| \frac{\partial \ell}{\partial h_L} \Bigr\| \qquad (\phi = \tanh)",
            **_cases(torch.tanh, lambda net: _share(net, 1.0), bias=0.0, to=0.0),
            relation="<=",
            how="on random networks",
        ),
        Symbolic(
            r"If all $\|W_l\| \le w$ the bound for sigmoid units is geometric in the depth: for $w < 4$ the gradient "
            r"vanishes exponentially, at the rate $\log(4/w)$ a layer.",
            (w / 4) ** L,
            exp(-L * log(4 / w)),
            latex=r"\Bigl(\frac14\Bigr)^{\!L} w^L = e^{-L \log(4/w)}",
        ),
    ]


def _tails() -> list[Step]:
    return [
        Symbolic(
            r"Far from 0 both slopes are much smaller than their bounds, as is seen in exponentials.",
            1 - tanh(x) ** 2,
            1 / cosh(x) ** 2,
            latex=r"1 - \tanh^2 x = \frac{1}{\cosh^2 x} = \frac{4}{(e^x + e^{-x})^2}",
        ),
        Symbolic(
            r"Of the two terms in that sum the larger is $e^{|x|}$, and to drop the other can only increase the "
            r"quotient.",
            1 - tanh(x) ** 2,
            4 * exp(-2 * Abs(x)),
            relation="<=",
            at={x: 9},
            slack=1.001,
            latex=r"1 - \tanh^2 x \le 4\, e^{-2|x|}",
        ),
        Symbolic(
            r"Nothing is given away for large $x$: the bound is approached.",
            sympy.Limit((1 - tanh(x) ** 2) * exp(2 * x), x, oo),
            sympy.Integer(4),
            latex=r"\lim_{x \to \infty} (1 - \tanh^2 x)\, e^{2x} = 4",
        ),
        Symbolic(
            r"The sigmoid follows by $\sigma'(x) = \tfrac14 \tanh'(x/2)$: it decays half as fast in $x$.",
            sigma * (1 - sigma),
            exp(-Abs(x)),
            relation="<=",
            at={x: 18},
            slack=1.001,
            names={r"\sigma'(x)": sigma * (1 - sigma)},
            latex=r"\sigma'(x) \le e^{-|x|}",
        ),
        Numeric(
            r"So a layer of $\tanh$ units that are all driven beyond $a_l$ passes back next to nothing, and even large "
            r"weights do not make up for it, as larger weights drive the units further.",
            r"\Bigl\| \frac{\partial h_L}{\partial h_0} \Bigr\| \le \prod_{l=1}^L 4\, e^{-2 a_l}\, \|W_l\|, "
            r"\qquad a_l = \min_i |z_{l,i}|",
            **_cases(torch.tanh, _tail, bias=5.0, to=5.0),
            relation="<=",
            slack=1.001,
            how="on random networks",
        ),
        Remark(
            r"These are upper bounds: they prove that gradients vanish, never that they do not. ReLU's slope is "
            r"exactly 1 on its active side, which removes the factor, and initialization must then hold the product "
            r"of the weights."
        ),
    ]


def saturation() -> Derivation:
    """Vanishing gradients of saturating units; Bengio et al. 1994, Glorot & Bengio 2010."""
    return Derivation(
        name="saturation",
        title="Saturation of sigmoid and tanh",
        claim=(
            r"Through $L$ sigmoid layers the gradient is multiplied by at most $(1/4)^L \prod_l \|W_l\|$, since "
            r"$\sigma' \le 1/4$; through $\tanh$ layers it is bounded by $\prod_l \|W_l\|$, and in saturation its "
            r"slope decays like $4 e^{-2|x|}$."
        ),
        steps=[*_one_unit(), *_depth(), *_tails()],
        cites=("bengio1994", "glorot2010"),
    )
