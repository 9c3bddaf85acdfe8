"""LayerNorm's gradient by hand in vector form, and what the layer does not see."""

from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic

FEATURES, INPUTS = 6, 4
EPS = 0.1  # large, so that a step that forgets it is caught


def normalize(x: Tensor, eps: float = EPS) -> Tensor:
    """x̂ for x (features), from its definition."""
    return (x - x.mean()) / torch.sqrt(((x - x.mean()) ** 2).mean() + eps)


class _Layer:
    """A random LayerNorm with its forward pass on x (features), and the gradient g of a loss by its output."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.x, self.gamma, self.beta, self.g = (torch.from_numpy(rng.normal(size=FEATURES)) for _ in range(4))
        self.v = ((self.x - self.x.mean()) ** 2).mean()
        self.s = torch.sqrt(self.v + EPS)
        self.x_hat = (self.x - self.x.mean()) / self.s
        self.h = self.gamma * self.g
        self.dx = (self.h - self.h.mean() - (self.h * self.x_hat).mean() * self.x_hat) / self.s

    def gradient(self, name: str) -> Tensor:
        """∂L/∂name of the loss L = gᵀ y by automatic differentiation."""

        def loss(value: Tensor) -> Tensor:
            v = {**vars(self), name: value}
            return self.g @ (v["gamma"] * normalize(v["x"]) + v["beta"])

        return jacobian(loss, getattr(self, name))


def _centring(rng: np.random.Generator) -> tuple[Any, Any]:
    x, C = rng.normal(size=FEATURES), centring(FEATURES).numpy()
    return [x - x.mean(), *C, *C.T], [C @ x, *(C @ C), *(C @ C)]


def centring(size: int) -> Tensor:
    """The matrix C = I - 11ᵀ / size."""
    return torch.eye(size, dtype=torch.float64) - 1 / size


def _variance(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    by_x = jacobian(lambda x: ((x - x.mean()) ** 2).mean(), layer.x)
    return by_x, 2 / FEATURES * layer.s * layer.x_hat


def _jacobian(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    ours = (centring(FEATURES) - torch.outer(layer.x_hat, layer.x_hat) / FEATURES) / layer.s
    return jacobian(normalize, layer.x), ours


def _affine(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    return torch.stack([layer.gradient("gamma"), layer.gradient("beta")]), torch.stack([layer.g * layer.x_hat, layer.g])


def _gradient(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    return layer.gradient("x"), layer.dx


def _orthogonality(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    gradient = layer.gradient("x")
    return [gradient.sum(), layer.x_hat @ gradient], [0.0, EPS / layer.s**3 * (layer.h @ layer.x_hat)]


def _shift_and_scale(rng: np.random.Generator) -> tuple[Any, Any]:
    x, a, c = torch.from_numpy(rng.normal(size=FEATURES)), rng.uniform(0.1, 9.0), rng.normal()
    return normalize(a * x + c, a**2 * EPS), normalize(x)


class _Weights:
    """A layer of random weights W (features, inputs) on an input u, normalized with eps = 0, under a loss."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.W = torch.from_numpy(rng.normal(size=(FEATURES, INPUTS)))
        self.u, self.g = (torch.from_numpy(rng.normal(size=n)) for n in (INPUTS, FEATURES))
        self.a, self.c = rng.uniform(0.1, 9.0), torch.from_numpy(rng.normal(size=INPUTS))

    def output(self, W: Tensor) -> Tensor:
        return normalize(W @ self.u, 0.0)

    def gradient(self, W: Tensor) -> Tensor:
        return jacobian(lambda W: self.g @ torch.tanh(self.output(W)), W)


def _weights_invariance(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Weights(rng)
    return layer.output(layer.a * layer.W + layer.c), layer.output(layer.W)


def _weights_orthogonality(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Weights(rng)
    gradient = layer.gradient(layer.W)
    return [float((layer.W * gradient).sum()), *gradient.sum(0)], np.zeros(1 + INPUTS)


def _weights_scale(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Weights(rng)
    return layer.gradient(layer.a * layer.W), layer.gradient(layer.W) / layer.a


def _forward() -> list[Step]:
    v, eps = sympy.symbols(r"v \varepsilon", positive=True)
    return [
        Remark(
            r"For one sample $x \in \mathbb{R}^d$ let $\mu = \tfrac1d \mathbf{1}^\top x$, $r = x - \mu\mathbf{1}$, "
            r"$v = \tfrac1d r^\top r$, $s = \sqrt{v + \varepsilon}$ and $\hat x = r / s$. The layer returns "
            r"$y = \gamma \odot \hat x + \beta$; a loss $L$ sends back $g = \partial L/\partial y$. We write $\bar h$ "
            r"for the mean of the entries of $h$."
        ),
        Numeric(
            r"Taking the mean away is a linear map: the symmetric projection $C$ onto the vectors whose entries sum "
            r"to 0.",
            r"r = Cx, \qquad C = I - \tfrac{1}{d}\mathbf{1}\mathbf{1}^\top = C^\top = C^2",
            _centring,
        ),
        Numeric(
            r"Since $v = \tfrac1d x^\top C x$ and $C^\top C = C$, the mean's own dependence on $x$ drops out of the "
            r"variance's gradient.",
            r"\frac{\partial v}{\partial x} = \frac{2}{d}\, C x = \frac{2}{d}\, r",
            _variance,
        ),
        Symbolic(
            r"The standard deviation is a function of the variance alone.",
            sympy.Derivative(sympy.sqrt(v + eps), v),
            1 / (2 * sympy.sqrt(v + eps)),
            latex=r"\frac{\partial s}{\partial v} = \frac{1}{2\sqrt{v + \varepsilon}} = \frac{1}{2s}",
        ),
    ]


def _backward() -> list[Step]:
    return [
        Numeric(
            r"The last two steps give $\partial s/\partial x = \hat x / d$. With it the quotient rule on "
            r"$\hat x = Cx / s$ yields a symmetric Jacobian: a projection, less a matrix of rank one.",
            r"\frac{\partial \hat x}{\partial x} = \frac{1}{s}\,C - \frac{1}{s^2}\, r\, \frac{\hat x^\top}{d} "
            r"= \frac{1}{s}\Bigl(C - \frac{1}{d}\,\hat x \hat x^\top\Bigr)",
            _jacobian,
        ),
        Numeric(
            r"Gain and shift act on every feature by itself; over a batch these gradients add up.",
            r"\frac{\partial L}{\partial \gamma} = g \odot \hat x, \qquad \frac{\partial L}{\partial \beta} = g",
            _affine,
        ),
        Numeric(
            r"What arrives at $\hat x$ is $h = \gamma \odot g$. Multiplied by the Jacobian, which is its own "
            r"transpose, it loses its mean and its part along $\hat x$: two means are all that a backward pass has "
            r"to compute.",
            r"\frac{\partial L}{\partial x} = \frac{1}{s}\Bigl(h - \bar h\,\mathbf{1} "
            r"- \overline{h \odot \hat x}\;\hat x\Bigr), \qquad h = \gamma \odot g",
            _gradient,
        ),
        Numeric(
            r"The entries of the gradient sum to 0, because those of $h - \bar h \mathbf{1}$ and of $\hat x$ do. It is "
            r"orthogonal to $\hat x$ as well, but for $\varepsilon$: the squared length of $\hat x$ is "
            r"$d\,v/(v + \varepsilon)$, a little less than $d$.",
            r"\mathbf{1}^\top \frac{\partial L}{\partial x} = 0, \qquad "
            r"\hat x^\top \frac{\partial L}{\partial x} = \frac{h^\top \hat x}{s} "
            r"\Bigl(1 - \frac{v}{v + \varepsilon}\Bigr) = \frac{\varepsilon}{s^3}\; h^\top \hat x",
            _orthogonality,
        ),
    ]


def _invariances() -> list[Step]:
    return [
        Numeric(
            r"These two directions are the ones that the layer cannot see. A shift leaves $r$ as it is, and a scale "
            r"$a > 0$ of $r$ cancels against that of $s$, exactly so if $\varepsilon$ is scaled with the variance.",
            r"\operatorname{LN}(a x + c\mathbf{1};\, a^2 \varepsilon) = \operatorname{LN}(x;\, \varepsilon), \qquad "
            r"a > 0",
            _shift_and_scale,
        ),
        Numeric(
            r"If $x = Wu$ and $\varepsilon = 0$, then scaling the whole of $W$, or adding one vector $c^\top$ to all "
            r"its rows, scales and shifts $x$, whatever the input $u$. Scaling a single row is seen: only BatchNorm "
            r"is blind to it.",
            r"\operatorname{LN}\bigl((aW + \mathbf{1}c^\top)u\bigr) = \operatorname{LN}(Wu), \qquad a > 0",
            _weights_invariance,
        ),
        Numeric(
            r"A loss that is constant along a direction has no slope in it, so the gradient is orthogonal to $W$ and "
            r"the sum of its rows vanishes.",
            r"\Bigl\langle W, \frac{\partial L}{\partial W} \Bigr\rangle = 0, \qquad "
            r"\mathbf{1}^\top \frac{\partial L}{\partial W} = 0",
            _weights_orthogonality,
        ),
        Numeric(
            r"Differentiating $L(aW) = L(W)$ by $W$ shows that larger weights get smaller gradients: growing weights "
            r"act as a falling learning rate.",
            r"\nabla L(aW) = \frac{1}{a}\,\nabla L(W), \qquad a > 0",
            _weights_scale,
        ),
    ]


def layer_norm() -> Derivation:
    """LayerNorm's gradient, its orthogonality, and its invariances; Ba et al. 2016, section 5 and table 1."""
    return Derivation(
        name="layer_norm",
        title="LayerNorm: gradient and invariances",
        claim=(
            r"With $h = \gamma \odot \partial L/\partial y$, LayerNorm's gradient is $\partial L/\partial x = "
            r"\tfrac1s\bigl(h - \bar h\,\mathbf{1} - \overline{h \odot \hat x}\;\hat x\bigr)$. It has no component "
            r"along $\mathbf{1}$ and, as $\varepsilon \to 0$, none along $\hat x$: the layer does not see its "
            r"input's shift and scale."
        ),
        steps=[*_forward(), *_backward(), *_invariances()],
        cites=("ba2016",),
    )
