"""The neural tangent kernel: training seen from the outputs, and why wide networks stay close to linear."""

from typing import Any

import numpy as np
import sympy
import torch
from sympy import Integral, cos, exp, oo, pi, sin, sqrt
from torch import Tensor
from torch.autograd.functional import hessian, jacobian, jvp

from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.hidden_layer import INPUTS, SAMPLES, WIDTH, HiddenLayer
from phase2.derive.walk import walk
from phase2.models.ntk_mlp import NTKMLP
from phase2.optim.sgd import SGD
from phase2.probe.kernel_regime.infinite_width import kernels, regress

WIDTHS, NETWORKS = (64, 256, 1024), 12  # over which exponents of the width are measured, and how many networks of each

eta, lamda = sympy.symbols("eta lambda", positive=True)
theta, angle = sympy.symbols("theta alpha", positive=True)
z = sympy.symbols("z", real=True)
n = sympy.symbols("n", positive=True)
HALF = exp(-(z**2) / 2) / sqrt(2 * pi)


def _outputs_move(rng: np.random.Generator) -> tuple[Any, Any]:
    """Forward along the flow, against the kernel from one gradient a sample."""
    net = HiddenLayer(rng)
    _, speed = jvp(net, net.theta, -jacobian(net.loss, net.theta))
    rows = [jacobian(lambda theta, i=i: net(theta)[i], net.theta) for i in range(SAMPLES)]
    kernel = torch.tensor([[float(row @ other) for other in rows] for row in rows], dtype=torch.float64)
    return speed, -kernel @ net.residual


def _loss_falls(rng: np.random.Generator, slowest: bool = False) -> tuple[Any, Any]:
    net = HiddenLayer(rng)
    eigenvalues, eigenvectors = torch.linalg.eigh(net.kernel)
    least = eigenvalues[0]
    if slowest:  # the error lies along this eigenvector
        net.y = net(net.theta) + eigenvectors[:, 0]
    return -jacobian(net.loss, net.theta).square().sum(), -2 * least * net.loss(net.theta)


def _modes(rng: np.random.Generator) -> tuple[Any, Any]:
    """The solution at 0 and its derivative by automatic differentiation at a random time."""
    net, time = HiddenLayer(rng), torch.tensor(rng.uniform(0.1, 2.0), dtype=torch.float64)
    values, U = torch.linalg.eigh(net.kernel)

    def residual(time: Tensor) -> Tensor:
        return U @ (torch.exp(-values * time) * (U.T @ net.residual))

    at_start = residual(torch.zeros((), dtype=torch.float64))
    return torch.stack([at_start, jacobian(residual, time)]), torch.stack([net.residual, -net.kernel @ residual(time)])


def _limit(rng: np.random.Generator) -> tuple[Any, Any]:
    """The nearest parameters at which the linear model fits, against the library's kernel regression."""
    net = HiddenLayer(rng)
    move = torch.linalg.pinv(net.J) @ -net.residual
    J_new = jacobian(lambda theta: net(theta, net.new), net.theta)
    fitted = net(net.theta, net.new) + regress(net.kernel, J_new @ net.J.T, -net.residual[:, None])[:, 0]
    return net(net.theta, net.new) + J_new @ move, fitted


def _descent(rng: np.random.Generator) -> tuple[Any, Any]:
    net, steps = HiddenLayer(rng), 20
    J, r = net.J.numpy(), net.residual.numpy()
    values, U = np.linalg.eigh(J @ J.T)
    rate = rng.uniform(0.5, 2.1) / values[-1]
    change, _ = walk(SGD, lambda change: J.T @ (J @ change + r), np.zeros(J.shape[1]), [{}] * steps, lr=rate)
    return J @ change[-1] + r, U @ ((1 - rate * values) ** steps * (U.T @ r))


def _units(rng: np.random.Generator) -> tuple[Any, Any]:
    """The kernel of the library's NTKMLP of ReLU units without bias, by autograd and as a mean over units."""
    net = NTKMLP(INPUTS, 1, WIDTH, depth=1, bias=0.0).double()
    w, a = (torch.from_numpy(rng.normal(size=weight.shape)) for weight in net.weights)
    X = torch.from_numpy(rng.normal(size=(SAMPLES, INPUTS)))

    def outputs(w: Tensor, a: Tensor) -> Tensor:
        zeros = {f"biases.{i}": bias.detach() for i, bias in enumerate(net.biases)}
        return torch.func.functional_call(net, {"weights.0": w, "weights.1": a, **zeros}, X)[:, 0]

    J = torch.cat([part.flatten(1) for part in jacobian(outputs, (w, a))], 1)
    u = X @ w.T / INPUTS**0.5
    value, slope = 2**0.5 * u.clamp(min=0), 2**0.5 * (u > 0).double()
    return J @ J.T, (value @ value.T + (slope * a**2) @ slope.T * (X @ X.T) / INPUTS) / WIDTH


def _arc_cosine(rng: np.random.Generator) -> tuple[Any, Any]:
    X = torch.from_numpy(rng.normal(size=(SAMPLES, INPUTS)))
    norms = X.norm(dim=1)
    between = torch.arccos((X @ X.T / torch.outer(norms, norms)).clamp(-1, 1))
    shape = (torch.sin(between) + 2 * (torch.pi - between) * torch.cos(between)) / torch.pi
    return kernels(X, X, depth=1, activation="relu", bias=0.0)[1], torch.outer(norms, norms) / INPUTS * shape


def _law_of_large_numbers(rng: np.random.Generator) -> tuple[Any, Any]:
    """n times the variance of Θ(x, x) over random networks of n ReLU units, for |x|² = d."""
    widths = (16, 64, 256)
    units = [rng.normal(size=(2, 4000, width)) for width in widths]
    diagonals = [2 * ((u > 0) * (u**2 + a**2)).mean(1) for u, a in units]
    return [width * diagonal.var() for width, diagonal in zip(widths, diagonals, strict=True)], [12.0] * len(widths)


def _hessian(rng: np.random.Generator) -> tuple[Any, Any]:
    net = HiddenLayer(rng)
    whole = hessian(lambda theta: net(theta)[0], net.theta)
    return torch.linalg.matrix_norm(whole, 2), net.curvature(net.X[0])


def _criterion(rng: np.random.Generator) -> tuple[Any, Any]:
    """κ of α f, by automatic differentiation, against κ of f over α; one sample, the residual held at 1."""
    net, scale = HiddenLayer(rng), rng.uniform(0.1, 9.0)

    def kappa(scale: float) -> Tensor:
        gradient, curvature = (
            derivative(lambda theta: scale * net(theta)[0], net.theta) for derivative in (jacobian, hessian)
        )
        return torch.linalg.matrix_norm(curvature, 2) / gradient.square().sum()

    return kappa(scale), kappa(1.0) / scale


def _exponents(rng: np.random.Generator) -> tuple[Any, Any]:
    """Powers of the width in what `HiddenLayer.trained` measures, over networks on the same samples."""
    net = HiddenLayer(rng)
    measured = [np.log([net.trained(rng, width) for _ in range(NETWORKS)]).mean(0) for width in WIDTHS]
    return np.polyfit(np.log(WIDTHS), measured, 1)[0], [0, -0.5, -0.5, -0.5]


def _flow() -> list[Step]:
    return [
        Remark(
            r"Let $f(\theta)$ hold the outputs on all training inputs $X$, with targets $y$, loss $L = \tfrac12 "
            r"\lVert f - y \rVert^2$ and Jacobian $J = \partial f/\partial\theta$. Under gradient flow $\dot\theta = "
            r"-\nabla L = -J^\top (f - y)$. The tangent kernel is $\Theta = J J^\top$: the gradients' products, "
            r"sample by sample."
        ),
        Numeric(
            r"By the chain rule $\dot f = J \dot\theta$: a step for one sample moves the others by what their "
            r"gradients have in common.",
            r"\dot f = -\Theta\,(f - y), \qquad \Theta_{ij} = \langle \nabla f_i, \nabla f_j \rangle",
            _outputs_move,
            how="by forward and by reverse differentiation of a random network",
        ),
        Numeric(
            r"The loss falls at least at the rate of the smallest eigenvalue. It is positive if the samples' "
            r"gradients are independent of each other, and if it stays above a positive constant, the loss goes to 0, "
            r"convex or not.",
            r"\dot L = -\lVert J^\top (f - y) \rVert^2 \le -2 \lambda_{\min}(\Theta)\, L",
            _loss_falls,
            relation="<=",
            at=lambda rng: _loss_falls(rng, slowest=True),
            how="on random networks",
        ),
        Numeric(
            r"While $\Theta$ stays the same the equation is linear, and its eigenvectors $u_i$ are learned each at "
            r"its own rate $\lambda_i$, the largest first.",
            r"f_t - y = \sum_i e^{-\lambda_i t}\, u_i u_i^\top (f_0 - y) \ \Longrightarrow\ \frac{d}{dt}\,(f_t "
            r"- y) = -\Theta\,(f_t - y)",
            _modes,
            how="by differentiating the solution",
        ),
        Numeric(
            r"In the end the parameters have moved to the nearest place at which the linear model fits, by $J^\top "
            r"\Theta^{-1} (y - f_0)$, and the outputs at other inputs $x$ are those of kernel regression.",
            r"f_\infty(x) = f_0(x) + \Theta(x, X)\, \Theta^{-1} (y - f_0)",
            _limit,
            how="against the least squares of smallest norm",
        ),
        Numeric(
            r"Gradient descent takes powers in the place of exponentials.",
            r"f_t - y = \sum_i (1 - \eta \lambda_i)^t\, u_i u_i^\top (f_0 - y)",
            _descent,
            how="against the library's SGD on the linear model",
        ),
        Symbolic(
            r"A mode shrinks as long as its factor is below 1 in size, so all do if $\eta < 2/\lambda_{\max}$, "
            r"twice the rate that is best for the fastest mode. Above it training diverges; exactly at it that mode "
            r"oscillates.",
            (1 - eta * lamda) ** 2,
            1 - eta * lamda * (2 - eta * lamda),
            latex=r"(1 - \eta\lambda)^2 = 1 - \eta\lambda\,(2 - \eta\lambda) < 1 \quad\Longleftrightarrow\quad "
            r"0 < \eta < \frac{2}{\lambda}",
        ),
    ]


def _limit_kernel() -> list[Step]:
    second = Integral((2 * (z**2 + 1)) * HALF, (z, 0, oo))
    return [
        Numeric(
            r"Take one hidden layer, with $a_k, w_k \sim \mathcal{N}(0, 1)$ and the scale in the function: $f(x) = "
            r"n^{-1/2} \sum_k a_k\, \phi(u_k)$, $u_k = w_k^\top x/\sqrt d$. Then $\partial f/\partial a_k$ and "
            r"$\partial f/\partial w_k$ are of order $n^{-1/2}$, and the kernel is a mean over $n$ independent units.",
            r"\Theta(x, x') = \frac1n \sum_{k=1}^n \Bigl(\phi(u_k)\, \phi(u'_k) + a_k^2\, \phi'(u_k)\, \phi'(u'_k)\, "
            r"\frac{x^\top x'}{d}\Bigr)",
            _units,
            how="against the library's NTKMLP with ReLU",
        ),
        Symbolic(
            r"So it tends to its expectation. For $\phi(u) = \sqrt2 \max(u, 0)$ and $\lVert x \rVert^2 = d$, "
            r"$\Theta(x, x)$ is a mean of $2\,(u^2 + a^2)\, \mathbf{1}\{u > 0\}$, whose variance is known from "
            r"$\mathbb{E}\,a^2 = 1$ and $\mathbb{E}\,a^4 = 3$.",
            (Integral(4 * (z**4 + 2 * z**2 + 3) * HALF, (z, 0, oo)) - second**2) / n,
            12 / n,
            names={r"\mathbb{E}\,\Theta(x, x)": second, "n": n},
            latex=r"\mathbb{E}\,\Theta(x, x) = 2, \qquad \operatorname{Var} \Theta(x, x) = \frac{1}{n} \Bigl(4 "
            r"\int_0^\infty (u^4 + 2 u^2 + 3)\, \frac{e^{-u^2/2}}{\sqrt{2\pi}}\, du - 2^2\Bigr) = \frac{12}{n}",
        ),
        Numeric(
            r"Random networks show it: wide ones all start with nearly the same kernel.",
            r"n \operatorname{Var} \Theta(x, x) \approx 12, \qquad n = 16, 64, 256",
            _law_of_large_numbers,
            tolerance=1 / 8,
            how="within 1.5 over 4000 random networks of each width",
        ),
        Symbolic(
            r"Two inputs at the angle $\theta$ make $(u, u')$ a Gaussian vector $r\,(\cos\alpha, \cos(\alpha - "
            r"\theta))$ in polar coordinates. Both are positive on an arc of $\pi - \theta$, hence $\mathbb{P} = (\pi "
            r"- \theta)/(2\pi)$, and the radius gives $\int_0^\infty r^3 e^{-r^2/2}\, dr = 2$.",
            Integral(cos(angle) * cos(angle - theta), (angle, theta - pi / 2, pi / 2)) / pi,
            (sin(theta) + (pi - theta) * cos(theta)) / (2 * pi),
            latex=r"\mathbb{E}\, u_+ u'_+ = \frac{2}{2\pi} \int_{\theta - \pi/2}^{\pi/2} \cos\alpha\, \cos(\alpha - "
            r"\theta)\, d\alpha = \frac{\sin\theta + (\pi - \theta) \cos\theta}{2\pi}",
            span=(0.1, 3.0),
        ),
        Numeric(
            r"Both parts together are the limit for ReLU, an arc-cosine kernel.",
            r"\Theta_\infty(x, x') = \frac{\lVert x \rVert\, \lVert x' \rVert}{\pi d}\, \bigl(\sin\theta + 2\,(\pi - "
            r"\theta) \cos\theta\bigr)",
            _arc_cosine,
            tolerance=1e-7,
            how="against the library's recursion over layers",
        ),
    ]


def _lazy() -> list[Step]:
    return [
        Numeric(
            r"Why does the kernel stay? No second derivative mixes two units, so the Hessian of an output is as large "
            r"as that of its worst unit: $n^{-1/2}$, up to a logarithm, while the gradient keeps its length.",
            r"\lVert \nabla^2 f(x) \rVert = \frac{1}{\sqrt n} \max_k\, \Biggl\lVert \begin{pmatrix} 0 & \phi'(u_k)\, "
            r"\frac{x^\top}{\sqrt d} \\ \phi'(u_k)\, \frac{x}{\sqrt d} & a_k\, \phi''(u_k)\, \frac{x x^\top}{d} "
            r"\end{pmatrix} \Biggr\rVert",
            _hessian,
            how="for tanh, by automatic differentiation",
        ),
        Numeric(
            r"To move the output by $r$ takes a step of $\lvert r \rvert/\lVert \nabla f \rVert$, along which the "
            r"gradient changes by at most $\lVert \nabla^2 f \rVert$ times as much. The change relative to it, "
            r"$\kappa$, is what decides. A factor in front of the network lowers it too: training is linear by scale, "
            r"of which width is one source.",
            r"\kappa(f) = \lvert r \rvert\, \frac{\lVert \nabla^2 f \rVert}{\lVert \nabla f \rVert^2}, \qquad "
            r"\kappa(\alpha f) = \frac{\kappa(f)}{\alpha}",
            _criterion,
            how="by automatic differentiation",
        ),
        Numeric(
            r"Trained networks follow: at any width the outputs change by as much, while each weight and the "
            r"direction of the gradients change less and less.",
            r"\lVert \Delta f \rVert \sim n^0, \qquad \frac{\lvert \Delta\theta_j \rvert}{\lVert \Delta f \rVert} "
            r"\sim \frac{\lVert \Delta J \rVert}{\lVert J \rVert\, \lVert \Delta f \rVert} \sim n^{-1/2}, \qquad "
            r"\kappa \sim n^{-1/2}",
            _exponents,
            absolute=0.2,
            how=f"within 0.2 in the exponents, over {NETWORKS} networks of each width from 64 to 1024",
        ),
    ]


def tangent_kernel() -> Derivation:
    """The neural tangent kernel; Jacot et al. 2018, Lee et al. 2019, and Chizat et al. 2019, section 1."""
    return Derivation(
        name="tangent_kernel",
        title="The neural tangent kernel",
        claim=(
            r"Under gradient flow the outputs of a network obey $\dot f = -\Theta\,(f - y)$ with $\Theta = J J^\top$. "
            r"In a wide network $\Theta$ starts close to a fixed limit and hardly changes, since each weight moves by "
            r"$n^{-1/2}$ only: training is then kernel regression, one eigenvector at a time."
        ),
        steps=[*_flow(), *_limit_kernel(), *_lazy()],
        cites=("jacot2018", "lee2019", "chizat2019"),
    )
