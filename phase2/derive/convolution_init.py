"""He et al.'s initial variances for convolutions: forwards, backwards, at strides, and at the edges of images."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import sympy
import torch
import torch.nn.functional as F
from sympy import oo, pi
from torch import Tensor

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.weight_variance import DENSITY, q, w, z
from phase2.nn.init import kaiming_normal_, xavier_normal_

K, CHANNELS, FILTERS, SIZE = 2, 2, 2, 6
DEPTH, WIDTH = 30, 64  # of the stack that is measured
KEPT = {8: 0.921, 32: 0.994}  # of the variance, by a layer of 3 × 3 on a map of that size

n, n_hat, L, k = sympy.symbols(r"n \hat{n} L k", positive=True, integer=True)


def _every_sign(std: float, *shape: int) -> Tensor:
    """All weights (2^size, *shape) with entries ±std: their mean is an exact expectation over independent weights."""
    return torch.tensor([*product((-std, std), repeat=int(np.prod(shape)))], dtype=torch.float64).view(-1, *shape)


class _Forward:
    """Positive images x (1, channels, size, size), and the outputs y (every filter, size', size') of every filter."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.std = rng.uniform(0.5, 2.0)
        self.x = torch.from_numpy(rng.normal(size=(1, CHANNELS, SIZE, SIZE))).abs()
        self.y = F.conv2d(self.x, _every_sign(self.std, CHANNELS, K, K))[0]
        self.mean_square = F.avg_pool2d(self.x**2, K, 1).mean(1)[0]  # of each window


class _Backward:
    """The errors of x (every kernel, size, size) by automatic differentiation, for every kernel of one channel.

    `delta` (filters, size / stride, size / stride) is the error of the output; the image is a torus, without edges.
    """

    def __init__(self, rng: np.random.Generator, stride: int = 1) -> None:
        self.std, outputs = rng.uniform(0.5, 2.0), SIZE // stride
        kernels = _every_sign(self.std, FILTERS, K, K)
        self.delta = torch.from_numpy(rng.normal(size=(FILTERS, outputs, outputs)))
        x = torch.zeros(1, len(kernels), SIZE, SIZE, dtype=torch.float64, requires_grad=True)
        padded = F.pad(x, (0, K - 1, 0, K - 1), mode="circular")
        y = F.conv2d(padded, kernels.flatten(0, 1)[:, None], stride=stride, groups=len(kernels))
        error = self.delta.repeat(len(kernels), 1, 1)[None]
        self.errors = torch.autograd.grad(y, x, error)[0][0]


def _forward(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Forward(rng)
    return layer.y.square().mean(0), K**2 * CHANNELS * layer.std**2 * layer.mean_square


def _half(rng: np.random.Generator) -> tuple[Any, Any]:
    y = _Forward(rng).y
    return y.relu().square().mean(0), y.square().mean(0) / 2


def _backward(rng: np.random.Generator) -> tuple[Any, Any]:
    layer = _Backward(rng)
    met = F.avg_pool2d(F.pad(layer.delta[None] ** 2, (K - 1, 0, K - 1, 0), mode="circular"), K, 1).mean(1)[0]
    return layer.errors.square().mean(0), K**2 * FILTERS * layer.std**2 * met


def _slope(rng: np.random.Generator) -> tuple[Any, Any]:
    y = _Forward(rng).y
    error = torch.from_numpy(rng.normal(size=y.shape[1:]))
    return ((y > 0) * error).square().mean(0), error**2 / 2


def _strided(rng: np.random.Generator) -> tuple[Any, Any]:
    stride = int(rng.integers(1, 4))
    layer = _Backward(rng, stride)
    return layer.errors.square().mean(), K**2 * FILTERS / stride**2 * layer.std**2 * layer.delta.square().mean()


def _telescope(rng: np.random.Generator) -> tuple[Any, Any]:
    """Both products over layers 2 to L of random kernel sizes and widths, in either direction with the other's rule."""
    depth = int(rng.integers(3, 9))
    d, k = rng.integers(1, 64, size=depth), rng.integers(1, 8, size=depth - 1)
    fan_in, fan_out = k**2 * d[:-1], k**2 * d[1:]
    factors = [fan_in / 2 * 2 / fan_out, fan_out / 2 * 2 / fan_in]
    return np.prod(factors, 1), [d[0] / d[-1], d[-1] / d[0]]


def _growth(rng: np.random.Generator, init: Callable[..., Tensor]) -> list[float]:
    """By what factor a layer multiplies the mean square of the signal, and of the error, in a deep stack with ReLU."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    first = torch.from_numpy(rng.normal(size=(1, WIDTH, 4, 4))).requires_grad_()
    y = first
    for _ in range(DEPTH):
        weight = init(torch.empty(WIDTH, WIDTH, 3, 3, dtype=torch.float64), generator=generator)
        y = F.conv2d(F.pad(y.relu(), (1,) * 4, mode="circular"), weight)
    error = torch.from_numpy(rng.normal(size=y.shape))
    (reached,) = torch.autograd.grad(y, first, error)
    ratios = y.square().mean() / first.square().mean(), reached.square().mean() / error.square().mean()
    return [float(ratio.detach()) ** (1 / DEPTH) for ratio in ratios]


def _measured(rng: np.random.Generator) -> tuple[Any, Any]:
    inits = xavier_normal_, partial(kaiming_normal_, nonlinearity="relu")
    return [_growth(rng, init) for init in inits], [[0.5, 0.5], [1.0, 1.0]]


def _zeros_at_edges(rng: np.random.Generator) -> tuple[Any, Any]:
    """For images of ±1 the outputs' mean variance as a share of the middle's, and the share of taps inside."""
    size, std, k = int(rng.integers(3, 8)), rng.uniform(0.5, 2.0), int(rng.choice((1, 3, 5, 7)))
    x = torch.from_numpy(rng.choice((-1.0, 1.0), size=(1, 1, size, size)))
    y = F.conv2d(x, _every_sign(std, 1, 3, 3), padding=1)
    inside = F.avg_pool2d(x**2, k, 1, padding=k // 2).mean()
    return [y.square().mean() / (9 * std**2), inside], [(1 - (k**2 - 1) / (4 * k * size)) ** 2 for k in (3, k)]


def _per_layer(rng: np.random.Generator) -> tuple[Any, Any]:
    """What a layer of 3 × 3 keeps of the mean variance, after many with zeros outside, and by the formula."""
    kept = []
    for size in KEPT:
        share = torch.ones(1, 1, size, size, dtype=torch.float64)
        for _ in range(300):
            share = F.avg_pool2d(share / share.mean(), 3, 1, padding=1)
        kept.append(float(share.mean()))
    return kept + [((1 + 2 * np.cos(np.pi / (size + 1))) / 3) ** 2 for size in KEPT], [*KEPT.values()] * 2


def _one_way() -> list[Step]:
    return [
        Remark(
            r"Layer $l$ has $d_l$ filters of $k_l \times k_l$ on the $c_l = d_{l-1}$ channels before, and $x_l = "
            r"\operatorname{relu}(y_{l-1})$. An output $y_l$ is the sum of $n_l = k_l^2 c_l$ products (the fan-in), "
            r"whose weights are independent, symmetric about 0 and of variance $w_l$. Biases start at 0."
        ),
        Numeric(
            r"Products of two different weights average to 0. What counts is the mean square of the inputs in the "
            r"window, not their variance: behind a ReLU their mean is not 0.",
            r"\operatorname{Var} y_l = n_l\, w_l\; \mathbb{E}\,x_l^2, \qquad n_l = k_l^2\, c_l",
            _forward,
            how="by averaging over every filter of signs",
        ),
        Numeric(
            r"With the weights' signs turned $y$ becomes $-y$, so $y_{l-1}$ is symmetric about 0, and ReLU passes "
            r"the square of one of the two. The shape of the distribution does not matter.",
            r"\mathbb{E}\,x_l^2 = \mathbb{E}\operatorname{relu}(y_{l-1})^2 = \tfrac12 \operatorname{Var} y_{l-1}",
            _half,
            how="by averaging over every filter of signs",
        ),
        Symbolic(
            r"Who takes the variance for the mean square loses the square of the mean. For a normal $y$ of variance "
            r"$q$ that is nearly a third of what ReLU passes.",
            sympy.Integral(z**2 * DENSITY, (z, 0, oo)) - sympy.Integral(z * DENSITY, (z, 0, oo)) ** 2,
            q / 2 - q / (2 * pi),
            latex=r"\operatorname{Var} \operatorname{relu}(y) = \mathbb{E}\operatorname{relu}(y)^2 - \bigl(\mathbb{E}"
            r"\operatorname{relu}(y)\bigr)^2 = \frac{q}{2} - \frac{q}{2\pi}",
        ),
        Symbolic(
            r"So each layer but the first multiplies it by $\tfrac12 n_l w_l$, which the first condition makes 1.",
            sympy.solve(n * w * q / 2 - q, w)[0],
            2 / n,
            names={"w_l": 2 / n, "n_l": n, "k_l": k, "c_l": n / k**2},
            latex=r"\operatorname{Var} y_L = \operatorname{Var} y_1 \prod_{l=2}^{L} \tfrac12 n_l w_l, \qquad "
            r"\tfrac12 n_l w_l = 1 \quad\Longleftrightarrow\quad w_l = \frac{2}{n_l} = \frac{2}{k_l^2\, c_l}",
        ),
    ]


def _other_way() -> list[Step]:
    return [
        Numeric(
            r"On the way back an input gathers the errors of the outputs whose windows it is in: at stride 1 each of "
            r"its $k^2$ neighbours in each of the $d$ images, every one times another weight. The number of "
            r"products is the fan-out $\hat n$.",
            r"\operatorname{Var} \Delta x_l = \hat n_l\, w_l\; \mathbb{E}\,(\Delta y_l)^2, \qquad "
            r"\hat n_l = k_l^2\, d_l",
            _backward,
            how="by averaging over every kernel of signs, by automatic differentiation",
        ),
        Numeric(
            r"ReLU's slope is 1 for half of the signs and 0 for the others. Taking the error $\Delta x_{l+1}$ as "
            r"independent of it, half of its square is passed here as well.",
            r"\mathbb{E}\,(\Delta y_l)^2 = \mathbb{E}\operatorname{relu}'(y_l)^2\, (\Delta x_{l+1})^2 "
            r"= \tfrac12 \operatorname{Var} \Delta x_{l+1}",
            _slope,
            how="by averaging over every filter of signs",
        ),
        Symbolic(
            r"This makes $\tfrac12 \hat n_l w_l$ a layer, and the second condition.",
            sympy.solve(n_hat * w * q / 2 - q, w)[0],
            2 / n_hat,
            latex=r"\operatorname{Var} \Delta x_2 = \operatorname{Var} \Delta x_{L+1} \prod_{l=2}^{L} \tfrac12 "
            r"\hat n_l w_l, \qquad w_l = \frac{2}{\hat n_l} = \frac{2}{k_l^2\, d_l}",
        ),
        Numeric(
            r"Either condition serves both ways. Kernel sizes cancel in the ratio of the fans, and as $c_l = d_{l-1}$ "
            r"the product of the ratios telescopes: the depth does not appear in it.",
            r"w_l = \frac{2}{\hat n_l}: \quad \prod_{l=2}^{L} \tfrac12 n_l w_l = \prod_{l=2}^{L} \frac{c_l}{d_l} "
            r"= \frac{c_2}{d_L}, \qquad w_l = \frac{2}{n_l}: \quad \prod_{l=2}^{L} \tfrac12 \hat n_l w_l "
            r"= \frac{d_L}{c_2}",
            _telescope,
            how="on random widths and kernel sizes",
        ),
        Numeric(
            r"With a stride $s$ an input is in fewer windows, on average $k^2/s^2$. This the paper leaves out; it "
            r"divides the gradient's variance by $s^2$ where an image is made smaller.",
            r"\overline{\operatorname{Var} \Delta x_l} = \frac{k_l^2\, d_l}{s_l^2}\; w_l\; "
            r"\overline{\mathbb{E}\,(\Delta y_l)^2}",
            _strided,
            how="by averaging over every kernel of signs, by automatic differentiation",
        ),
    ]


def _xavier() -> list[Step]:
    compromise = 2 / (n + n_hat)
    return [
        Symbolic(
            r"Xavier's variance is for layers without ReLU: with it the two directions' factors make at most 1/4.",
            n * compromise / 2 * n_hat * compromise / 2,
            sympy.Rational(1, 4),
            relation="<=",
            at={n: 9, n_hat: 9},
            names={"w": compromise},
            latex=r"w = \frac{2}{n + \hat n}: \qquad \tfrac12 n w \cdot \tfrac12 \hat n w = \frac{n\,\hat n}{(n + "
            r"\hat n)^2} \le \frac14",
        ),
        Symbolic(
            r"Where $c_l = d_l$ the two are equal: each layer but the first halves signal's and gradient's variance.",
            sympy.Product(n * compromise.subs(n_hat, n) / 2, (sympy.Symbol("l"), 2, L)),
            sympy.Integer(2) ** (-(L - 1)),
            latex=r"\hat n = n: \qquad \prod_{l=2}^{L} \tfrac12\, n\, \frac{2}{n + n} = 2^{-(L - 1)}",
        ),
        Symbolic(
            r"Thirty halvings, those of the layers 2 to 31, leave less than a billionth of either.",
            sympy.Integer(2) ** -30,
            sympy.Integer(10) ** -9,
            relation="<=",
            at={},
            slack=1.08,
            latex=r"2^{-30} < 10^{-9}",
        ),
        Numeric(
            r"So it is in a stack of convolutions with ReLU under the initializations that the code uses: the factors "
            r"by which a layer multiplies the mean square of the signal $y$ and of the error $\Delta y$.",
            r"\begin{array}{ccc} & \text{Xavier} & \text{Kaiming} \\ y & 0.5 & 1 \\ \Delta y & 0.5 & 1 "
            r"\end{array}",
            _measured,
            tolerance=0.15,
            how=f"within 0.15 in {DEPTH} random layers of {WIDTH} channels",
        ),
    ]


def _edges() -> list[Step]:
    return [
        Remark(
            r"All this holds inside an image. At its edge windows reach into the zeros of the padding, and fewer than "
            r"$n_l$ products are left: in a corner 4 of 9 taps."
        ),
        Numeric(
            r"For an odd $k$ with padding $(k-1)/2$ the windows along a side of $N$ pixels have $kN - (k^2 - 1)/4$ "
            r"taps inside instead of $kN$, and the square of this share is what an image keeps of the variance.",
            r"\frac{\overline{\operatorname{Var} y}}{n w\, \mathbb{E}\,x^2} = \Bigl(1 - \frac{k^2 - 1}{4kN}\Bigr)^{2}",
            _zeros_at_edges,
            how="by averaging over every filter of signs, and by counting taps",
        ),
        Numeric(
            r"The next layer starts from an image that is weaker at its edges already. For $k = 3$ the profile along "
            r"a side tends to half a sine wave, an eigenvector of the tridiagonal matrix of thirds, and a layer with "
            r"$w_l = 2/n_l$ keeps the square of the eigenvalue.",
            r"\frac{\overline{\operatorname{Var} y_l}}{\overline{\operatorname{Var} y_{l-1}}} \to "
            r"\Bigl(\frac{1 + 2\cos\frac{\pi}{N+1}}{3}\Bigr)^{2} = \begin{cases} "
            + r" \\ ".join(f"{share} & N = {size}" for size, share in KEPT.items())
            + r" \end{cases}",
            _per_layer,
            tolerance=5e-4,
            how="to the digits printed, after 300 layers",
        ),
    ]


def convolution_init() -> Derivation:
    """Initial variances of convolutions with ReLU; He et al. 2015, section 2.2, equations 7 to 14."""
    return Derivation(
        name="convolution_init",
        title="He's initialization of convolutions",
        claim=(
            r"Behind ReLU, with $d$ filters of $k \times k$ on $c$ channels, weights of variance $2/(k^2 c)$ keep the "
            r"signal's variance at any depth, those of $2/(k^2 d)$ the gradient's, each the other's up to a factor "
            r"without the depth. Where $c = d$ Xavier's halves both at every such layer: thirty leave $2^{-30}$."
        ),
        steps=[*_one_way(), *_other_way(), *_xavier(), *_edges()],
        cites=("he2015", "glorot2010"),
    )
