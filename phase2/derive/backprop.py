"""Backpropagation through a two-layer perceptron: from Jacobians to the products of matrices that are run."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step

FEATURES, HIDDEN, CLASSES, BATCH = 3, 4, 5, 6


class _Net:
    """A random network of tanh units with its forward pass on x, (features,) or (batch, features), and its deltas."""

    def __init__(self, rng: np.random.Generator, *batch: int) -> None:
        def normal(*shape: int) -> Tensor:
            return torch.from_numpy(rng.standard_normal(shape))

        self.x = normal(*batch, FEATURES)
        self.y = torch.eye(CLASSES, dtype=torch.float64)[rng.integers(CLASSES, size=batch)]
        self.W1, self.b1 = normal(HIDDEN, FEATURES), normal(HIDDEN)
        self.W2, self.b2 = normal(CLASSES, HIDDEN), normal(CLASSES)
        self.z1 = self.x @ self.W1.T + self.b1
        self.h, self.slope = torch.tanh(self.z1), 1 - torch.tanh(self.z1) ** 2
        self.z2 = self.h @ self.W2.T + self.b2
        self.delta2 = (torch.softmax(self.z2, -1) - self.y) / max(batch, default=1)
        self.delta1 = self.delta2 @ self.W2 * self.slope

    def loss(self, **changed: Tensor) -> Tensor:
        """The mean cross-entropy, with some quantities changed; nothing of the derivation is used."""
        v = {**vars(self), **changed}
        z1 = changed.get("z1", v["x"] @ v["W1"].T + v["b1"])
        z2 = changed.get("z2", torch.tanh(z1) @ v["W2"].T + v["b2"])
        return -(v["y"] * torch.log_softmax(z2, -1)).sum(-1).mean()

    def gradient(self, name: str) -> Tensor:
        """∂loss/∂name by automatic differentiation, in the shape of `name`."""
        return jacobian(lambda value: self.loss(**{name: value}), getattr(self, name))


def _affine(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    by_input = jacobian(lambda x: net.W1 @ x + net.b1, net.x)
    by_bias = jacobian(lambda b: net.W1 @ net.x + b, net.b1)
    return torch.hstack([by_input, by_bias]), torch.hstack([net.W1, torch.eye(HIDDEN)])


def _affine_by_weights(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    by_weights = jacobian(lambda W: W @ net.x + net.b1, net.W1)
    return by_weights.flatten(1), np.kron(np.eye(HIDDEN), net.x[None])


def _activation(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    return jacobian(torch.tanh, net.z1), torch.diag(net.slope)


def _logits(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    return net.gradient("z2"), net.delta2


def _chain(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    return net.gradient("x"), net.delta2 @ net.W2 @ torch.diag(net.slope) @ net.W1


def _delta(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    return net.gradient("z1"), net.slope * (net.W2.T @ net.delta2)


def _weights_by_jacobian(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    return net.gradient("W2").flatten(), net.delta2.numpy() @ np.kron(np.eye(CLASSES), net.h[None])


def _collapse(rng: np.random.Generator) -> tuple[Any, Any]:
    delta, h = rng.standard_normal(CLASSES), rng.standard_normal(HIDDEN)
    return delta @ np.kron(np.eye(CLASSES), h[None]), np.outer(delta, h).ravel()


def _weights(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng)
    ours = torch.outer(net.delta2, net.h), torch.outer(net.delta1, net.x)
    theirs = net.gradient("W2"), net.gradient("W1")
    return torch.hstack([g.flatten() for g in theirs]), torch.hstack([g.flatten() for g in ours])


def _batch_deltas(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng, BATCH)
    return torch.hstack([net.gradient("z2"), net.gradient("z1")]), torch.hstack([net.delta2, net.delta1])


def _batch(rng: np.random.Generator) -> tuple[Any, Any]:
    net = _Net(rng, BATCH)
    ours = net.delta2.T @ net.h, net.delta2.sum(0), net.delta1.T @ net.x, net.delta1.sum(0)
    theirs = (net.gradient(name) for name in ("W2", "b2", "W1", "b1"))
    return torch.hstack([g.flatten() for g in theirs]), torch.hstack([g.flatten() for g in ours])


def _pieces() -> list[Step]:
    return [
        Remark(
            r"For a sample $x$ of one-hot class $y$ the network computes $z_1 = W_1 x + b_1$, $h = \phi(z_1)$, $z_2 = "
            r"W_2 h + b_2$, $p = \operatorname{softmax}(z_2)$ and $\ell = -\sum_c y_c \log p_c$. All vectors are "
            r"columns, and the Jacobian $\partial a/\partial b$ has a row for each entry of $a$ and a column for each "
            r"entry of $b$. The checks take $\phi = \tanh$."
        ),
        Numeric(
            r"When the input of an affine map moves by $dx$ its output moves by $W_1\,dx$, and a change of the bias is "
            r"passed on as it is.",
            r"\frac{\partial z_1}{\partial x} = W_1, \qquad \frac{\partial z_1}{\partial b_1} = I",
            _affine,
        ),
        Numeric(
            r"The weights enter linearly too. With $\operatorname{vec}$ stacking the rows of a matrix, entry $i$ of "
            r"$W_1 x$ is row $i$ of $W_1$ times $x$, so each row meets its own copy of $x^\top$: a Kronecker product.",
            r"\frac{\partial z_1}{\partial \operatorname{vec} W_1} = I \otimes x^\top",
            _affine_by_weights,
        ),
        Numeric(
            r"The activation acts on every unit by itself, so its Jacobian is diagonal.",
            r"\frac{\partial h}{\partial z_1} = \operatorname{diag} \phi'(z_1)",
            _activation,
        ),
        Numeric(
            r"Softmax and cross-entropy together have the gradient that their own derivation gives; we name its "
            r"transpose $\delta_2$.",
            r"\frac{\partial \ell}{\partial z_2} = (p - y)^\top = \delta_2^\top",
            _logits,
        ),
    ]


def _one_sample() -> list[Step]:
    return [
        Numeric(
            r"By the chain rule the Jacobian of the composition is the product of the Jacobians of the pieces, the "
            r"last piece first.",
            r"\frac{\partial \ell}{\partial x} = \frac{\partial \ell}{\partial z_2}\,\frac{\partial z_2}{\partial h}\,"
            r"\frac{\partial h}{\partial z_1}\,\frac{\partial z_1}{\partial x} "
            r"= \delta_2^\top\, W_2\, \operatorname{diag} \phi'(z_1)\, W_1",
            _chain,
        ),
        Numeric(
            r"Cut before $z_1$ and transposed, the product tells how the error is carried back: a product with a "
            r"diagonal matrix is an elementwise product, so no Jacobian need be formed.",
            r"\delta_1 = \Bigl(\frac{\partial \ell}{\partial z_1}\Bigr)^{\!\top} "
            r"= \phi'(z_1) \odot \bigl(W_2^\top \delta_2\bigr)",
            _delta,
        ),
        Numeric(
            r"The same rule for the weights of the second layer, whose input is $h$, gives a row vector that is as "
            r"long as $W_2$ has entries.",
            r"\frac{\partial \ell}{\partial \operatorname{vec} W_2} = \delta_2^\top \bigl(I \otimes h^\top\bigr)",
            _weights_by_jacobian,
        ),
        Numeric(
            r"That product collapses: block $i$ of the row is $\delta_i h^\top$, which is row $i$ of an outer product.",
            r"\delta^\top \bigl(I \otimes h^\top\bigr) = \operatorname{vec}\bigl(\delta h^\top\bigr)^\top",
            _collapse,
        ),
        Numeric(
            r"Written in the shape of the weights, the gradient of either layer is therefore its error times its "
            r"input.",
            r"\frac{\partial \ell}{\partial W_2} = \delta_2 h^\top, \qquad "
            r"\frac{\partial \ell}{\partial W_1} = \delta_1 x^\top",
            _weights,
        ),
    ]


def _many_samples() -> list[Step]:
    return [
        Numeric(
            r"For a batch of $n$ samples, whose $x$, $h$, $p$ and $y$ are the rows of $X$, $H$, $P$ and $Y$, the mean "
            r"loss $L$ adds a factor $1/n$, and the errors become rows, so every product is transposed.",
            r"\Delta_2 = \tfrac{1}{n}(P - Y), \qquad \Delta_1 = (\Delta_2 W_2) \odot \phi'(Z_1)",
            _batch_deltas,
        ),
        Numeric(
            r"The outer products of the samples add up to one product of matrices for each layer.",
            r"\frac{\partial L}{\partial W_2} = \Delta_2^\top H, \quad "
            r"\frac{\partial L}{\partial b_2} = \Delta_2^\top \mathbf{1}, \quad "
            r"\frac{\partial L}{\partial W_1} = \Delta_1^\top X, \quad "
            r"\frac{\partial L}{\partial b_1} = \Delta_1^\top \mathbf{1}",
            _batch,
        ),
        Remark(
            r"Each layer costs one product going forward and two going back, so the whole gradient costs about twice "
            r"the forward pass more, whatever the number of weights. This is what the hand-written network computes."
        ),
    ]


def two_layer_backprop() -> Derivation:
    """The gradients of a two-layer perceptron, as Jacobians and as products of matrices; Rumelhart et al. 1986."""
    return Derivation(
        name="two_layer_backprop",
        title="Backpropagation through two layers",
        claim=(
            r"The gradient of a layer's weights is $\Delta^\top$ times the layer's input, where the errors "
            r"$\Delta_2 = (P - Y)/n$ and $\Delta_1 = (\Delta_2 W_2) \odot \phi'(Z_1)$ come from multiplying the "
            r"Jacobians of the pieces from the loss backwards."
        ),
        steps=[*_pieces(), *_one_sample(), *_many_samples()],
        cites=("rumelhart1986",),
    )
