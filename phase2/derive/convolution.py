"""Convolution as a linear map: its matrix, its adjoint, its gradients, and the one product of matrices that is run."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.functional import jacobian

from phase2.derive.derivation import Derivation, Numeric, Remark, Step
from phase2.derive.random_convolution import CHANNELS, FILTERS, Images, Line
from phase2.nn.convolution.conv import Conv2d


def _matrix(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    return line.jacobian("x"), line.T


def _toeplitz(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    T = line.jacobian("x")
    return T[1:, line.s :], T[:-1, : -line.s]


def _adjoint(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    return line.gradient("x"), line.T.T @ line.delta.numpy()


def _spread(line: Line) -> Tensor:
    """δ with s - 1 zeros between its entries, and one for each input behind the last window."""
    spread = torch.zeros(line.s * (len(line.delta) - 1) + 1 + line.unread, dtype=torch.float64)
    spread[:: line.s][: len(line.delta)] = line.delta
    return spread


def _reversed(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    back = F.conv1d(_spread(line)[None, None], line.w.flip(0)[None, None], padding=line.reach - line.p, dilation=line.d)
    return line.gradient("x"), back[0, 0]


def _windows(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    U = (line.S @ line.x.numpy()).T
    return torch.hstack([line.jacobian("w"), line.jacobian("b")]), np.column_stack([U, np.ones(len(U))])


def _shared(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    by_matrix = np.outer(line.delta, line.x)
    return line.gradient("w"), [(by_matrix * S).sum() for S in line.S]


def _exchanged(rng: np.random.Generator) -> tuple[Any, Any]:
    line = Line(rng)
    x, delta = line.x[None, None], line.delta[None, None]
    by_taps = F.conv1d(x, delta, stride=line.d, padding=line.p, dilation=line.s)[0, 0, : line.k]
    return torch.cat([line.gradient("w"), line.gradient("b")]), torch.cat([by_taps, line.delta.sum()[None]])


def _blocks(rng: np.random.Generator) -> tuple[Any, Any]:
    """∂y/∂x and ∂L/∂x of the first image, against a sum of Kronecker products and its transpose."""
    images = Images(rng)
    by_input = jacobian(lambda x: images.output(x=x), images.x[:1]).reshape(images.delta[0].numel(), -1)
    W, (S, R) = images.W.numpy(), images.S
    taps = [(a, b) for a in range(images.k) for b in range(images.k)]
    T = np.sum([np.kron(W[:, :, a, b], np.kron(S[a], R[b])) for a, b in taps], 0)
    transposed = np.sum([np.kron(W[:, :, a, b].T, np.kron(S[a].T, R[b].T)) for a, b in taps], 0)
    delta, gradient = images.delta[0].flatten().numpy(), images.gradient("x")[0]
    return [*by_input.flatten(), *gradient.flatten()], [*T.flatten(), *(transposed @ delta)]


def _few(rng: np.random.Generator) -> tuple[Any, Any]:
    images = Images(rng)
    by_input = jacobian(lambda x: images.output(x=x), images.x[:1]).flatten()
    return len(by_input[by_input != 0].unique()), FILTERS * CHANNELS * images.k**2


def _product(rng: np.random.Generator) -> tuple[Any, Any]:
    images = Images(rng)
    return images.output().movedim(1, -1).reshape(-1, FILTERS), images.X @ images.W.flatten(1).T + images.b


def _fold(rng: np.random.Generator) -> tuple[Any, Any]:
    images = Images(rng)
    rows = torch.from_numpy(rng.normal(size=images.X.shape))
    return (images.X * rows).sum(), (images.x * images.fold(rows)).sum()


def _gradients(rng: np.random.Generator) -> tuple[Any, Any]:
    images = Images(rng)
    ours = images.by_products[1:]
    theirs = (images.gradient(name) for name in ("W", "b", "x"))
    return torch.hstack([g.flatten() for g in theirs]), torch.hstack([g.flatten() for g in ours])


def _layer(rng: np.random.Generator) -> tuple[Any, Any]:
    """The library's layer and its backward pass."""
    images = Images(rng)
    layer = Conv2d(CHANNELS, FILTERS, images.k, dtype=torch.float64, **images.options)
    layer.load_state_dict({"weight": images.W, "bias": images.b})
    y = layer(images.x.requires_grad_())
    gradients = torch.autograd.grad(y, [*layer.parameters(), images.x], images.delta)
    theirs = [y.detach(), *gradients]
    return torch.hstack([t.flatten() for t in theirs]), torch.hstack([t.detach().flatten() for t in images.by_products])


def _map() -> list[Step]:
    return [
        Remark(
            r"In one dimension a kernel $w$ of $k$ taps with stride $s$, padding $p$ and dilation $d$ takes $x \in "
            r"\mathbb{R}^n$ to $y_i = b + \sum_{a=0}^{k-1} w_a\, x_{si + da - p}$ for $0 \le i < n'$, where $x$ is 0 "
            r"outside. (A signal processor would call this a correlation, and reverse $w$ for a convolution.) "
            r"A loss $L$ sends back $\delta = \partial L/\partial y$."
        ),
        Numeric(
            r"Let $S_a \in \mathbb{R}^{n' \times n}$ select what tap $a$ meets at each output. The output is linear in "
            r"the input and linear in the kernel, and the matrix of the first map is a sum of selections.",
            r"y = Tx + b\mathbf{1}, \qquad T = \sum_{a=0}^{k-1} w_a\, S_a, \qquad "
            r"(S_a)_{ij} = \mathbf{1}\{\,j = si + da - p\,\}",
            _matrix,
        ),
        Numeric(
            r"Each row of $T$ is the one above it moved to the right by the stride: a Toeplitz matrix if $s = 1$, and "
            r"every $s$-th row of one otherwise.",
            r"T_{i+1,\,j+s} = T_{ij}",
            _toeplitz,
        ),
    ]


def _three_gradients() -> list[Step]:
    return [
        Numeric(
            r"The chain rule carries the error back through the transposed matrix: entry by entry the input $j$ "
            r"gathers $w_a \delta_i$ from all outputs $i$ that met it.",
            r"\frac{\partial L}{\partial x} = T^\top \delta = \sum_{a} w_a\, S_a^\top \delta, \qquad "
            r"\frac{\partial L}{\partial x_j} = \sum_{a,\,i:\; si + da - p = j} w_a\, \delta_i",
            _adjoint,
        ),
        Numeric(
            r"This is a convolution again, of stride 1. Put $s - 1$ zeros between the entries of $\delta$, so that "
            r"$\delta^{\uparrow}_{si} = \delta_i$ and all else is 0; then let $a' = k - 1 - a$ run through the kernel "
            r"from its end.",
            r"\frac{\partial L}{\partial x_j} = \sum_{a'=0}^{k-1} w_{k-1-a'}\; \delta^{\uparrow}_{j + da' - p'}, "
            r"\qquad p' = d(k-1) - p",
            _reversed,
        ),
        Numeric(
            r"Seen from the kernel the input is the matrix: row $i$ of $U$ is the window of output $i$, and the bias "
            r"has a column of ones.",
            r"y = Uw + b\mathbf{1}, \qquad \frac{\partial y}{\partial w} = U = [\,S_0 x, \dots, S_{k-1} x\,], \qquad "
            r"\frac{\partial y}{\partial b} = \mathbf{1}",
            _windows,
        ),
        Numeric(
            r"The kernel's gradient is that of a dense layer, summed over the places that share a weight: a free "
            r"matrix would have the gradient $\delta x^\top$, and $w_a$ stands in $T$ where $S_a$ has its ones.",
            r"\frac{\partial L}{\partial w_a} = \bigl\langle S_a,\, \delta x^\top \bigr\rangle "
            r"= \delta^\top S_a\, x = (U^\top \delta)_a",
            _shared,
        ),
        Numeric(
            r"That is a convolution too, of the input by the error, in which stride and dilation have changed places.",
            r"\frac{\partial L}{\partial w_a} = \sum_{i=0}^{n'-1} \delta_i\, x_{da + si - p}, \qquad "
            r"\frac{\partial L}{\partial b} = \sum_{i=0}^{n'-1} \delta_i",
            _exchanged,
        ),
    ]


def _images() -> list[Step]:
    return [
        Numeric(
            r"Images of $n_h \times n_w$ pixels have $c$ channels, and $m$ kernels make as many images of $n'_h \times "
            r"n'_w$. With $W_{ab} \in \mathbb{R}^{m \times c}$ for the weights of tap $(a, b)$, and $S_a$, $S'_b$ for "
            r"its selections of rows and columns, the matrix consists of blocks of Toeplitz blocks. Its transpose "
            r"swaps channels and filters.",
            r"T = \sum_{a,b} W_{ab} \otimes S_a \otimes S'_b, \qquad "
            r"T^\top = \sum_{a,b} W_{ab}^\top \otimes S_a^\top \otimes S_b'^{\,\top}",
            _blocks,
        ),
        Numeric(
            r"A dense layer would learn each of its $c\,n_h n_w \cdot m\,n'_h n'_w$ entries. Here all but a few "
            r"are 0, because windows are local, and the rest are copies of each other, because windows share weights.",
            r"\bigl|\{\, T_{ij} : T_{ij} \ne 0 \,\}\bigr| = m\,c\,k^2",
            _few,
        ),
        Numeric(
            r"The matrix is never formed. Unfold instead the input: let the windows of all $N$ images be the rows of "
            r"$X \in \mathbb{R}^{N n'_h n'_w \times c k^2}$ and each kernel a row of $W \in \mathbb{R}^{m \times c "
            r"k^2}$. With a row of $Y$ for each position the layer is one product.",
            r"Y = X W^\top + \mathbf{1} b^\top",
            _product,
        ),
        Numeric(
            r"Unfolding copies an input into every window that it is in. The adjoint therefore adds up: it folds the "
            r"rows $G$ back, each entry to the input it came from.",
            r"\bigl\langle \operatorname{unfold}(x),\, G \bigr\rangle = \bigl\langle x,\, \operatorname{fold}(G) "
            r"\bigr\rangle",
            _fold,
        ),
        Numeric(
            r"With the error $\Delta$ in the shape of $Y$ the three gradients are those of a dense layer on $X$, the "
            r"last one folded.",
            r"\frac{\partial L}{\partial W} = \Delta^\top X, \qquad "
            r"\frac{\partial L}{\partial b} = \Delta^\top \mathbf{1}, \qquad "
            r"\frac{\partial L}{\partial x} = \operatorname{fold}(\Delta W)",
            _gradients,
        ),
        Numeric(
            r"This is what the convolution written by hand computes, forwards and backwards.",
            r"\texttt{Conv2d}(x) = Y, \qquad \texttt{backward}(\Delta) = \Bigl(\frac{\partial L}{\partial W},\, "
            r"\frac{\partial L}{\partial b},\, \frac{\partial L}{\partial x}\Bigr)",
            _layer,
            how="against the layer in float64",
        ),
    ]


def convolution() -> Derivation:
    """Convolution as a matrix, its adjoint and gradients; LeCun et al. 1998, Dumoulin & Visin 2016, chapter 4."""
    return Derivation(
        name="convolution",
        title="Convolution as a linear map, and its gradients",
        claim=(
            r"A convolution multiplies its input by a matrix $T = \sum_a w_a S_a$ whose rows are shifted copies of the "
            r"kernel. The gradient by the input is $T^\top \delta$, a convolution with the reversed kernel; on the "
            r"unfolded input $X$ the gradients by weights and bias are $\Delta^\top X$ and $\Delta^\top \mathbf{1}$."
        ),
        steps=[*_map(), *_three_gradients(), *_images()],
        cites=("lecun1998", "dumoulin2016"),
    )
