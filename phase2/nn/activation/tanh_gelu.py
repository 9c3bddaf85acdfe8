"""The formulas of GELU by its tanh approximation. Hendrycks & Gimpel 2016, section 2."""

import math

import torch
from torch import Tensor

from phase2.nn.activation.formulas import Formulas

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


FORMULAS = Formulas(_gelu_tanh, _gelu_tanh1, _gelu_tanh2)
