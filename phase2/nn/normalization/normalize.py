"""The one normalization behind BatchNorm, LayerNorm, GroupNorm and RMSNorm, with its hand-derived gradients.

They differ in the dimensions over which mean and variance are taken, and in where weight and bias vary.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from phase2.errors import UserError
from phase2.nn.lanes import InLanes

HALF = (torch.float16, torch.bfloat16)


def autocast(x: Tensor) -> Tensor:
    """Raises x to float32 where torch does so: under autocast on a GPU."""
    return x.float() if x.is_cuda and x.dtype != torch.float64 and torch.is_autocast_enabled("cuda") else x


class _Normalize(InLanes):
    """y = w x̂ + b, with x̂ = (x - μ) r and r = (σ² + ε)^-½; μ and σ² are taken over `dims`, m values each.

    w and b have as many dimensions as x and are broadcast to it; `dims` count from the end, so that lanes may lead.
    With G = ∂L/∂y and D = w G, and sums of D over `dims`:

        ∂L/∂x = r (D - ΣD / m - x̂ Σ(D x̂) / m),  ∂L/∂w = Σ G x̂,  ∂L/∂b = Σ G.

    Without centring μ = 0, σ² = mean(x²), and the term ΣD is gone. μ and σ² are returned too, as constants.
    """

    @staticmethod
    def forward(
        x: Tensor, w: Tensor, b: Tensor | None, dims: tuple[int, ...], eps: float, centred: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        d, mu, var = _moments(x, dims, centred)
        y = d.mul_((var + eps).rsqrt_()).mul_(w)
        if b is not None:
            y.add_(b)
        return y, mu, var

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        x, w, _, ctx.dims, ctx.eps, ctx.centred = inputs
        _, mu, var = output
        ctx.mark_non_differentiable(mu, var)
        ctx.save_for_backward(x, w, mu, var)

    @staticmethod
    def backward(ctx: Any, G: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        x, w, mu, var = ctx.saved_tensors
        dims, (need_x, need_w, need_b) = ctx.dims, ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():  # the gradient will be differentiated, and μ and σ² are functions of x
            mu, var = _moments(x, dims, ctx.centred)[1:]
        r = (var + ctx.eps).rsqrt()
        x_hat = (x - mu).mul_(r)
        # Where w is constant along `dims`, the sums for x and those for w and b have their first step in common.
        shared = tuple(d for d in dims if w.shape[d] == 1)
        others = tuple(d for d in range(-w.ndim, 0) if w.shape[d] == 1 and d not in dims)
        sum_Gx, sum_G = _sum(G * x_hat, shared), _sum(G, shared)
        dw = _sum(sum_Gx, others) if need_w else None
        db = _sum(sum_G, others) if need_b else None
        if not need_x:
            return None, dw, db, None, None, None
        m = x.numel() // max(var.numel(), 1)
        D = G * w
        sum_D, sum_Dx = _sum(sum_G * w if shared else D, dims), _sum(sum_Gx * w, dims)
        if ctx.centred:
            D.sub_(sum_D / m)
        dx = torch.addcmul(D, x_hat, sum_Dx / -m).mul_(r)
        return dx, dw, db, None, None, None


def _moments(x: Tensor, dims: tuple[int, ...], centred: bool) -> tuple[Tensor, Tensor, Tensor]:
    """x - μ, μ and σ²."""
    mu = x.mean(dims, keepdim=True) if centred else x.new_zeros([1] * x.ndim)
    d = x - mu
    if centred:
        rest = d.mean(dims, keepdim=True)  # μ's rounding error, which need not be small beside σ
        d, mu = d.sub_(rest), mu + rest
    return d, mu, (d * d).mean(dims, keepdim=True)


def _sum(tensor: Tensor, dims: tuple[int, ...]) -> Tensor:
    return tensor.sum(dims, keepdim=True) if dims else tensor


def normalize(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    shape: tuple[int, ...],
    dims: tuple[int, ...],
    eps: float | None,
    centred: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """(y, mean, variance) of x over `dims` (counted from the end); the variance is the biased one.

    weight and bias are viewed as `shape`, which broadcasts to x's. float16 and bfloat16 are computed in float32, and
    y has x's dtype. `eps=None` is the machine epsilon of the computation. The variance is that of x - mean, and the
    mean is corrected for its own rounding: y is right to a few units in the last place whatever the mean of x.
    """
    dtype = x.dtype
    x = widened(x)
    w = x.new_ones([1] * x.ndim) if weight is None else widened(weight).view(shape)
    b = None if bias is None else widened(bias).view(shape)
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    y, mean, var = _Normalize.apply(x, w, b, dims, eps, centred)
    return y.to(dtype), mean, var


def widened(tensor: Tensor) -> Tensor:
    """float32 for a tensor of float16 or bfloat16, whose sums would lose too much; any other as it is."""
    return tensor.float() if tensor.dtype in HALF else tensor


class Norm(Module):
    """What all norms share: a weight, a bias and eps, each maybe None, and what they ask of them."""

    weight: Any
    bias: Any
    eps: Any

    def _check_eps(self) -> None:
        if self.eps is not None and not self.eps > 0:
            raise UserError(f"{type(self).__name__}: eps={self.eps}, expected a number above 0, such as 1e-5")

    def _check_numbers(self, input: Tensor, parameter: Tensor | None) -> None:
        """`input` is of the parameter's floating type, or of a half type beside float32; and eps is above 0."""
        self._check_eps()
        name = type(self).__name__
        if not input.is_floating_point():
            raise UserError(
                f"{name}: input of shape {tuple(input.shape)} is {input.dtype}, "
                "expected floating point: use input.float()"
            )
        fits = [input.dtype, torch.float32] if input.dtype in HALF else [input.dtype]
        if parameter is not None and parameter.dtype not in fits:
            raise UserError(
                f"{name}: input is {input.dtype}, expected the layer's {parameter.dtype}: use layer.to(input.dtype)"
            )
