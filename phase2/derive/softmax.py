"""Softmax with cross-entropy: Jacobian, gradient, Hessian, shift invariance and the stable log-sum-exp."""

from typing import Any

import mpmath
import numpy as np
import sympy
import torch
from sympy import exp, log
from torch import Tensor
from torch.autograd.functional import hessian, jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.nn.loss.cross_entropy import cross_entropy

CLASSES = 6

z1, z2, z3, c = sympy.symbols("z_1 z_2 z_3 c", real=True)
total = exp(z1) + exp(z2) + exp(z3)
p1, p2 = exp(z1) / total, exp(z2) / total


def _draw(rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, their softmax and a one-hot target, each (classes,)."""
    z = torch.from_numpy(2 * rng.standard_normal(CLASSES))
    y = torch.eye(CLASSES, dtype=torch.float64)[rng.integers(CLASSES)]
    return z, torch.exp(z) / torch.exp(z).sum(), y


def _loss(y: Tensor) -> Any:
    return lambda z: -(y * torch.log_softmax(z, 0)).sum()


def _jacobian(rng: np.random.Generator) -> tuple[Any, Any]:
    z, p, _ = _draw(rng)
    return jacobian(lambda z: torch.softmax(z, 0), z), torch.diag(p) - torch.outer(p, p)


def _chain(rng: np.random.Generator) -> tuple[Any, Any]:
    _, p, y = _draw(rng)
    return -(y / p) @ (torch.diag(p) - torch.outer(p, p)), p - y


def _gradient(rng: np.random.Generator) -> tuple[Any, Any]:
    z, p, y = _draw(rng)
    return jacobian(_loss(y), z), p - y


def _hessian(rng: np.random.Generator) -> tuple[Any, Any]:
    z, p, y = _draw(rng)
    return hessian(_loss(y), z), torch.diag(p) - torch.outer(p, p)


def _variance(rng: np.random.Generator) -> tuple[Any, Any]:
    _, p, _ = _draw(rng)
    v = torch.from_numpy(rng.standard_normal(CLASSES))
    return v @ (torch.diag(p) - torch.outer(p, p)) @ v, (p * (v - p @ v) ** 2).sum()


def _curvature(rng: np.random.Generator, p: Tensor | None = None) -> tuple[Any, Any]:
    p = _draw(rng)[1] if p is None else p
    eigenvalues = torch.linalg.eigvalsh(torch.diag(p) - torch.outer(p, p))
    return [-eigenvalues[0], eigenvalues[-1]], [0, 0.5]


def _two_classes(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two equally likely classes and no other: the variance of a fair coin, in an interval that it fills."""
    return _curvature(rng, torch.tensor([0.5, 0.5] + (CLASSES - 2) * [0.0], dtype=torch.float64))


def _between(rng: np.random.Generator) -> tuple[Any, Any]:
    z = _draw(rng)[0].numpy()
    lse = np.log(np.exp(z).sum())
    return [z.max(), lse], [lse, z.max() + np.log(CLASSES)]


def _one_or_all(rng: np.random.Generator) -> tuple[Any, Any]:
    """The log-sum-exp of logits of which one is far above the others, and of equal ones."""
    one, equal = np.log(np.exp(np.array([[40.0] + (CLASSES - 1) * [0.0], CLASSES * [3.0]])).sum(1))
    return [40.0, equal], [one, 3.0 + np.log(CLASSES)]


def _stable(rng: np.random.Generator) -> tuple[Any, Any]:
    """Our loss at logits of 1e4, relative to that size, against 50 digits."""
    z, t = 1e4 * rng.standard_normal(CLASSES), int(rng.integers(CLASSES))
    with mpmath.workdps(50):
        exact = mpmath.log(sum(mpmath.exp(mpmath.mpf(value)) for value in z)) - mpmath.mpf(z[t])
    return cross_entropy(torch.from_numpy(z)[None], torch.tensor([t])), float(exact)


def _first_derivatives() -> list[Step]:
    return [
        Symbolic(
            r"Softmax is $p_i = e^{z_i} / \sum_k e^{z_k}$. The logit $z_i$ stands above and below the line in $p_i$, "
            r"so the quotient rule gives two terms. (The check takes three classes.)",
            sympy.Derivative(p1, z1),
            p1 * (1 - p1),
            names={"e^{z_i}": exp(z1), r"\sum_k e^{z_k}": total, "p_i": p1},
            latex=r"\frac{\partial p_i}{\partial z_i} = \frac{e^{z_i}}{\sum_k e^{z_k}} "
            r"- \frac{e^{z_i}\, e^{z_i}}{\bigl(\sum_k e^{z_k}\bigr)^2} = p_i\,(1 - p_i)",
        ),
        Symbolic(
            r"Every other logit stands below the line only, so it takes away from $p_i$.",
            sympy.Derivative(p1, z2),
            -p1 * p2,
            names={"p_i": p1, "p_j": p2},
            latex=r"\frac{\partial p_i}{\partial z_j} = -\,p_i\,p_j, \qquad i \ne j",
        ),
        Numeric(
            r"Both cases in one matrix: a diagonal less an outer product. It is symmetric, and its rows sum to 0.",
            r"\frac{\partial p}{\partial z} = \operatorname{diag}(p) - p\,p^\top",
            _jacobian,
        ),
        Numeric(
            r"The loss $\ell = -\sum_i y_i \log p_i$ has $\partial\ell/\partial p = -(y / p)^\top$, elementwise. "
            r"Times the Jacobian the divisor cancels, and $\sum_i y_i = 1$ leaves $p$.",
            r"\frac{\partial \ell}{\partial z} = -\Bigl(\frac{y}{p}\Bigr)^{\!\top} "
            r"\bigl(\operatorname{diag}(p) - p\,p^\top\bigr) = (p - y)^\top",
            _chain,
        ),
        Numeric(
            r"So the error at the logits is the predicted less the true distribution; no entry exceeds 1 in size, "
            r"however wrong the prediction.",
            r"\nabla_z\, \ell = p - y",
            _gradient,
        ),
    ]


def _curvature_steps() -> list[Step]:
    return [
        Numeric(
            r"The target does not depend on $z$, so the Hessian is the Jacobian of softmax once more.",
            r"\nabla_z^2\, \ell = \operatorname{diag}(p) - p\,p^\top",
            _hessian,
        ),
        Numeric(
            r"As a quadratic form it is the variance of a variable that takes the value $v_i$ with probability $p_i$, "
            r"so it is never negative: the loss is convex in the logits.",
            r"v^\top \bigl(\operatorname{diag}(p) - p\,p^\top\bigr)\, v = \sum_i p_i\, \bigl(v_i - p^\top v\bigr)^2",
            _variance,
        ),
        Numeric(
            r"A variable within an interval of length $\max v - \min v \le \sqrt 2\, \|v\|$ has at most a quarter of "
            r"its square as variance, which bounds the curvature.",
            r"0 \le \lambda_{\min}\bigl(\nabla_z^2\, \ell\bigr) \le \lambda_{\max}\bigl(\nabla_z^2\, \ell\bigr) \le "
            r"\tfrac12",
            _curvature,
            relation="<=",
            at=_two_classes,
        ),
    ]


def _stability() -> list[Step]:
    return [
        Symbolic(
            r"A constant added to all logits cancels in $p$, and so in the loss. Hence the gradient is orthogonal to "
            r"$\mathbf 1$, and the Hessian has a zero eigenvalue. (Here $t$ is the true class, $y_t = 1$.)",
            log(total) - z1,
            log(exp(z1 + c) + exp(z2 + c) + exp(z3 + c)) - (z1 + c),
            names={r"\sum_k e^{z_k}": total, r"\sum_k e^{z_k + c}": exp(c) * total, "z_t": z1},
            latex=r"\ell(z) = \log \sum_k e^{z_k} - z_t = \log \sum_k e^{z_k + c} - (z_t + c) = \ell(z + c\,\mathbf 1)",
        ),
        Numeric(
            r"The log-sum-exp is a smooth maximum: of the $K$ terms one equals the largest, and none exceeds it.",
            r"\max_k z_k \le \log \sum_{k=1}^{K} e^{z_k} \le \max_k z_k + \log K",
            _between,
            relation="<=",
            at=_one_or_all,
        ),
        Numeric(
            r"With $c = -\max_k z_k$ the largest exponent is $e^0$: nothing overflows, and the sum is at least 1, so "
            r"its logarithm is finite. At logits of $10^4$ the layer agrees with 50 digits.",
            r"\ell = m - z_t + \log \sum_k e^{z_k - m}, \qquad m = \max_k z_k",
            _stable,
            how="in float64 against 50 digits",
        ),
        Remark(
            r"The logarithm of a computed softmax would not do: in float64 $p_t$ rounds to 0 once $z_t$ is about 745 "
            r"below the largest logit, and its logarithm is then infinite."
        ),
    ]


def softmax_cross_entropy() -> Derivation:
    """Softmax and cross-entropy as one function of the logits; Bridle 1990."""
    return Derivation(
        name="softmax_cross_entropy",
        title="Softmax with cross-entropy",
        claim=(
            r"Softmax has the Jacobian $\operatorname{diag}(p) - p\,p^\top$. With cross-entropy the gradient by the "
            r"logits is $p - y$ and the Hessian is that Jacobian: the loss is convex in $z$, with curvature at most "
            r"$1/2$, and does not change when all logits shift."
        ),
        steps=[*_first_derivatives(), *_curvature_steps(), *_stability()],
        cites=("bridle1990",),
    )
