"""Why a residual's Jacobian I + J keeps gradients: bounds, the expansion over paths, and the mean over random J."""

from itertools import product
from math import comb
from typing import Any

import numpy as np
import sympy
import torch
from sympy import binomial, exp, limit
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.residual_network import BLOCKS, SIZE, Network

WIDTH, DEPTH = 256, 16  # of the wide ones, in which one draw shows the mean

L = sympy.symbols("L", positive=True, integer=True)
a, c, s = sympy.symbols("a c s", positive=True)
m = sympy.symbols("m", integer=True, nonnegative=True)


def _chain_rule(rng: np.random.Generator) -> tuple[Any, Any]:
    net = Network(rng)
    g = net.g
    for J in reversed(net.jacobians()):
        g = g + J.T @ g
    return net.gradient(), g


def _additive(rng: np.random.Generator) -> tuple[Any, Any]:
    """The product of Jacobians against the gradient by the sum of the branches."""
    net = Network(rng)
    through = torch.eye(SIZE, dtype=torch.float64)
    for J in net.jacobians():
        through = (torch.eye(SIZE, dtype=torch.float64) + J) @ through

    def branches(x: Tensor) -> Tensor:
        return torch.stack([F(x) for F, x in zip(net.branches, net.states(x), strict=False)]).sum(0)

    return through.T @ net.g, net.g + jacobian(branches, net.x).T @ net.g


def _scaled_shortcut(rng: np.random.Generator) -> tuple[Any, Any]:
    net, lamda = Network(rng), rng.uniform(0.5, 1.5)

    def branches(x: Tensor) -> Tensor:
        outputs = [F(x) for F, x in zip(net.branches, net.states(x, lamda), strict=False)]
        return torch.stack([lamda ** (BLOCKS - 1 - i) * output for i, output in enumerate(outputs)]).sum(0)

    return net.gradient(lamda), lamda**BLOCKS * net.g + jacobian(branches, net.x).T @ net.g


def _matrices(rng: np.random.Generator, norm: float) -> np.ndarray:
    """Random matrices (BLOCKS, SIZE, SIZE) of the given spectral norm."""
    J = rng.normal(size=(BLOCKS, SIZE, SIZE))
    return norm * J / np.linalg.norm(J, 2, axis=(1, 2), keepdims=True)


def _one_block(rng: np.random.Generator) -> tuple[Any, Any]:
    norm = rng.uniform(0.1, 0.9)
    return _between(norm, _matrices(rng, norm))


def _between(norm: float, J: np.ndarray) -> tuple[Any, Any]:
    values = np.linalg.svd(np.eye(SIZE) + J, compute_uv=False)
    return [1 - norm, values.max()], [values.min(), 1 + norm]


def _bounds(rng: np.random.Generator) -> tuple[Any, Any]:
    """The spectrum of a network's whole Jacobian, with and without shortcuts, between the bounds."""
    net = Network(rng, 4 * SIZE)
    net.s *= 0.2  # norms below 1
    residual, plain = net.singular_values(), net.singular_values(0.0)
    norm = max(float(torch.linalg.matrix_norm(J, 2)) for skip in (1.0, 0.0) for J in net.jacobians(skip))
    return [(1 - norm) ** BLOCKS, residual[0], plain[0]], [residual[-1], (1 + norm) ** BLOCKS, norm**BLOCKS]


def _multiples(rng: np.random.Generator) -> tuple[Any, Any]:
    """Branches ±a x, whose Jacobians have a for every singular value; those with a stand for a plain chain too."""
    net, a, ends = Network(rng), 0.3, []
    for sign in (-a, a):
        net.branches = [lambda x, sign=sign: sign * x] * BLOCKS  # type: ignore[misc]
        ends.append(net.singular_values()[0])
    return [(1 - a) ** BLOCKS, ends[1], net.singular_values(0.0)[0]], [ends[0], (1 + a) ** BLOCKS, a**BLOCKS]


def _paths(rng: np.random.Generator) -> tuple[Any, Any]:
    """The product of I + J against the sum over every subset of the blocks."""
    J = _matrices(rng, 0.8)
    total = np.zeros((SIZE, SIZE))
    for through in product((False, True), repeat=BLOCKS):
        path = np.eye(SIZE)
        for matrix in J[list(through)]:
            path = path @ matrix
        total += path
    return np.linalg.multi_dot(np.eye(SIZE) + J), total


def _by_length(rng: np.random.Generator) -> tuple[Any, Any]:
    """Mean squares over every choice of 3 matrices of signs: of the paths of each length, and of the whole gradient."""
    size, blocks, s, g = 2, 3, rng.uniform(0.3, 1.5), rng.normal(size=2)
    every = np.reshape(list(product((-s, s), repeat=size**2)), (-1, size, size)) / np.sqrt(size)  # variance s²/n
    paths = np.zeros((blocks + 1, *(len(every),) * blocks, size))  # by length, and by the choice of each matrix
    paths[0] = g
    for block in range(blocks):
        J = np.expand_dims(every, [axis for axis in range(blocks) if axis != block])
        paths[1:] += np.einsum("...ij,m...i->m...j", J, paths[:-1])
    means = [(part**2).sum(-1).mean() for part in (*paths, paths.sum(0))]
    lengths = [comb(blocks, length) * s ** (2 * length) for length in range(blocks + 1)]
    return means, np.array([*lengths, (1 + s**2) ** blocks]) * (g @ g)


def _growth(rng: np.random.Generator) -> tuple[Any, Any]:
    """How fast log |g|² changes by block, through random matrices with and without shortcuts."""
    s = rng.uniform(0.5, 1.0)
    residual = plain = start = rng.normal(size=WIDTH)
    for J in rng.normal(scale=s / np.sqrt(WIDTH), size=(DEPTH, WIDTH, WIDTH)):
        residual, plain = residual + J.T @ residual, J.T @ plain
    rates = [np.log((g @ g) / (start @ start)) / DEPTH for g in (residual, plain)]
    return rates, [np.log(1 + s**2), np.log(s**2)]


def _networks(rng: np.random.Generator) -> tuple[Any, Any]:
    """The same by automatic differentiation of a residual and a plain network of one set of weights."""
    net = Network(rng, WIDTH, DEPTH)
    squares = [net.gradient(shortcut).square().sum() / net.g.square().sum() for shortcut in (1.0, 0.0)]
    return torch.stack(squares).log() / DEPTH, [np.log(1 + net.s**2), np.log(net.s**2)]


def _identity() -> list[Step]:
    return [
        Remark(
            r"Let $x_{l+1} = x_l + F_l(x_l)$ for $l = 0, \dots, L-1$, with nothing after the addition, as in "
            r"\texttt{models.preact\_resnet}, whose activations come first, between two changes of shape. In "
            r"\texttt{models.residual} and the ResNets made of it a ReLU follows the addition: all this holds up to "
            r"that ReLU, and a whole block has the Jacobian $D\,(I + J_l)$, where the diagonal $D$ of zeros and ones "
            r"passes the active units only. Let $J_l = \partial F_l/\partial x_l$, and let $g_l = (\partial "
            r"\mathcal{L}/\partial x_l)^\top$ be the gradient of a loss $\mathcal{L}$. A plain chain is $x_{l+1} = "
            r"F_l(x_l)$."
        ),
        Numeric(
            r"By the chain rule every block multiplies the gradient by $I + J_l^\top$, where a plain layer multiplies "
            r"it by $J_l^\top$.",
            r"g_0 = (I + J_0)^\top (I + J_1)^\top \cdots (I + J_{L-1})^\top g_L",
            _chain_rule,
            how="by automatic differentiation of a random network",
        ),
        Numeric(
            r"The same as a sum: the recursion gives $x_L = x_l + \sum_{i=l}^{L-1} F_i(x_i)$, so that the gradient at "
            r"the top reaches every depth as it is, beside what comes through the weights. It vanishes only where the "
            r"second term is exactly $-g_L$.",
            r"g_l = g_L + \Bigl(\frac{\partial}{\partial x_l} \sum_{i=l}^{L-1} F_i(x_i)\Bigr)^{\!\top} g_L",
            _additive,
            how="against the product of Jacobians, for $l = 0$",
        ),
        Numeric(
            r"The shortcut has to be the identity. With $x_{l+1} = \lambda x_l + F_l(x_l)$ the direct term is "
            r"multiplied by $\lambda$ in every block, and vanishes or explodes like a plain chain's.",
            r"g_0 = \lambda^L g_L + \Bigl(\frac{\partial}{\partial x_0} \sum_{i=0}^{L-1} \lambda^{L-1-i}\, "
            r"F_i(x_i)\Bigr)^{\!\top} g_L",
            _scaled_shortcut,
            how="by automatic differentiation of a random network",
        ),
    ]


def _worst_case() -> list[Step]:
    return [
        Numeric(
            r"By the triangle inequality $\lVert v + Jv \rVert$ differs from $\lVert v \rVert$ by at most $a \lVert v "
            r"\rVert$, where $a = \lVert J \rVert$ is the largest singular value. For $a < 1$ no block can lose a "
            r"direction.",
            r"1 - a \;\le\; \sigma_i(I + J) \;\le\; 1 + a",
            _one_block,
            relation="<=",
            at=lambda rng: _between(0.5, 0.5 * np.stack([np.eye(SIZE), -np.eye(SIZE)])),
            how="on random matrices",
        ),
        Numeric(
            r"Over $L$ blocks with $\lVert J_l \rVert \le a < 1$ the bounds multiply. A plain chain has no bound from "
            r"below but 0.",
            r"(1 - a)^L \le \sigma_i\Bigl(\prod_l (I + J_l)\Bigr) \le (1 + a)^L, \qquad "
            r"\sigma_i\Bigl(\prod_l J_l\Bigr) \le a^L",
            _bounds,
            relation="<=",
            at=_multiples,
            how="by automatic differentiation of random networks from end to end",
        ),
        Symbolic(
            r"For fixed $a$ these bounds are exponential as well, and the lower one is pessimistic. But branches can "
            r"be small: if they are of the order $c/L$, gradients stay within a factor of about $e^c$ at any depth, "
            r"while a plain chain's vanish the faster.",
            limit((1 - c / L) ** L, L, sympy.oo)
            + limit((1 + c / L) ** L, L, sympy.oo)
            + limit((c / L) ** L, L, sympy.oo),
            exp(-c) + exp(c),
            latex=r"\Bigl(1 - \frac cL\Bigr)^{\!L} \to e^{-c}, \qquad \Bigl(1 + \frac cL\Bigr)^{\!L} \to e^{c}, \qquad "
            r"\Bigl(\frac cL\Bigr)^{\!L} \to 0 \qquad (L \to \infty)",
        ),
    ]


def _mean() -> list[Step]:
    total = (1 + s**2) ** L
    return [
        Numeric(
            r"Multiplied out, the product is a sum over all $2^L$ subsets of the blocks: each is a path that runs "
            r"through the branches of its subset and past the others. All paths but one are products of $J$s, as in "
            r"plain chains of every length from 1 to $L$.",
            r"\prod_{l} (I + J_l) = \sum_{S \subseteq \{0, \dots, L-1\}}\; \prod_{l \in S} J_l",
            _paths,
            how=f"over all {2**BLOCKS} subsets of {BLOCKS} random matrices",
        ),
        Numeric(
            r"Let the $J_l$ be $n \times n$, with independent entries of mean 0 and variance $s^2/n$. Then "
            r"$\mathbb{E} \lVert J_l^\top v \rVert^2 = s^2 \lVert v \rVert^2$, and two different paths are "
            r"uncorrelated, since one has a $J_l$ that the other lacks. Squares add up: the $\binom Lm$ paths of "
            r"length $m$ bring $g^{(m)}$ with",
            r"\mathbb{E} \lVert g^{(m)} \rVert^2 = \binom{L}{m}\, s^{2m}\, \lVert g_L \rVert^2, \qquad "
            r"\mathbb{E} \lVert g_0 \rVert^2 = \sum_{m=0}^{L} \mathbb{E} \lVert g^{(m)} \rVert^2",
            _by_length,
            how="by averaging over every choice of three matrices of signs",
        ),
        Symbolic(
            r"In the mean square a residual network's gradient never falls on its way down, however small the "
            r"weights; a plain chain has the longest path only.",
            sympy.Sum(binomial(L, m) * s ** (2 * m), (m, 0, L)),
            total,
            latex=r"\mathbb{E} \lVert g_0 \rVert^2 = (1 + s^2)^L\, \lVert g_L \rVert^2 \qquad \text{against} \qquad "
            r"s^{2L}\, \lVert g_L \rVert^2",
        ),
        Symbolic(
            r"The lengths' shares are a binomial distribution, in which every branch is taken with probability "
            r"$s^2/(1 + s^2)$; their mean follows by differentiating the sum by $s^2$. Most of the gradient comes "
            r"through paths of about this length, and where branches are weak these are short, as Veit et al. "
            r"measured.",
            s / 2 * total.diff(s) / total,
            L * s**2 / (1 + s**2),
            latex=r"\sum_{m=0}^{L} m \binom{L}{m} \frac{s^{2m}}{(1 + s^2)^L} = s^2\, \frac{\partial}{\partial s^2} "
            r"\log\, (1 + s^2)^L = \frac{s^2}{1 + s^2}\, L",
        ),
    ]


def _measured() -> list[Step]:
    return [
        Numeric(
            r"One draw of wide matrices does what the mean says, block after block.",
            r"\frac1L \log \frac{\lVert g_0 \rVert^2}{\lVert g_L \rVert^2} \approx \log\,(1 + s^2) \quad "
            r"\text{(residual)}, \qquad \log s^2 \quad \text{(plain)}",
            _growth,
            absolute=0.05,
            how=f"within 0.05, through {DEPTH} random matrices of {WIDTH} rows",
        ),
        Numeric(
            r"So do networks. Take $F_l(x) = s\, V_l \operatorname{relu}(\sqrt2\, U_l\, x)$ with weights of variance "
            r"$1/n$: half of the units pass, and $\sqrt2$ makes up for it.",
            r"\frac1L \log \frac{\lVert \partial \mathcal{L}/\partial x_0 \rVert^2}{\lVert \partial \mathcal{L}/"
            r"\partial x_L \rVert^2} \approx \log\,(1 + s^2) \quad \text{(residual)}, \qquad \log s^2 \quad "
            r"\text{(plain)}",
            _networks,
            tolerance=0.1,
            how=f"within 0.1, by automatic differentiation of {DEPTH} blocks of {WIDTH} units",
        ),
    ]


def residual_gradients() -> Derivation:
    """The gradient through residual blocks; He et al. 2016b, equations 4 to 8, and Veit et al. 2016, section 3."""
    return Derivation(
        name="residual_gradients",
        title="Why residual connections keep gradients",
        claim=(
            r"With nothing after the addition a residual block's Jacobian is $I + J$, so the gradient at the top "
            r"reaches every block unchanged beside the $2^L - 1$ paths through branches. For random branches of mean "
            r"square gain $s^2$ its mean square grows as $(1 + s^2)^L$, where a plain chain's goes as $s^{2L}$."
        ),
        steps=[*_identity(), *_worst_case(), *_mean(), *_measured()],
        cites=("he2016", "he2016b", "veit2016"),
    )
