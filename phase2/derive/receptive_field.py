"""Sizes of outputs and receptive fields: from one window to stacks of strides and dilations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np
import sympy
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d
from sympy import Sum, ceiling, floor
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic

n, k, s, L, ell = sympy.symbols("n k s L l", positive=True, integer=True)
i, j, d, p, r, u, c = sympy.symbols("i j d p r u c", positive=True)
DEPTH = 3


@dataclass(frozen=True)
class Window:
    """The kernel size, stride, padding and dilation of a layer."""

    k: int
    s: int = 1
    p: int = 0
    d: int = 1

    @property
    def options(self) -> dict[str, Any]:
        return {"stride": self.s, "padding": self.p, "dilation": self.d}


PUBLISHED = {  # the networks' convolutions and poolings, and the field that Araujo et al. print for the last
    "AlexNet": ([Window(11, 4), Window(3, 2), Window(5), Window(3, 2), *[Window(3)] * 3, Window(3, 2)], 195),
    "VGG-16": ([layer for of_block in (2, 2, 3, 3, 3) for layer in [*[Window(3)] * of_block, Window(2, 2)]], 212),
    "MobileNet": ([Window(3, stride) for stride in (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)], 315),
}


def _fields(layers: Sequence[Window]) -> tuple[int, int, int]:
    """Field r, jump j and first input u of the last layer's unit 0, by the recursions."""
    r, j, u = 1, 1, 0
    for layer in layers:
        r, j, u = r + (layer.k - 1) * layer.d * j, j * layer.s, u - layer.p * j
    return r, j, u


def _windows(rng: np.random.Generator, depth: int = DEPTH) -> list[Window]:
    """Random layers."""
    return [Window(*(int(rng.integers(low, 4)) for low in (1, 1, 0, 1))) for _ in range(depth)]


def _run(layers: Sequence[Window], x: Tensor, kernels: Sequence[Tensor]) -> Tensor:
    """The output (n',) of a stack of convolutions of x (n,)."""
    for layer, kernel in zip(layers, kernels, strict=True):
        x = F.conv1d(x[None, None], kernel[None, None], **layer.options)[0, 0]
    return x


def _seen(layers: Sequence[Window], size: int) -> Tensor:
    """∂y/∂x (n', n) by automatic differentiation, for kernels of ones: the number of paths from input to unit."""
    kernels = [torch.ones(layer.k, dtype=torch.float64) for layer in layers]
    return jacobian(lambda x: _run(layers, x, kernels), torch.zeros(size, dtype=torch.float64))


def _one_layer(rng: np.random.Generator) -> tuple[Window, int]:
    """A random layer and a size that its window fits in."""
    (layer,) = _windows(rng, 1)
    return layer, layer.d * (layer.k - 1) + int(rng.integers(1, 9))


def _count(rng: np.random.Generator) -> tuple[Any, Any]:
    """Windows that fit, counted one after the other and by torch's convolution, against the formula."""
    layer, size = _one_layer(rng)
    starts = range(-layer.p, size + layer.p, layer.s)
    fitting = [start for start in starts if start + layer.d * (layer.k - 1) < size + layer.p]
    by_torch = _run([layer], torch.zeros(size), [torch.ones(layer.k)])
    return [len(fitting), len(by_torch)], [(size + 2 * layer.p - layer.d * (layer.k - 1) - 1) // layer.s + 1] * 2


def _last_window(rng: np.random.Generator, layer: Window | None = None, size: int = 0) -> tuple[Any, Any]:
    layer, size = (layer, size) if layer else _one_layer(rng)
    by_torch = len(_run([layer], torch.zeros(size), [torch.ones(layer.k)]))
    ends = [layer.s * (count - 1) + layer.d * (layer.k - 1) + 1 for count in (by_torch, by_torch + 1)]
    return [ends[0], size + 2 * layer.p + 1], [size + 2 * layer.p, ends[1]]


def _gradients(rng: np.random.Generator) -> tuple[Any, Any]:
    """First and last input of each unit whose field lies inside the input, by its gradient and by the recursions."""
    layers = _windows(rng)
    r, j, u = _fields(layers)
    size = r + 2 * j
    inside = [unit for unit in range(size) if u + j * unit >= 0 and u + j * unit + r <= size]
    seen = [_seen(layers, size)[unit].nonzero() for unit in inside]
    ends = [[int(inputs.min()), int(inputs.max())] for inputs in seen]
    return ends, [[u + j * unit, u + j * unit + r - 1] for unit in inside]


def _closed_form(rng: np.random.Generator) -> tuple[Any, Any]:
    layers = _windows(rng, int(rng.integers(1, 7)))
    jumps = [prod(layer.s for layer in layers[:before]) for before in range(len(layers) + 1)]
    field = 1 + sum((layer.k - 1) * layer.d * jump for layer, jump in zip(layers, jumps, strict=False))
    start = -sum(layer.p * jump for layer, jump in zip(layers, jumps, strict=False))
    return _fields(layers), [field, jumps[-1], start]


def _published(rng: np.random.Generator) -> tuple[Any, Any]:
    return [_fields(layers)[0] for layers, _ in PUBLISHED.values()], [field for _, field in PUBLISHED.values()]


def _two_kernels(rng: np.random.Generator) -> tuple[Any, Any]:
    x, first, second = (torch.from_numpy(rng.normal(size=(size, size))) for size in (9, 3, 3))
    both = torch.from_numpy(convolve2d(first, second))
    twice = F.conv2d(F.conv2d(x[None, None], first[None, None]), second[None, None])
    return twice, F.conv2d(x[None, None], both[None, None])


def _dilated(size: int, factor: int) -> list[Window]:
    return [Window(size, d=factor**layer) for layer in range(DEPTH)]


def _without_overlap(rng: np.random.Generator) -> tuple[Any, Any]:
    size = int(rng.integers(2, 5))
    kernels = [torch.from_numpy(rng.normal(size=size)) for _ in range(DEPTH)]
    x = torch.zeros(size**DEPTH, dtype=torch.float64)
    return jacobian(lambda x: _run(_dilated(size, size), x, kernels), x)[0], reduce(torch.kron, kernels[::-1])


def _stride_or_dilation(rng: np.random.Generator) -> tuple[Any, Any]:
    size = int(rng.integers(2, 5))
    x = torch.from_numpy(rng.normal(size=_fields(_dilated(size, 2))[0] + 2**DEPTH * 3))
    kernels = [torch.from_numpy(rng.normal(size=size)) for _ in range(DEPTH)]
    return _run([Window(size, 2)] * DEPTH, x, kernels), _run(_dilated(size, 2), x, kernels)[:: 2**DEPTH]


def _gaps(rng: np.random.Generator) -> tuple[Any, Any]:
    size, depth = int(rng.integers(2, 4)), int(rng.integers(2, 5))
    layers = [Window(size, d=2)] * depth
    field, _, _ = _fields(layers)
    return [field, int((_seen(layers, field) > 0).sum())], [1 + 2 * depth * (size - 1), 1 + depth * (size - 1)]


def _one() -> list[Step]:
    return [
        Remark(
            r"A layer moves windows over $n$ inputs, padded by $p$ on both sides: $k$ taps at distances of the "
            r"dilation $d$, moved on by the stride $s$. Unit $i$ of its output begins at the input $si - p$ and ends "
            r"$d(k-1)$ further on. In images each direction is treated alike."
        ),
        Numeric(
            r"With $n'$ outputs the last window ends inside the $n + 2p$ padded inputs, and one more would not.",
            r"s(n' - 1) + d(k-1) + 1 \;\le\; n + 2p, \qquad n + 2p + 1 \;\le\; s n' + d(k-1) + 1",
            _last_window,
            relation="<=",
            at=lambda rng: _last_window(rng, Window(3), 9),
            how="on random sizes, against torch",
        ),
        Numeric(
            r"Solved for the integer $n'$ the two say $n' - 1 \le (n + 2p - d(k-1) - 1)/s < n'$.",
            r"n' = \Bigl\lfloor \frac{n + 2p - d(k-1) - 1}{s} \Bigr\rfloor + 1",
            _count,
            how="on random sizes, by counting windows and against torch",
        ),
        Symbolic(
            r"The padding $p = d(k-1)/2$ is called \emph{same}: it keeps the size if $s = 1$, and otherwise divides it "
            r"and rounds up.",
            floor((n + d * (k - 1) - d * (k - 1) - 1) / s) + 1,
            ceiling(n / s),
            latex=r"2p = d(k-1): \qquad n' = \Bigl\lfloor \frac{n - 1}{s} \Bigr\rfloor + 1 "
            r"= \Bigl\lceil \frac{n}{s} \Bigr\rceil",
        ),
    ]


def _recursions() -> list[Step]:
    first = u + j * (s * i - p)  # the first input of the first unit that unit i reads
    return [
        Remark(
            r"Let unit $i$ of layer $l-1$ see the $r_{l-1}$ inputs from $u_{l-1} + j_{l-1} i$ on; the inputs "
            r"themselves are layer 0, with $r_0 = j_0 = 1$ and $u_0 = 0$. Unit $i$ of layer $l$ then sees what the "
            r"units from $s_l i - p_l$ to $s_l i - p_l + d_l (k_l - 1)$ of layer $l-1$ see."
        ),
        Symbolic(
            r"From one unit to the next the first of these units moves on by $s_l$, and what it sees by the jump times "
            r"that.",
            first.subs(i, i + 1) - first,
            j * s,
            latex=r"j_l = j_{l-1}\, s_l",
        ),
        Symbolic(
            r"Unit 0 begins at the unit $-p_l$ of the layer before.",
            first.subs(i, 0),
            u - p * j,
            latex=r"u_l = u_{l-1} - p_l\, j_{l-1}",
        ),
        Symbolic(
            r"The field reaches to the last input of the last of these units, so each window adds the distance "
            r"between its ends, measured in jumps.",
            (first + j * d * (k - 1) + r - 1) - first + 1,
            r + (k - 1) * d * j,
            latex=r"r_l = r_{l-1} + (k_l - 1)\, d_l\, j_{l-1}",
        ),
        Symbolic(
            r"Half-way lies the centre $c_l = u_l + (r_l - 1)/2$. With the padding \emph{same} it stays where it was: "
            r"unit $i$ is centred on the input $j_l i$.",
            (u - p * j + (r + (k - 1) * d * j - 1) / 2) - (u + (r - 1) / 2),
            j * (d * (k - 1) / 2 - p),
            latex=r"c_l = c_{l-1} + \Bigl(\frac{d_l (k_l - 1)}{2} - p_l\Bigr)\, j_{l-1}",
        ),
        Numeric(
            r"Both ends are reached: these are the first and the last input that a unit's gradient does not vanish on.",
            r"\frac{\partial y_i}{\partial x_m} \ne 0 \quad\text{for}\quad m = u_L + j_L i \quad\text{and}\quad "
            r"m = u_L + j_L i + r_L - 1, \quad\text{and for none outside}",
            _gradients,
            how="by automatic differentiation of random stacks",
        ),
        Numeric(
            r"Unrolled, the field is one more than the sum of these distances, each times the strides before it.",
            r"j_L = \prod_{l=1}^{L} s_l, \qquad r_L = 1 + \sum_{l=1}^{L} (k_l - 1)\, d_l \prod_{m<l} s_m, \qquad "
            r"u_L = -\sum_{l=1}^{L} p_l \prod_{m<l} s_m",
            _closed_form,
            how="on random stacks",
        ),
        Numeric(
            r"Pooling moves windows too, so the same sum holds for whole networks; these are the published fields of "
            r"the last layer before the global pooling or the dense layers.",
            r"\begin{array}{ccc} \text{AlexNet} & \text{VGG-16} & \text{MobileNet} \\ 195 & 212 & 315 \end{array}",
            _published,
            how="against the published values",
        ),
    ]


def _depth() -> list[Step]:
    return [
        Numeric(
            r"Without strides and dilations fields grow by $k - 1$ a layer, so two kernels of $3 \times 3$ see what "
            r"one of $5 \times 5$ sees. With nothing between them they are one: that of their convolution.",
            r"(x \star v) \star w = x \star (v * w), \qquad (v * w)_{e} = \sum_{a + b = e} v_a w_b, \qquad "
            r"3 + 3 - 1 = 5",
            _two_kernels,
        ),
        Symbolic(
            r"In the same way $L$ layers of $3 \times 3$ see $2L + 1$ inputs, with fewer weights than one such kernel.",
            9 * c**2 * L,
            ((1 + Sum(2, (ell, 1, L))) * c) ** 2,
            relation="<=",
            at={L: 1, c: 1},
            latex=r"9\,c^2 L \le (2L + 1)^2 c^2",
        ),
        Symbolic(
            r"Dilations that double let the field grow exponentially with the depth, at the same number of weights.",
            1 + Sum((k - 1) * 2 ** (ell - 1), (ell, 1, L)),
            1 + (k - 1) * (2**L - 1),
            latex=r"d_l = 2^{l-1}: \qquad r_L = 1 + \sum_{l=1}^{L} (k - 1)\, 2^{l-1} = 1 + (k-1)\,(2^L - 1)",
        ),
        Numeric(
            r"Strides of 2 grow it just so, since $j_{l-1} = 2^{l-1}$ takes the place of $d_l$. The strided network "
            r"computes every $2^L$-th output of the dilated one with the same kernels.",
            r"y^{\text{stride}}_i = y^{\text{dilation}}_{2^L i}",
            _stride_or_dilation,
        ),
        Numeric(
            r"The fastest growth that leaves no input out is $d_l = k^{l-1}$: the taps $a_l$ on the way to an input "
            r"are its digits in base $k$, so exactly one path leads there.",
            r"d_l = k^{l-1}: \qquad r_L = k^L, \qquad \frac{\partial y_0}{\partial x_m} = \prod_{l=1}^{L} w^l_{a_l} "
            r"\quad\text{for}\quad m = \sum_{l=1}^{L} a_l\, k^{l-1}",
            _without_overlap,
            how="by automatic differentiation",
        ),
        Numeric(
            r"The field is a span, and not all of it need be seen: repeating one dilation leaves gaps.",
            r"d_l = 2: \qquad r_L = 1 + 2L(k-1), \qquad \Bigl|\Bigl\{ m : \frac{\partial y_i}{\partial x_m} \ne 0 "
            r"\Bigr\}\Bigr| = 1 + L(k-1)",
            _gaps,
            how="by automatic differentiation of random stacks",
        ),
    ]


def receptive_field() -> Derivation:
    """Sizes of outputs, and the recursions of field, jump and start; Dumoulin & Visin 2016, Araujo et al. 2019."""
    return Derivation(
        name="receptive_field",
        title="Sizes of outputs and receptive fields",
        claim=(
            r"A window of $k$ taps with stride $s$, padding $p$ and dilation $d$ has $\lfloor (n + 2p - d(k-1) - 1)/s "
            r"\rfloor + 1$ places among $n$ inputs. A stack of such layers has a receptive field of $r_L = 1 + \sum_l "
            r"(k_l - 1)\, d_l \prod_{m<l} s_m$ inputs, which is linear in the depth but for strides and growing "
            r"dilations."
        ),
        steps=[*_one(), *_recursions(), *_depth()],
        cites=("dumoulin2016", "araujo2019", "simonyan2015", "yu2016"),
    )
