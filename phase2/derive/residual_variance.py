"""Variance through residual blocks: it doubles with Kaiming's weights; normalized or scaled branches hold it."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import sympy
import torch
from sympy import Product, exp, gamma, integrate, limit, oo, pi, rsolve, sqrt
from torch import Tensor
from torch.autograd.functional import jacobian, jvp

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.residual_network import ZeroLast
from phase2.nn.normalization.batch import BatchNorm1d

SMALL = 2  # units of the blocks whose every sign is enumerated
WIDTH, BLOCKS, BATCH = 256, 12, 128  # of the random networks that are measured

l, L, m = sympy.symbols("l L m", positive=True, integer=True)
c, g = sympy.symbols("c g", positive=True)
z = sympy.symbols("z", real=True)
NORMAL = exp(-(z**2) / 2) / sqrt(2 * pi)
variance = sympy.Function("q")

Branch = Callable[[Tensor], Tensor]


def _every_sign(weight_variance: float) -> np.ndarray:
    """All matrices (SMALL, SMALL) of entries ±std: their mean is an exact expectation over independent weights."""
    std = weight_variance**0.5
    return np.reshape(list(product((-std, std), repeat=SMALL**2)), (-1, SMALL, SMALL))


def _branches(x: np.ndarray, first: float, second: float) -> np.ndarray:
    """W2 relu(W1 x) for all matrices of signs of these variances: (choices of W1, choices of W2, SMALL)."""
    return np.einsum("bij,aj->abi", _every_sign(second), np.maximum(_every_sign(first) @ x, 0))


def _adds(rng: np.random.Generator) -> tuple[Any, Any]:
    x = rng.normal(size=SMALL)
    F = _branches(x, *rng.uniform(0.5, 2.0, size=2))
    return ((x + F) ** 2).mean((0, 1)), x**2 + (F**2).mean((0, 1))


def _branch(rng: np.random.Generator) -> Names:
    x, first, second = rng.normal(size=SMALL), *rng.uniform(0.2, 2.0, size=2)
    measured = (_branches(x, first, second) ** 2).mean()
    names = (r"\mathbb{E}[F(x)^2]", "n", "w_1", "w_2", r"\mathbb{E}[x^2]")
    return dict(zip(names, (measured, SMALL, first, second, (x**2).mean()), strict=True))


class _Blocks:
    """Random blocks x + scale W2 relu(W1 x) on a batch (BATCH, WIDTH), with or without BatchNorm after W1 and W2."""

    def __init__(self, rng: np.random.Generator, scale: float = 1.0, normalized: bool = False) -> None:
        self.scale, self.W1 = scale, torch.from_numpy(rng.normal(size=(BLOCKS, WIDTH, WIDTH)) * (2 / WIDTH) ** 0.5)
        self.W2 = torch.from_numpy(rng.normal(size=(BLOCKS, WIDTH, WIDTH)) * (1 / WIDTH) ** 0.5)
        self.norm = BatchNorm1d(WIDTH, affine=False, track_running_stats=False) if normalized else torch.nn.Identity()
        self.x, self.g = torch.from_numpy(rng.normal(size=(2, BATCH, WIDTH)))

    def states(self, x: Tensor) -> list[Tensor]:
        """x_0 to x_L, each (BATCH, WIDTH)."""
        states = [x]
        for W1, W2 in zip(self.W1, self.W2, strict=True):
            hidden = torch.relu(self.norm(states[-1] @ W1.T))
            states.append(states[-1] + self.scale * self.norm(hidden @ W2.T))
        return states

    def variances(self) -> Tensor:
        """q_0 to q_L, over batch and units."""
        return torch.stack([state.square().mean() for state in self.states(self.x)])

    def gradient_growth(self) -> Tensor:
        """The squared gradient of g · x_L by x_0, by automatic differentiation, as a multiple of that by x_L."""
        gradient = jacobian(lambda x: (self.g * self.states(x)[-1]).sum(), self.x)
        return gradient.square().sum() / self.g.square().sum()


def _doubles(rng: np.random.Generator) -> tuple[Any, Any]:
    """Doublings a block, of the variance on the way up and of the squared gradient on the way down."""
    blocks = _Blocks(rng)
    q = blocks.variances()
    return torch.stack([q[-1] / q[0], blocks.gradient_growth()]).log2() / BLOCKS, [1.0, 1.0]


def _linear_growth(rng: np.random.Generator) -> tuple[Any, Any]:
    return _Blocks(rng, normalized=True).variances() / torch.arange(1, BLOCKS + 2), np.ones(BLOCKS + 1)


def _power_law(rng: np.random.Generator) -> tuple[Any, Any]:
    gain = np.pi / (np.pi - 1) / np.arange(1, BLOCKS + 1)
    return _Blocks(rng, normalized=True).gradient_growth() / float(np.prod(1 + gain)), 1.0


def _scaled(rng: np.random.Generator) -> tuple[Any, Any]:
    blocks = _Blocks(rng, scale=BLOCKS**-0.5)
    q = blocks.variances()
    return torch.stack([q[-1] / q[0], blocks.gradient_growth()]) / (1 + 1 / BLOCKS) ** BLOCKS, [1.0, 1.0]


def _starts_as_identity(rng: np.random.Generator) -> tuple[Any, Any]:
    net = ZeroLast(rng)
    at_input, first, last = net.gradients
    outer = torch.einsum("i,lj->lij", net.g, net.hidden)
    left = [net(net.x, net.W1, net.W2), at_input, first.flatten(), last.flatten()]
    return torch.cat(left), torch.cat([net.x, net.g, torch.zeros(first.numel()), outer.flatten()])


def _first_step(rng: np.random.Generator) -> tuple[Any, Any]:
    """How the output starts to move along the negative gradient of all weights."""
    net = ZeroLast(rng)
    _, first, last = net.gradients
    _, speed = jvp(lambda *weights: net(net.x, *weights), (net.W1, net.W2), (-first, -last))
    return speed, -net.hidden.square().sum() * net.g


def _growth() -> list[Step]:
    return [
        Remark(
            r"Let $x_{l+1} = x_l + F_l(x_l)$ with $F(x) = W_2 \operatorname{relu}(W_1 x)$, of $n$ units, with "
            r"independent weights that are symmetric about 0, and let $q_l$ be the mean square $\mathbb{E}[x_l^2]$, "
            r"where $q_0 = 1$."
        ),
        Remark(
            r"Nothing follows the addition, as in \texttt{models.preact\_resnet} between two changes of shape, of "
            r"which the sum is exact. In \texttt{models.residual} and the ResNets made of it a ReLU follows: the sum "
            r"holds up to that ReLU, which passes a part of it on, and on the way back the gradient of the active "
            r"units only: a block's Jacobian is $D\,(I + J)$ with a diagonal $D$ of zeros and ones."
        ),
        Numeric(
            r"Given $x_l$, the last weights make $F$ and $-F$ equally likely, so that $\mathbb{E}[x_l F] = 0$: "
            r"mean squares add up, whatever the branch is like inside.",
            r"\mathbb{E}[x_{l+1}^2] = \mathbb{E}[x_l^2] + \mathbb{E}[F_l(x_l)^2]",
            _adds,
            how="by averaging over every matrix of signs",
        ),
        Numeric(
            r"With variances $w_1$ and $w_2$ of the weights the branch multiplies the mean square by $g = n^2 w_1 "
            r"w_2/2$. Kaiming's $w_1 = 2/n$ makes up for the half that the ReLU takes away, and $W_2$, which no ReLU "
            r"follows, keeps what it gets with $w_2 = 1/n$: then $g = 1$. With $2/n$ for both $g = 2$. (A "
            r"pre-activation branch has a ReLU before each of the two; there $2/n$ for both is $g = 1$.)",
            r"\mathbb{E}[F(x)^2] = n w_2 \cdot \tfrac12 \cdot n w_1 \cdot \mathbb{E}[x^2]",
            _branch,
            how="by averaging over every matrix of signs",
        ),
        Symbolic(
            r"What is right for a plain chain is wrong here: with $g = 1$ each block doubles the mean square, and with "
            r"$g = 2$ it triples it.",
            rsolve(variance(l + 1) - (1 + g) * variance(l), variance(l), {variance(0): 1}),
            (1 + g) ** l,
            names={"q_l": (1 + g) ** l, "q_{l+1}": (1 + g) ** (l + 1)},
            latex=r"q_{l+1} = q_l + g\, q_l = (1 + g)\, q_l \quad\Longrightarrow\quad q_l = (1 + g)^l",
        ),
        Numeric(
            r"With $w_1 = 2/n$ and $w_2 = 1/n$ the squared gradient $\lVert g_l \rVert^2$ doubles in the same way, as "
            r"every branch's Jacobian has the mean square gain 1. Thirty blocks would multiply both by $10^9$.",
            r"\frac1L \log_2 \frac{q_L}{q_0} \approx 1, \qquad \frac1L \log_2 \frac{\lVert g_0 \rVert^2}{\lVert g_L "
            r"\rVert^2} \approx 1",
            _doubles,
            tolerance=0.15,
            how=f"within 0.15 in {BLOCKS} random blocks of {WIDTH} units",
        ),
    ]


def _normalized() -> list[Step]:
    passed = [integrate(z**power * NORMAL, (z, 0, oo)) for power in range(3)]
    return [
        Symbolic(
            r"First remedy: BatchNorm behind both weights. It gives the branch the variance 1, whatever its input's, "
            r"and the sum grows by a constant.",
            rsolve(variance(l + 1) - variance(l) - 1, variance(l), {variance(0): 1}),
            l + 1,
            latex=r"q_{l+1} = q_l + 1 \quad\Longrightarrow\quad q_l = l + 1",
        ),
        Numeric(
            r"Random blocks do so.",
            r"\frac{q_l}{l + 1} \approx 1, \qquad l = 0, \dots, L",
            _linear_growth,
            tolerance=0.1,
            how=f"within 0.1 with the library's BatchNorm1d, over {BLOCKS} blocks",
        ),
        Remark(
            r"The response of block $l$ is therefore the part $1/\sqrt{l + 1}$ of the sum to which it is added: the "
            r"deeper a block, the less it changes. In trained networks He et al. measured that responses are smaller "
            r"than in plain ones, and the smaller the deeper the network is; that is an observation, and does not "
            r"follow from the values at the start."
        ),
        Symbolic(
            r"The first BatchNorm divides by $\sqrt{q_l}$, and so does the branch's Jacobian. Of the hidden units the "
            r"gradient passes through half, but their variance around their mean is less than a half, and the second "
            r"BatchNorm divides by that. Hence the gain $s_l^2 = c/q_l$, with $c$ above 1.",
            passed[0] / (passed[2] - passed[1] ** 2),
            pi / (pi - 1),
            latex=r"c = \frac{\mathbb{E} \operatorname{relu}'(z)^2}{\operatorname{Var} \operatorname{relu}(z)} = "
            r"\frac{\frac12}{\frac12 - \frac1{2\pi}} = \frac{\pi}{\pi - 1}, \qquad z \sim \mathcal{N}(0, 1)",
        ),
        Symbolic(
            r"The product of $1 + s_l^2$ is a power of the depth, and no longer an exponential.",
            Product(1 + c / l, (l, 1, L)),
            gamma(L + 1 + c) / (gamma(L + 1) * gamma(1 + c)),
            latex=r"\frac{\mathbb{E} \lVert g_0 \rVert^2}{\lVert g_L \rVert^2} = \prod_{l=0}^{L-1} \Bigl(1 + "
            r"\frac{c}{l+1}\Bigr) = \frac{\Gamma(L + 1 + c)}{\Gamma(L + 1)\, \Gamma(1 + c)} \sim "
            r"\frac{L^{c}}{\Gamma(1 + c)}",
        ),
        Numeric(
            r"This neglects that BatchNorm takes away the gradient's parts along the mean and along the output, two "
            r"out of as many as the batch has samples.",
            r"\frac{\lVert g_0 \rVert^2}{\lVert g_L \rVert^2} \approx \prod_{l=0}^{L-1} \Bigl(1 + \frac{c}{l+1}\Bigr)",
            _power_law,
            tolerance=0.2,
            how=f"within a fifth in {BLOCKS} random blocks, by automatic differentiation",
        ),
    ]


def _small_branches() -> list[Step]:
    return [
        Symbolic(
            r"Second remedy: a factor $L^{-1/2}$ on every branch. Then $L$ blocks of gain $1/L$ multiply mean square "
            r"and squared gradient by less than $e$.",
            (1 + 1 / L) ** L,
            exp(1),
            relation="<=",
            at={L: 1000},
            slack=1.001,
            names={"q_L": (1 + 1 / L) ** L},
            latex=r"q_L = \Bigl(1 + \frac1L\Bigr)^{\!L} \le e",
        ),
        Symbolic(
            r"No weaker power would do: for $L^{-p}$ the limit is $\exp(\lim L^{1 - 2p})$, finite for $p \ge \tfrac12$ "
            r"only. For a factor $\sqrt{c/L}$ it is $e^c$.",
            limit((1 + c / L) ** L, L, oo),
            exp(c),
            latex=r"\lim_{L \to \infty} \Bigl(1 + \frac cL\Bigr)^{\!L} = e^c",
        ),
        Numeric(
            r"The same random blocks, scaled.",
            r"\frac{q_L}{q_0} \approx \frac{\lVert g_0 \rVert^2}{\lVert g_L \rVert^2} \approx \Bigl(1 + "
            r"\frac1L\Bigr)^{\!L}",
            _scaled,
            tolerance=0.15,
            how=f"within 0.15 in {BLOCKS} random blocks of {WIDTH} units",
        ),
    ]


def _zero() -> list[Step]:
    return [
        Numeric(
            r"Third remedy: start the branch's last layer, or BatchNorm's last $\gamma$, at 0. The network is the "
            r"identity and passes the gradient $g$ as it is. (With a ReLU after each addition the blocks are "
            r"the identity too, as what they get has passed a ReLU and is not negative.) Only the last layers have one "
            r"themselves: they see the hidden units $h_l = \operatorname{relu}(W_1^l x_0)$ of $F_l(x) = W_2^l "
            r"\operatorname{relu}(W_1^l x)$.",
            r"x_L = x_0, \qquad g_0 = g, \qquad \frac{\partial \mathcal{L}}{\partial W_1^l} = 0, \qquad \frac{\partial "
            r"\mathcal{L}}{\partial W_2^l} = g\, h_l^\top",
            _starts_as_identity,
            how="by automatic differentiation of a random network",
        ),
        Numeric(
            r"The first step of gradient descent at the rate $\eta$ adds up over the blocks.",
            r"\frac{d x_L}{d\eta}\Big|_{\eta = 0} = -\sum_{l=0}^{L-1} \lVert h_l \rVert^2\, g",
            _first_step,
            how="by forward and by reverse differentiation of a random network",
        ),
        Symbolic(
            r"With $w_1 = 2/n$ $\lVert h_l \rVert^2$ has the size of $\lVert x_0 \rVert^2$, and $L$ blocks move "
            r"the output $L$ times as far as one. Fixup scales the other $m - 1$ of a branch's $m$ layers down, so "
            r"that the sum does not depend on the depth.",
            L * (L ** (-1 / (2 * m + 2 - 2))) ** (2 * m),
            sympy.Integer(1),
            latex=r"L \cdot \bigl(L^{-\frac{1}{2m-2}}\bigr)^{2\,(m-1)} = 1",
        ),
    ]


def residual_variance() -> Derivation:
    """The variance through residual blocks and three remedies; Zhang et al. 2019, section 2 and 3, De & Smith 2020."""
    return Derivation(
        name="residual_variance",
        title="Variance through residual blocks",
        claim=(
            r"If its branch keeps the mean square, a residual block doubles it, $q_L = 2^L$; with Kaiming's variance "
            r"for both weights it triples it. BatchNorm in the branch makes it grow as $L + 1$ only, a factor "
            r"$L^{-1/2}$ on branches that keep it holds it below $e$, and a last layer that starts at 0 leaves the "
            r"identity."
        ),
        steps=[*_growth(), *_normalized(), *_small_branches(), *_zero()],
        cites=("zhang2019fixup", "de2020", "he2016", "goyal2017"),
    )
