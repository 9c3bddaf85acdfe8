"""BatchNorm's gradient, its invariances, and the affine map that it is at inference."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step

BATCH, FEATURES, INPUTS = 7, 3, 4
EPS = 0.1  # large, so that a step that forgets it is caught


class _Feature:
    """One feature of a random batch x (batch), normalized by its own statistics, under a loss L = gᵀ y."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.x, self.g = (torch.from_numpy(rng.normal(size=BATCH)) for _ in range(2))
        self.gamma, self.beta = (torch.tensor(value) for value in rng.normal(size=2))
        self.mu = self.x.mean()
        self.v = ((self.x - self.mu) ** 2).mean()
        self.s = torch.sqrt(self.v + EPS)
        self.x_hat = (self.x - self.mu) / self.s
        self.h = self.gamma * self.g
        self.dv = -(self.h * (self.x - self.mu)).sum() / (2 * self.s**3)
        self.dmu = -self.h.sum() / self.s
        self.dgamma, self.dbeta = (self.g * self.x_hat).sum(), self.g.sum()

    def gradient(self, name: str) -> Tensor:
        """∂L/∂name by automatic differentiation; by `v` with μ held fixed, by `mu` with v following it."""

        def loss(value: Tensor) -> Tensor:
            own = {**vars(self), name: value}
            mu = own["mu"] if name in ("mu", "v") else own["x"].mean()
            v = own["v"] if name == "v" else ((own["x"] - mu) ** 2).mean()
            return self.g @ (own["gamma"] * (own["x"] - mu) / torch.sqrt(v + EPS) + own["beta"])

        return jacobian(loss, getattr(self, name))


class _Layer:
    """Weights W (features, inputs) under BatchNorm with eps = 0, on a random batch U (batch, inputs)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.U = torch.from_numpy(rng.normal(size=(BATCH, INPUTS)))
        self.W = torch.from_numpy(rng.normal(size=(FEATURES, INPUTS)))
        self.b = torch.from_numpy(rng.normal(size=FEATURES))
        self.G = torch.from_numpy(rng.normal(size=(BATCH, FEATURES)))
        self.a = torch.from_numpy(rng.uniform(0.1, 9.0, size=(FEATURES, 1)))

    def output(self, W: Tensor, b: Tensor) -> Tensor:
        x = self.U @ W.T + b
        return (x - x.mean(0)) / torch.sqrt(((x - x.mean(0)) ** 2).mean(0))

    def gradient(self, W: Tensor) -> Tensor:
        return jacobian(lambda W: (self.G * torch.tanh(self.output(W, self.b))).sum(), W)


def _by_variance(rng: np.random.Generator) -> tuple[Any, Any]:
    feature = _Feature(rng)
    return feature.gradient("v"), feature.dv


def _by_mean(rng: np.random.Generator) -> tuple[Any, Any]:
    feature = _Feature(rng)
    return feature.gradient("mu"), feature.dmu


def _chain(rng: np.random.Generator) -> tuple[Any, Any]:
    f = _Feature(rng)
    return f.gradient("x"), f.h / f.s + f.dv * 2 * (f.x - f.mu) / BATCH + f.dmu / BATCH


def _parameters(rng: np.random.Generator) -> tuple[Any, Any]:
    feature = _Feature(rng)
    return [feature.gradient("gamma"), feature.gradient("beta")], [feature.dgamma, feature.dbeta]


def _gradient(rng: np.random.Generator) -> tuple[Any, Any]:
    f = _Feature(rng)
    return f.gradient("x"), f.gamma / (BATCH * f.s) * (BATCH * f.g - f.dbeta - f.x_hat * f.dgamma)


def _sum(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    by_bias = jacobian(lambda b: (layer.G * torch.tanh(layer.output(layer.W, b))).sum(), layer.b)
    return [float(_Feature(rng).gradient("x").sum()), *by_bias], np.zeros(1 + FEATURES)


def _invariance(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    return layer.output(layer.a * layer.W, layer.b), layer.output(layer.W, torch.zeros(FEATURES))


def _scale(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    return layer.gradient(layer.a * layer.W), layer.gradient(layer.W) / layer.a


def _orthogonality(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    return (layer.W * layer.gradient(layer.W)).sum(1), np.zeros(FEATURES)


def _growth(rng: np.random.Generator) -> tuple[Any, Any]:
    layer, lr = _Layer(rng), rng.uniform(0.1, 1.0)
    gradient = layer.gradient(layer.W)
    return ((layer.W - lr * gradient) ** 2).sum(1), (layer.W**2).sum(1) + lr**2 * (gradient**2).sum(1)


def _folding(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Layer(rng)
    gamma, beta, mu = rng.normal(size=(3, FEATURES))
    s = np.sqrt(rng.uniform(0.1, 2.0, size=FEATURES) + EPS)
    U, W, b = layer.U.numpy(), layer.W.numpy(), layer.b.numpy()
    normalized = gamma * (U @ W.T + b - mu) / s + beta
    return normalized, U @ (np.diag(gamma / s) @ W).T + (beta + gamma * (b - mu) / s)


def _statistics() -> list[Step]:
    return [
        Remark(
            r"BatchNorm treats each feature by itself. Let $x_1, \dots, x_m$ be one feature of a batch, "
            r"$\mu = \tfrac1m \sum_i x_i$, $v = \tfrac1m \sum_i (x_i - \mu)^2$, $s = \sqrt{v + \varepsilon}$, "
            r"$\hat x_i = (x_i - \mu)/s$ and $y_i = \gamma \hat x_i + \beta$. A loss $L$ sends back "
            r"$g_i = \partial L/\partial y_i$."
        ),
        Numeric(
            r"All samples share the variance. With the mean held fixed, and $\partial s^{-1}/\partial v = -\tfrac12 "
            r"s^{-3}$, their contributions add up.",
            r"\frac{\partial L}{\partial v} = -\frac{\gamma}{2 s^3} \sum_{i=1}^m g_i\,(x_i - \mu)",
            _by_variance,
        ),
        Numeric(
            r"They share the mean too. That $v$ depends on $\mu$ adds nothing: "
            r"$\partial v/\partial \mu = -\tfrac2m \sum_i (x_i - \mu) = 0$.",
            r"\frac{\partial L}{\partial \mu} = -\frac{\gamma}{s} \sum_{i=1}^m g_i",
            _by_mean,
        ),
        Numeric(
            r"A sample acts on the loss directly, through the variance and through the mean.",
            r"\frac{\partial L}{\partial x_i} = \frac{\gamma g_i}{s} "
            r"+ \frac{\partial L}{\partial v}\,\frac{2\,(x_i - \mu)}{m} + \frac{\partial L}{\partial \mu}\,\frac{1}{m}",
            _chain,
        ),
        Numeric(
            r"The gradients of gain and shift are sums over the batch.",
            r"\frac{\partial L}{\partial \gamma} = \sum_{i=1}^m g_i\, \hat x_i, \qquad "
            r"\frac{\partial L}{\partial \beta} = \sum_{i=1}^m g_i",
            _parameters,
        ),
        Numeric(
            r"The same two sums are all that the chain rule needs: it is LayerNorm's gradient with the batch in the "
            r"place of the features.",
            r"\frac{\partial L}{\partial x_i} = \frac{\gamma}{m s}\Bigl(m\, g_i - \frac{\partial L}{\partial \beta} "
            r"- \hat x_i\, \frac{\partial L}{\partial \gamma}\Bigr)",
            _gradient,
        ),
    ]


def _invariances() -> list[Step]:
    return [
        Numeric(
            r"Since $\sum_i \hat x_i = 0$, the gradient sums to 0 over the batch. So a bias $b$ in front of BatchNorm "
            r"is never trained: its gradient is this sum.",
            r"\sum_{i=1}^m \frac{\partial L}{\partial x_i} = 0, \qquad \frac{\partial L}{\partial b} = 0",
            _sum,
        ),
        Numeric(
            r"Let $x = Wu + b$ and $\varepsilon = 0$. For feature $k$, scaling row $w_k$ by its own $a_k > 0$ scales "
            r"mean and deviation alike, and it cancels; so does the bias.",
            r"\operatorname{BN}\bigl(\operatorname{diag}(a)\, W u + b\bigr) = \operatorname{BN}(W u), \qquad a_k > 0",
            _invariance,
        ),
        Numeric(
            r"Differentiating $L(aW) = L(W)$ by $W$ shows that the gradient shrinks as the weights grow.",
            r"\frac{\partial L}{\partial w_k}\Bigr|_{a_k w_k} = \frac{1}{a_k}\, \frac{\partial L}{\partial "
            r"w_k}\Bigr|_{w_k}",
            _scale,
        ),
        Numeric(
            r"Differentiating it by $a_k$ at $a_k = 1$ instead shows that the gradient is orthogonal to the weights.",
            r"\Bigl\langle w_k, \frac{\partial L}{\partial w_k} \Bigr\rangle = 0",
            _orthogonality,
        ),
        Numeric(
            r"By Pythagoras every step of gradient descent makes the weights longer, and with them falls the "
            r"effective learning rate $\eta/\lVert w_k \rVert^2$. Weight decay works against this, not against the "
            r"function's size.",
            r"\Bigl\lVert w_k - \eta\, \frac{\partial L}{\partial w_k} \Bigr\rVert^2 = \lVert w_k \rVert^2 "
            r"+ \eta^2\, \Bigl\lVert \frac{\partial L}{\partial w_k} \Bigr\rVert^2",
            _growth,
        ),
        Numeric(
            r"At inference $\mu$ and $s$ are constants, the running averages, and BatchNorm is an affine map that the "
            r"layer in front of it can absorb.",
            r"\gamma \odot \frac{Wu + b - \mu}{s} + \beta = W' u + b', \quad W' = "
            r"\operatorname{diag}\Bigl(\frac{\gamma}{s}\Bigr) W, \quad b' = \beta + \frac{\gamma \odot (b - \mu)}{s}",
            _folding,
        ),
    ]


def batch_norm() -> Derivation:
    """BatchNorm's gradient and invariances; Ioffe & Szegedy 2015, section 3."""
    return Derivation(
        name="batch_norm",
        title="BatchNorm: gradient and invariances",
        claim=(
            r"BatchNorm's gradient is $\partial L/\partial x_i = \tfrac{\gamma}{ms}\bigl(m g_i - \sum_j g_j - "
            r"\hat x_i \sum_j g_j \hat x_j\bigr)$. For $\varepsilon = 0$ scaling the weights before it by a "
            r"positive factor changes no output and divides their gradient by the factor, and the gradient is "
            r"orthogonal to them."
        ),
        steps=[*_statistics(), *_invariances()],
        cites=("ioffe2015",),
    )
