"""Initial values of one tensor, by `torch.nn.init`'s functions. Recipes for a network are in `phase2.nn.initial`."""

import math
import warnings

import torch
from torch import Generator, Tensor

from phase2.errors import UserError, unknown

LINEAR_MAPS = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)
GAINS = {
    **dict.fromkeys(LINEAR_MAPS, 1.0),
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3 / 4,
}

# The std of N(0, 1) cut off outside [-2, 2]: var = 1 - 2 · 2 φ(2) / (Φ(2) - Φ(-2)).
STD_CUT_AT_2 = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the weights' std that keeps the signal's variance through `nonlinearity`; torch's values.

    `param` is leaky_relu's negative slope (default 0.01). Raises `UserError` for an unknown name.

    >>> calculate_gain("relu")
    1.4142135623730951
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise UserError(f"negative_slope {param!r} is not a number: give leaky_relu's slope, such as 0.01")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in GAINS:
        raise unknown("nonlinearity", nonlinearity, [*GAINS, "leaky_relu"])
    return GAINS[nonlinearity]


def _fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, *kernel)."""
    if tensor.ndim < 2:
        raise UserError(f"fan in and fan out need a weight of 2 or more dimensions, got shape {tuple(tensor.shape)}")
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


@torch.no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills `tensor` from U(a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@torch.no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills `tensor` from N(mean, std²)."""
    return tensor.normal_(mean, std, generator=generator)


@torch.no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills `tensor` with `val`."""
    return tensor.fill_(val)


@torch.no_grad()
def zeros_(tensor: Tensor) -> Tensor:
    """Fills `tensor` with 0."""
    return tensor.zero_()


@torch.no_grad()
def ones_(tensor: Tensor) -> Tensor:
    """Fills `tensor` with 1."""
    return tensor.fill_(1)


@torch.no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity in a weight (out, in): as many inputs as fit are passed on."""
    if tensor.ndim != 2:
        raise UserError(f"eye_ needs a tensor of 2 dimensions, got shape {tuple(tensor.shape)}")
    return tensor.copy_(torch.eye(*tensor.shape))


@torch.no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity in a convolution's weight (out, in / groups, *kernel): as many channels as fit are passed on.

    Each group's outputs start over with its first channel. Raises `UserError` unless `groups` divides out.
    """
    if tensor.ndim not in (3, 4, 5):
        raise UserError(f"dirac_ needs a tensor of 3, 4 or 5 dimensions, got shape {tuple(tensor.shape)}")
    if groups < 1 or len(tensor) % groups:
        raise UserError(f"groups={groups}, expected a divisor of the {len(tensor)} output channels")
    centre: tuple = (..., *(size // 2 for size in tensor.shape[2:]))
    tensor.zero_()[centre] = torch.eye(len(tensor) // groups, tensor.shape[1]).repeat(groups, 1)
    return tensor


@torch.no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fills `tensor` from N(mean, std²) cut off outside [a, b] (absolute bounds, not in units of std).

    By rejection: from the normal where [a, b] holds much of its mass, else from U(a, b) against the density.
    Raises `UserError` unless std > 0 and a < b.
    """
    if not (std > 0 and a < b):
        raise UserError(f"trunc_normal_: std={std}, a={a}, b={b}, expected std > 0 and a < b")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(f"mean {mean} is more than 2 std from [{a}, {b}]: few values will be near it", stacklevel=2)
    mass = 0.5 * (math.erf((b - mean) / (std * math.sqrt(2))) - math.erf((a - mean) / (std * math.sqrt(2))))
    if mass > 0.3:
        tensor.normal_(mean, std, generator=generator)
        low, high = tensor.new_tensor(a), tensor.new_tensor(b)  # as the tensor's own dtype rounds them
        while (outside := (tensor < low) | (tensor > high)).any():
            redrawn = torch.empty_like(tensor).normal_(mean, std, generator=generator)
            tensor.copy_(torch.where(outside, redrawn, tensor))
        return tensor
    mode = max(a, min(mean, b))
    log_peak = -0.5 * ((mode - mean) / std) ** 2
    pending = torch.ones_like(tensor, dtype=torch.bool)
    while pending.any():
        candidates = torch.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(torch.where(pending, candidates, tensor))
        log_density = candidates.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(log_peak)
        pending &= torch.empty_like(tensor).uniform_(generator=generator).log_() > log_density
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(-a, a) with std gain sqrt(2 / (fan_in + fan_out)). Glorot & Bengio 2010, eq. 16."""
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, std²) with std gain sqrt(2 / (fan_in + fan_out)). Glorot & Bengio 2010, eq. 12."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = _fans(tensor)
    return gain * math.sqrt(2.0 / (fan_in + fan_out))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """U(-b, b) with std gain / sqrt(fan); `a` is the slope of leaky_relu. He et al. 2015, eq. 10 and 14."""
    bound = math.sqrt(3.0) * kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """N(0, std²) with std gain / sqrt(fan); `a` is the slope of leaky_relu. He et al. 2015, eq. 10 and 14."""
    return normal_(tensor, 0.0, kaiming_std(tensor, a, mode, nonlinearity), generator)


def kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    if mode not in fans:
        raise unknown("mode", mode, fans)
    if tensor.numel() == 0:
        raise UserError(f"a weight of shape {tuple(tensor.shape)} has no elements to initialise")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans[mode])


@torch.no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """gain times a random matrix (out, in·kernel) with orthonormal rows or columns, whichever are fewer.

    Uniform over such matrices: QR of Gaussian noise, signs fixed by R's diagonal (Mezzadri 2007).
    Saxe et al. 2014, section 3.
    """
    if tensor.ndim < 2:
        raise UserError(f"an orthogonal weight needs 2 or more dimensions, got a tensor of shape {tuple(tensor.shape)}")
    if tensor.numel() == 0:
        return tensor
    noise = tensor.new_empty(len(tensor), tensor[0].numel()).normal_(0, 1, generator=generator)
    wide = noise.shape[0] < noise.shape[1]
    Q, R = torch.linalg.qr(noise.mT if wide else noise)
    Q = Q * torch.diag(R).sign()
    return tensor.copy_((Q.mT if wide else Q).reshape(tensor.shape)).mul_(gain)
