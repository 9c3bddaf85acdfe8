"""Every activation with its first two derivatives, side by side: plain tensor functions of x.

`DERIVATIVES` names them. They take any shape and return it, in x's floating dtype; `phase2.nn.activation_functions`
builds the layers' autograd from them. f and f1 work in place on tensors of their own (a fresh tensor costs more
than arithmetic), so to differentiate further go through the layers, or through f2, which does not.

Sides are chosen by clamp, sign and threshold where possible: they are vectorised, `where` is not.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor


class Formulas(NamedTuple):
    """f(x, *constants) with f' and f'' by x; or, if `of_output`, with f' = g(y) and g' by y = f(x): f'' = g' g.

    The second form is for functions that keep y for the backward pass, which the next layer keeps anyway.
    """

    f: Callable[..., Tensor]
    f1: Callable[..., Tensor]
    f2: Callable[..., Tensor]
    of_output: bool = False

    def at(self, x: Tensor, *constants: float) -> tuple[Tensor, Tensor, Tensor]:
        """f, f' and f'' at x."""
        y = self.f(x, *constants)
        if self.of_output:
            return y, self.f1(y), self.f2(y) * self.f1(y)
        return y, self.f1(x, *constants), self.f2(x, *constants)


def step(x: Tensor) -> Tensor:
    """1 where x > 0, else 0."""
    return x.clamp(min=0).sign_()


# f = max(x, 0);  f' = g(f), g = 1 if f > 0 else 0, which is f's sign, since f >= 0;  g' = 0.


def _relu(x: Tensor) -> Tensor:
    return x.clamp(min=0)


def _zero(x: Tensor, *constants: float) -> Tensor:
    return torch.zeros_like(x)


# f = x if x > 0 else a x;  f' = 1 if x > 0 else a;  f'' = 0.


def _leaky_relu(x: Tensor, a: float = 0.01) -> Tensor:
    return _leaky_relu1(x, a).mul_(x)


def _leaky_relu1(x: Tensor, a: float = 0.01) -> Tensor:
    return torch.threshold_(x.sign(), 0, a)


_TINY = 1e-37  # makes 0 / 0 in ELU 1: less than the rounding of anything else there

# f = s x if x > 0 else s α (eˣ - 1);  f' = s if x > 0 else s α eˣ;  f'' = 0 if x >= 0 else s α eˣ.


def _elu(x: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    z = x.clamp(-80, 0)  # below, eᶻ - 1 is -1 to the last bit
    e = z.exp()  # eᶻ - 1 = z (e - 1) / log e: e's rounding cancels (Kahan), as exact as expm1, and vectorised
    left = (e - 1).add_(_TINY).div_(e.log_().add_(_TINY)).mul_(z)
    return left.mul_(alpha * scale).add_(x.clamp(min=0), alpha=scale)


def _elu1(x: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    e = x.clamp(max=0).exp_()  # 1 where x > 0: nothing overflows on the side that is not taken
    if alpha != 1:
        e.mul_(_leaky_relu1(x, alpha))
    return e.mul_(scale)


def _elu2(x: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    return scale * alpha * x.clamp(max=0).exp() * step(-x)


# f = x Φ(x);  f' = Φ + x φ;  f'' = φ (2 - x²), with Φ and φ the normal distribution and its density.


def _gelu(x: Tensor) -> Tensor:
    return (x * math.sqrt(0.5)).erf_().add_(1).mul_(0.5).mul_(x)


def _gelu1(x: Tensor) -> Tensor:
    Phi = (x * math.sqrt(0.5)).erf_().add_(1).mul_(0.5)
    bell = (x * x).mul_(-0.5).exp_()  # √(2π) φ
    return Phi.addcmul_(x, bell, value=1 / math.sqrt(2 * math.pi))


def _gelu2(x: Tensor) -> Tensor:
    z = x.clamp(-40, 40)  # beyond, φ is 0, and 0 times an overflow would be NaN
    phi = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return phi * (2 - z * z)


# f = x (1 + t) / 2, t = tanh u, u = k (x + c x³);  f' = (1 + t) / 2 + x t' / 2, t' = (1 - t²) u';
# f'' = (1 - t²) (u' + x (u'' / 2 - t u'²)).

_C = 0.044715
_K = math.sqrt(2 / math.pi)


def _gelu_tanh(x: Tensor) -> Tensor:
    return (x * x).mul_(_K * _C).add_(_K).mul_(x).tanh_().add_(1).mul_(0.5).mul_(x)


def _gelu_tanh1(x: Tensor) -> Tensor:
    z = x.clamp(-10, 10)  # beyond, t is ±1 to the last bit, and (1 - t²) u' would be 0 times an overflow
    z2 = z * z
    t = (z2 * (_K * _C)).add_(_K).mul_(z).tanh_()
    du = z2.mul_(3 * _K * _C).add_(_K)
    half = (t * t).neg_().add_(1).mul_(du).mul_(z)  # x t'
    return half.add_(t).add_(1).mul_(0.5)


def _gelu_tanh2(x: Tensor) -> Tensor:
    z = x.clamp(-10, 10)
    t = torch.tanh(_K * z * (1 + _C * z * z))
    du = _K * (1 + 3 * _C * z * z)
    return (1 - t * t) * (du + z * (3 * _K * _C * z - t * du * du))


# f = x σ(βx), SiLU at β = 1;  f' = σ (1 + βx (1 - σ));  f'' = β σ (1 - σ) (2 + βx (1 - 2σ)).


def _swish(x: Tensor, beta: float = 1.0) -> Tensor:
    return (x * beta).sigmoid_().mul_(x)


def _swish1(x: Tensor, beta: float = 1.0) -> Tensor:
    s = (x * beta).sigmoid_()
    return (1 - s).mul_(x).mul_(beta).add_(1).mul_(s)


def _swish2(x: Tensor, beta: float = 1.0) -> Tensor:
    s = torch.sigmoid(beta * x)
    return beta * (s * (1 - s)) * (2 + beta * x * (1 - 2 * s))


# f = x t, t = tanh(log(1 + eˣ)) = n / (n + 2), n = w (w + 2), w = eˣ;  f' = t + x t', t' = 4 w (w + 1) / (n + 2)²;
# f'' = 2 t' + x t'', t'' = 4 w (1 + 2w - 4 w (n + 1) / (n + 2)) / (n + 2)².  Beyond 20, t is 1 to the last bit.


def _mish(x: Tensor) -> Tensor:
    w = x.clamp(max=20).exp_()
    n = (w + 2).mul_(w)
    return n.div_(n + 2).mul_(x)


def _mish1(x: Tensor) -> Tensor:
    z = x.clamp(max=20)
    w = z.exp()
    n = (w + 2).mul_(w)
    m = (n + 2).reciprocal_()
    dt = (w + 1).mul_(w).mul_(m).mul_(4).mul_(z)
    return dt.add_(n).mul_(m)


def _mish2(x: Tensor) -> Tensor:
    z = x.clamp(max=20)
    w = torch.exp(z)
    n = w * (w + 2)
    dt = 4 * w * (w + 1) / (n + 2) ** 2
    ddt = 4 * w * (1 + 2 * w - 4 * w * (n + 1) / (n + 2)) / (n + 2) ** 2
    return 2 * dt + z * ddt


# f = log(1 + e^βx) / β if βx <= threshold else x;  f' = σ(βx) or 1;  f'' = β σ (1 - σ) or 0.


def _softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    soft = (x * beta).clamp_(max=threshold).exp_().log1p_().div_(beta)
    return torch.where(x * beta > threshold, x, soft)


def _softplus1(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    z = x * beta
    return torch.sigmoid(z).masked_fill_(z > threshold, 1)


def _softplus2(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    z = beta * x
    return beta * (torch.sigmoid(z) * torch.sigmoid(-z)).masked_fill(z >= threshold, 0)


# f = tanh x;  f' = g(f), g = 1 - f²;  g' = -2 f.


def _tanh1(y: Tensor) -> Tensor:
    return (y * y).neg_().add_(1)


def _tanh2(y: Tensor) -> Tensor:
    return -2 * y


# f = 1 / (1 + e⁻ˣ);  f' = g(f), g = f (1 - f);  g' = 1 - 2f.


def _sigmoid1(y: Tensor) -> Tensor:
    return (1 - y).mul_(y)


def _sigmoid2(y: Tensor) -> Tensor:
    return 1 - 2 * y


_SWISH = Formulas(_swish, _swish1, _swish2)
# α and s for which mean 0 and variance 1 is a fixed point: Klambauer et al. 2017, eq. 14.
_ALPHA, _SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

DERIVATIVES: dict[str, Formulas] = {
    "relu": Formulas(_relu, torch.sign, _zero, of_output=True),
    "leaky_relu": Formulas(_leaky_relu, _leaky_relu1, _zero),
    "elu": Formulas(_elu, _elu1, _elu2),
    "selu": Formulas(
        partial(_elu, alpha=_ALPHA, scale=_SCALE),
        partial(_elu1, alpha=_ALPHA, scale=_SCALE),
        partial(_elu2, alpha=_ALPHA, scale=_SCALE),
    ),
    "gelu": Formulas(_gelu, _gelu1, _gelu2),
    "gelu_tanh": Formulas(_gelu_tanh, _gelu_tanh1, _gelu_tanh2),
    "silu": _SWISH,
    "swish": _SWISH,
    "mish": Formulas(_mish, _mish1, _mish2),
    "softplus": Formulas(_softplus, _softplus1, _softplus2),
    "tanh": Formulas(torch.tanh, _tanh1, _tanh2, of_output=True),
    "sigmoid": Formulas(torch.sigmoid, _sigmoid1, _sigmoid2, of_output=True),
}
