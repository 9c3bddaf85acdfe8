"""MLPs of infinite width: their two kernels in closed form, regression with a kernel, and training in function space.

The kernels are those of `phase2.models.ntk_mlp.NTKMLP` as its width grows: its outputs over random weights are
Gaussian with covariance NNGP (times the identity over outputs), and under gradient descent they move by the NTK.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from torch import Tensor

from phase2.errors import UserError, unknown
from phase2.models.ntk_mlp import BIAS_STD, WEIGHT_STD


def _relu(K: Tensor, q1: Tensor, q2: Tensor) -> tuple[Tensor, Tensor]:
    """E φ(u)φ(v) and E φ'(u)φ'(v) for φ = max(·, 0): Cho & Saul 2009, eqs. 5 and 6, halved."""
    scale = (q1 * q2).sqrt()
    c = (K / scale).clamp(-1, 1)  # rounding may put a vector's cosine with itself above 1
    theta = c.acos()
    return scale * (theta.sin() + (math.pi - theta) * c) / (2 * math.pi), (math.pi - theta) / (2 * math.pi)


def _erf(K: Tensor, q1: Tensor, q2: Tensor) -> tuple[Tensor, Tensor]:
    """E φ(u)φ(v) and E φ'(u)φ'(v) for φ = erf: Williams 1997, eq. 11; Lee et al. 2019, appendix C."""
    square = (1 + 2 * q1) * (1 + 2 * q2)
    rest = (square - 4 * K**2).maximum(1 + 2 * q1 + 2 * q2)  # its least value, which rounding may fall short of
    return 2 / math.pi * (2 * K / square.sqrt()).asin(), 4 / math.pi / rest.sqrt()


EXPECTATIONS = {"relu": _relu, "erf": _erf}


def kernels(x1: Tensor, x2: Tensor, depth: int, activation: str, bias: float = BIAS_STD) -> tuple[Tensor, Tensor]:
    """NNGP and NTK of an infinitely wide `NTKMLP` between inputs x1 (n1, *) and x2 (n2, *): both (n1, n2), float64.

    Σ¹ = x·x' / n0 + β² = Θ¹;  Σ' = σ_w² E φφ + β²;  Θ' = σ_w² E φ'φ' Θ + Σ'  (Jacot et al. 2018, theorem 1), with
    (u, v) ~ N(0, Σ) in the expectations. One output's kernel; those of two outputs have none in common. Raises
    `UserError` for an unknown activation, a depth below 1 and inputs of different sizes.
    """
    if activation not in EXPECTATIONS:
        raise unknown("activation of an infinitely wide network", activation, EXPECTATIONS)
    if depth < 1:
        raise UserError(f"kernels: depth={depth}, expected at least 1 hidden layer")
    x1, x2 = x1.detach().double().flatten(1), x2.detach().double().flatten(1)
    if x1.shape[1] != x2.shape[1]:
        raise UserError(f"kernels: x1 has {x1.shape[1]} features and x2 {x2.shape[1]}, expected the same number")
    features, var_w, var_b = x1.shape[1], WEIGHT_STD[activation] ** 2, bias**2
    Sigma = x1 @ x2.mT / features + var_b
    q1, q2 = (x.square().sum(1) / features + var_b for x in (x1, x2))  # Σ of an input with itself
    q1, q2 = q1[:, None], q2[None]
    Theta, moments = Sigma, EXPECTATIONS[activation]
    for _ in range(depth):
        product, slopes = moments(Sigma, q1, q2)
        q1, q2 = (var_w * moments(q, q, q)[0] + var_b for q in (q1, q2))
        Sigma = var_w * product + var_b
        Theta = var_w * slopes * Theta + Sigma
    return Sigma, Theta


def regress(train_kernel: Tensor, test_kernel: Tensor, targets: Tensor, ridge: float = 0.0) -> Tensor:
    """Kernel regression K(x, X) (K(X, X) + ridge I)⁻¹ y: (tests, outputs) in float64.

    Shapes: train_kernel (n, n), test_kernel (tests, n), targets (n, outputs). With the NTK and no ridge it is what an
    infinitely wide network, trained to the end by the squared error, computes on average over its initial weights
    (Jacot et al. 2018, section 5; Lee et al. 2019, eq. 14). Raises `UserError` if the kernel is singular.
    """
    K = train_kernel.detach().double().numpy() + ridge * np.eye(len(train_kernel))
    try:
        weights = cho_solve(cho_factor(K, lower=True), targets.detach().double().numpy())
    except LinAlgError:
        least, mean = np.linalg.eigvalsh(K)[0], np.trace(K) / len(K)
        raise UserError(
            f"regress: the training kernel with ridge={ridge:g} is singular: its smallest eigenvalue is {least:.1e}, "
            f"its mean diagonal {mean:.1e}; leave out repeated inputs or raise ridge, say to {1e-6 * mean:.0e}"
        ) from None
    return test_kernel.detach().double() @ torch.from_numpy(weights)


def dynamics(
    train_kernel: Tensor,
    start: Tensor,
    targets: Tensor,
    lr: float,
    steps: Sequence[int],
    test: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Outputs of a linearized network after `steps` of full-batch gradient descent on the mean squared error.

    f_t(x) = f_0(x) + K(x, X) K⁻¹ (I - (I - η K)ᵗ) (y - f_0(X)), η = 2 lr / (n outputs): the mean is over samples and
    outputs, as in `phase2.nn.MSELoss` (Lee et al. 2019, eqs. 8 to 11, with steps in the place of time). Nothing is
    inverted, so K may be singular. f_t diverges for lr above n outputs / K's largest eigenvalue.

    Shapes: train_kernel (n, n), the same for every output; start f_0(X) and targets y (n, outputs); returns
    (len(steps), n, outputs), or with `test`, a pair of K(x, X) (tests, n) and f_0(x) (tests, outputs), the outputs at
    x; in float64. For a kernel that couples the outputs let n count every output of every sample, and `outputs` be 1.
    """
    K, f0, y = (tensor.detach().double() for tensor in (train_kernel, start, targets))
    values, U = torch.linalg.eigh(K)
    eta = 2 * lr / y.numel()
    error = U.mT @ (y - f0)
    K_test, f0_test = (K, f0) if test is None else (tensor.detach().double() for tensor in test)
    change = eta * torch.stack([_travelled(eta * values, t) for t in steps])  # K⁻¹ (I - (I - η K)ᵗ) in K's basis
    return f0_test + K_test @ U @ (change[:, :, None] * error)


def _travelled(r: Tensor, t: int) -> Tensor:
    """(1 - (1 - r)ᵗ) / r = Σ_{s<t} (1 - r)ˢ, without cancellation where r is small: t at r = 0."""
    safe = torch.where(r == 0, 1, r)
    small = -torch.expm1(t * torch.log1p(-safe.clamp(max=0.5)))
    return torch.where(r == 0, float(t), torch.where(r < 0.5, small, 1 - (1 - safe) ** t) / safe)
