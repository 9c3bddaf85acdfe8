"""The effective receptive field's variance: squared gradients through random convolutions are convolved kernels."""

from itertools import product
from typing import Any

import numpy as np
import sympy
import torch
from sympy import I, exp, limit, log, sin, sqrt
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.nn.convolution.conv import Conv2d

TAPS, FEW = 3, 3  # of the one-dimensional stacks whose every sign is enumerated
LAYERS = ((3, 1, 1), (3, 2, 1), (3, 1, 2), (5, 1, 1))  # kernel size, stride, dilation of those in two dimensions
NETWORKS, CHANNELS = 48, 4
WORST = (2, 10)  # taps and layers of the least Gaussian of the fields of at least as many

k, n = sympy.symbols("k n", positive=True, integer=True)
omega, g = sympy.symbols("omega g", positive=True)
t = sympy.symbols("t", integer=True)
TRANSFORM = sin(k * omega / 2) / (k * sin(omega / 2))
LOG_SINC = sympy.series(log(sin(omega) / omega), omega, 0, 6).removeO()
LOGARITHM = LOG_SINC.subs(omega, k * omega / 2) - LOG_SINC.subs(omega, omega / 2)  # of TRANSFORM, to the fourth order


def uniform(taps: int, spacing: int = 1) -> np.ndarray:
    """The uniform kernel of `taps` pixels that are `spacing` apart: it sums to 1."""
    kernel = np.zeros((taps - 1) * spacing + 1)
    kernel[::spacing] = 1 / taps
    return kernel


def convolved(kernels: list[np.ndarray]) -> np.ndarray:
    """All kernels convolved with each other."""
    shares = np.ones(1)
    for kernel in kernels:
        shares = np.convolve(shares, kernel)
    return shares


def moments(shares: np.ndarray) -> tuple[float, float]:
    """Mean position and variance of shares that sum to 1, one a pixel from 0 on."""
    at = np.arange(len(shares))
    mean = shares @ at
    return float(mean), float(shares @ (at - mean) ** 2)


def field(layers: tuple[tuple[int, int, int], ...]) -> list[np.ndarray]:
    """The uniform kernels at the input of layers (kernel size, stride, dilation): taps are d_l j_{l-1} apart."""
    jumps = np.cumprod([1, *(stride for _, stride, _ in layers)])
    return [uniform(k, dilation * int(jump)) for (k, _, dilation), jump in zip(layers, jumps, strict=False)]


class _EverySign:
    """All stacks of FEW one-dimensional convolutions with weights ±s by layer, on just as many pixels as they see."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.s = rng.uniform(0.5, 1.5, size=FEW)
        signs = np.reshape(list(product((-1.0, 1.0), repeat=FEW * TAPS)), (-1, FEW, TAPS))
        self.weights = torch.from_numpy(signs * self.s[:, None])
        self.x = torch.from_numpy(rng.normal(size=FEW * (TAPS - 1) + 1))
        self.gain = float(np.prod(TAPS * self.s**2))  # of the squared gradient, summed over the inputs

    def squares(self, relu: bool = False, shortcut: bool = False) -> Tensor:
        """The mean squared gradient (inputs,) of the one output, by automatic differentiation."""

        def outputs(x: Tensor) -> Tensor:
            for layer in range(FEW):
                y = (x.unfold(1, TAPS, 1) * self.weights[:, layer, None]).sum(-1)
                y = torch.relu(y) if relu else y
                x = x[:, TAPS // 2 : -(TAPS // 2)] + y if shortcut else y
            return x.sum()

        return jacobian(outputs, self.x.expand(len(self.weights), -1)).square().mean(0)


def _random_weights(rng: np.random.Generator) -> tuple[Any, Any]:
    stacks = _EverySign(rng)
    return stacks.squares(), stacks.gain * convolved([uniform(TAPS)] * FEW)


def _relu(rng: np.random.Generator) -> tuple[Any, Any]:
    stacks = _EverySign(rng)
    return stacks.squares(relu=True), stacks.gain / 2**FEW * convolved([uniform(TAPS)] * FEW)


def _shortcuts(rng: np.random.Generator) -> tuple[Any, Any]:
    stacks = _EverySign(rng)
    here = np.eye(1, TAPS, TAPS // 2)[0]
    return stacks.squares(shortcut=True), convolved([here + TAPS * s**2 * uniform(TAPS) for s in stacks.s])


def _layers(rng: np.random.Generator) -> tuple[tuple[int, int, int], ...]:
    """Five random layers."""
    return tuple((int(rng.integers(1, 8)), int(rng.integers(1, 4)), int(rng.integers(1, 4))) for _ in range(5))


def _spacings(layers: tuple[tuple[int, int, int], ...]) -> list[tuple[int, int]]:
    """Kernel size and d_l j_{l-1} of every layer, the jumps by the recursion j_l = j_{l-1} s_l."""
    jump, spacings = 1, []
    for k, stride, dilation in layers:
        spacings.append((k, dilation * jump))
        jump *= stride
    return spacings


def _product_of_transforms(rng: np.random.Generator) -> tuple[Any, Any]:
    """The discrete Fourier transform of the convolved kernels against the product of Dirichlet kernels."""
    layers = _layers(rng)
    shares, omega = convolved(field(layers)), rng.uniform(0.01, 0.2)
    at = np.arange(len(shares)) - (len(shares) - 1) / 2
    factors = [np.sin(k * omega * dj / 2) / (k * np.sin(omega * dj / 2)) for k, dj in _spacings(layers)]
    return [shares @ np.cos(omega * at), shares @ np.sin(omega * at)], [np.prod(factors), 0]


def _moments_add(rng: np.random.Generator) -> tuple[Any, Any]:
    layers = _layers(rng)
    spacings = _spacings(layers)
    mean = sum((k - 1) / 2 * dj for k, dj in spacings)
    return moments(convolved(field(layers))), [mean, sum((k**2 - 1) / 12 * dj**2 for k, dj in spacings)]


def _bell(rng: np.random.Generator) -> tuple[Any, Any]:
    """Shares times the standard deviation against the normal density, in the worst case and for random k and n."""
    heights, densities = [], []
    for taps, layers in (WORST, (int(rng.integers(2, 8)), int(rng.integers(10, 40)))):
        shares = convolved([uniform(taps)] * layers)
        mean, variance = moments(shares)
        z = (np.arange(len(shares)) - mean) / variance**0.5
        heights.append(shares * variance**0.5)
        densities.append(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    return np.concatenate(heights), np.concatenate(densities)


def _in_two_dimensions(rng: np.random.Generator) -> tuple[Any, Any]:
    """Variance by axis of the mean squared gradient over NETWORKS stacks, as groups of one, and by the kernels."""
    kernels, maps = field(LAYERS), NETWORKS * CHANNELS
    stack = torch.nn.Sequential()
    for size, stride, dilation in LAYERS:
        stack.append(Conv2d(maps, maps, size, stride, 0, dilation, NETWORKS, bias=False, dtype=torch.float64))
    for weight in stack.parameters():
        weight.data = torch.from_numpy(rng.normal(size=weight.shape))
    pixels = sum(len(kernel) - 1 for kernel in kernels) + 1
    x = torch.zeros(1, maps, pixels, pixels, dtype=torch.float64)
    squares = jacobian(lambda x: stack(x)[:, ::CHANNELS].sum(), x).square().sum((0, 1)).numpy()
    variances = [moments(squares.sum(axis) / squares.sum())[1] for axis in (0, 1)]
    return [*variances, moments(convolved(kernels))[1]], [20.0, 20.0, 20.0]


def _squares() -> list[Step]:
    return [
        Remark(
            r"Let $y$ be the centre of the output of $n$ convolutions of $k$ taps, on a line first. The effective "
            r"field is how the squared gradient $(\partial y/\partial x_i)^2$ is spread over the inputs. Let the "
            r"weights be independent, of mean 0 and variance $w$, and $u$ the uniform kernel, $\tfrac1k$ at $k$ "
            r"neighbouring pixels. Every channel adds the same again, which is left out."
        ),
        Numeric(
            r"A gradient $\delta$ goes back through one layer as $\sum_t w_t\, \delta_{i-t}$. In the mean of the "
            r"square all products of two different weights vanish: squares are convolved with $w$ at every tap, which "
            r"is $k w u$.",
            r"\mathbb{E} \Bigl(\frac{\partial y}{\partial x_i}\Bigr)^{\!2} = (k w)^n\, (\underbrace{u * u * \cdots * "
            r"u}_{n})_i",
            _random_weights,
            how=f"by averaging over all signs of the weights of {FEW} layers",
        ),
        Numeric(
            r"A ReLU behind each convolution, the last included, halves it and leaves its shape: the weights are "
            r"symmetric, and what a filter $w$ stops, $-w$ passes.",
            r"\mathbb{E} \Bigl(\frac{\partial y}{\partial x_i}\Bigr)^{\!2} = \Bigl(\frac{k w}{2}\Bigr)^{\!n}\, (u * u "
            r"* \cdots * u)_i",
            _relu,
            how=f"by averaging over all signs of the weights of {FEW} layers",
        ),
    ]


def _transform() -> list[Step]:
    scaled = (n * LOGARITHM).subs(omega, omega / sqrt(n * (k**2 - 1) / 12))
    return [
        Symbolic(
            r"Like the distribution of a sum of independent steps. Around its centre the transform of $u$ is a "
            r"geometric sum.",
            sympy.Sum(exp(I * omega * (t - (k - 1) / 2)), (t, 0, k - 1)) / k,
            TRANSFORM,
            latex=r"\hat u(\omega) = \frac1k \sum_{t=0}^{k-1} e^{i\omega\,(t - \frac{k-1}{2})} = \frac{\sin(k\omega/2)}"
            r"{k \sin(\omega/2)}",
        ),
        Numeric(
            r"Convolution multiplies transforms; let $U = u_1 * \cdots * u_n$. Layer $l$ with dilation $d_l$ has its "
            r"taps $d_l\, j_{l-1}$ pixels of the input apart, where the jump $j_l = s_1 \cdots s_l$ is the product of "
            r"the strides up to layer $l$, and $j_0 = 1$.",
            r"\hat U(\omega) = \prod_{l=1}^{n} \hat u_{k_l}(d_l\, j_{l-1}\, \omega)",
            _product_of_transforms,
            how="against the convolved kernels of random layers",
        ),
        Symbolic(
            r"The logarithm's coefficients are the cumulants, which add up: the variance, and the fourth.",
            LOGARITHM,
            -(k**2 - 1) / 12 * omega**2 / 2 - (k**4 - 1) / 120 * omega**4 / 24,
            latex=r"\log \hat u(\omega) = -\frac{k^2 - 1}{12}\, \frac{\omega^2}{2} - \frac{k^4 - 1}{120}\, "
            r"\frac{\omega^4}{24} + O(\omega^6)",
        ),
        Numeric(
            r"So means and variances add over the layers. Without strides and dilations the variance is $n\,(k^2 - "
            r"1)/12$ along each axis; a stride multiplies what every later layer adds by its square.",
            r"\mu = \sum_{l=1}^{n} \frac{k_l - 1}{2}\, d_l\, j_{l-1}, \qquad \sigma^2 = \sum_{l=1}^{n} "
            r"\frac{k_l^2 - 1}{12}\, (d_l\, j_{l-1})^2",
            _moments_add,
            how="against the convolved kernels of random layers",
        ),
        Symbolic(
            r"In units of $\sigma$ all but the square vanishes as $n$ grows: the field is a Gaussian (the central "
            r"limit theorem). The excess kurtosis, 24 times the last coefficient, is $-\tfrac{3}{2n}$ for $k = 3$.",
            scaled,
            -(omega**2) / 2 - (k**2 + 1) / (20 * (k**2 - 1) * n) * omega**4,
            latex=r"n \log \hat u\Bigl(\frac{\omega}{\sigma}\Bigr) = -\frac{\omega^2}{2} - \frac{k^2 + 1}{20\,(k^2 - "
            r"1)}\, \frac{\omega^4}{n} + O(n^{-2})",
        ),
        Numeric(
            r"Ten layers are enough for the eye.",
            r"\sigma\, (u * \cdots * u)_i \approx \frac{1}{\sqrt{2\pi}}\, e^{-(i - \mu)^2 / (2\sigma^2)}, "
            r"\qquad k \ge 2,\ n \ge 10",
            _bell,
            absolute=1e-2,
            how="within 0.01 at every pixel, for $k = 2$ and $n = 10$, the worst case, and for random $k$ and $n$",
        ),
        Symbolic(
            r"The theoretical field is $n\,(k - 1) + 1$ pixels wide and grows like $n$, the effective one like $\sqrt "
            r"n$: its share falls.",
            limit(n * (n * (k**2 - 1) / 12) / (n * (k - 1) + 1) ** 2, n, sympy.oo),
            (k + 1) / (12 * (k - 1)),
            latex=r"\frac{\sigma}{n\,(k-1) + 1} = \frac{\sqrt{n\,(k^2 - 1)/12}}{n\,(k - 1) + 1} \approx \frac{1}{\sqrt "
            r"n}\, \sqrt{\frac{k+1}{12\,(k-1)}}",
        ),
    ]


def _networks() -> list[Step]:
    block = (1 + g * exp(n * LOGARITHM)) / (1 + g)
    return [
        Numeric(
            r"With a shortcut round a convolution the gradient that passes by and the one that passes through are "
            r"uncorrelated, and their squares add up. Let $g = k w$ be the gain of the branch.",
            r"\mathbb{E} \Bigl(\frac{\partial y}{\partial x_i}\Bigr)^{\!2} = \bigl((1 + g_1 u) * \cdots * (1 + g_n "
            r"u)\bigr)_i, \qquad 1_i = \delta_{i0}",
            _shortcuts,
            how=f"by averaging over all signs of the weights of {FEW} layers",
        ),
        Symbolic(
            r"Each block is thus taken with probability $g/(1 + g)$, and passed by at no variance, as the mean is 0. "
            r"$L$ blocks of $n$ convolutions have this fraction of the plain stack's variance: half of it for $g = 1$, "
            r"and the less the weaker the branches are.",
            -log(block).diff(omega, 2).subs(omega, 0),
            g / (1 + g) * n * (k**2 - 1) / 12,
            latex=r"\sigma^2 = -L\, \frac{d^2}{d\omega^2} \log \frac{1 + g\, \hat u(\omega)^n}{1 + g}\Big|_{\omega = "
            r"0} = \frac{g}{1 + g}\, L\, n\, \frac{k^2 - 1}{12}",
        ),
        Numeric(
            r"In images the uniform kernel is a product over the two axes, so each has its own variance. Random linear "
            r"networks with $k = (3, 3, 3, 5)$, $s = (1, 2, 1, 1)$ and $d = (1, 1, 2, 1)$, hence $(j_0, \dots, j_3) "
            r"= (1, 1, 2, 2)$, have it.",
            r"\sigma_x^2 \approx \sigma_y^2 \approx \sum_l \frac{k_l^2 - 1}{12}\, (d_l\, j_{l-1})^2 = \tfrac23 \cdot "
            r"1^2 + \tfrac23 \cdot 1^2 + \tfrac23 \cdot 4^2 + 2 \cdot 2^2 = 20",
            _in_two_dimensions,
            tolerance=0.1,
            how=f"within a tenth, over {NETWORKS} networks of the library's Conv2d with {CHANNELS} channels",
        ),
    ]


def effective_field() -> Derivation:
    """The effective receptive field's variance; Luo et al. 2016, section 2."""
    return Derivation(
        name="effective_field",
        title="The variance of the effective receptive field",
        claim=(
            r"Through random convolutions the mean squared gradient of one output is spread over the input as the "
            r"convolution of uniform kernels: close to a Gaussian of variance $\sum_l (k_l^2 - 1)(d_l\, j_{l-1})^2/12$ "
            r"along each axis, where $j_{l-1}$ is the product of the strides before layer $l$. Its width grows like "
            r"$\sqrt n$, and the theoretical field's like $n$."
        ),
        steps=[*_squares(), *_transform(), *_networks()],
        cites=("luo2016",),
    )
