"""The mistakes that are really made in these derivations are found, in the step where they were made."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from mistakes import assert_caught, each, misprint
from sympy import Abs, Integer, LambertW, exp, log
from torch.autograd.functional import jacobian

from phase2.derive import backprop, cybenko, gelu, relu, saturation, smoothness, softmax, swish


def with_net(wrong: Callable[[Any], tuple[Any, Any]], *batch: int) -> Callable[[np.random.Generator], tuple[Any, Any]]:
    return lambda rng: wrong(backprop._Net(rng, *batch))


def flat(*tensors: torch.Tensor) -> torch.Tensor:
    return torch.hstack([tensor.flatten() for tensor in tensors])


BACKPROP = {
    "the slope of the activation is lost": (
        "Cut before",
        with_net(lambda net: (net.gradient("z1"), net.W2.T @ net.delta2)),
    ),
    "the Kronecker product is the wrong way round": (
        "The weights enter",
        with_net(lambda net: (jacobian(lambda W: W @ net.x, net.W1).flatten(1), np.kron(net.x[None], np.eye(4)))),
    ),
    "the outer product is transposed": (
        "in the shape of the weights",
        with_net(lambda net: (flat(net.gradient("W2")), flat(torch.outer(net.h, net.delta2)))),
    ),
    "the mean over the batch is forgotten": (
        "adds a factor $1/n$",
        with_net(lambda net: (net.gradient("z2"), net.delta2 * backprop.BATCH), backprop.BATCH),
    ),
    "the bias gets one sample's error": (
        "add up to one product",
        with_net(lambda net: (net.gradient("b2"), net.delta2[0]), backprop.BATCH),
    ),
}


@pytest.mark.parametrize("mistake", BACKPROP)
def test_a_mistake_in_backprop_is_caught(mistake: str):
    word, case = BACKPROP[mistake]
    assert_caught("two_layer_backprop", word, case=case)


def softmax_case(wrong: Callable[..., tuple[Any, Any]]) -> Callable[[np.random.Generator], tuple[Any, Any]]:
    return lambda rng: wrong(*softmax._draw(rng))


def naive_loss(rng: np.random.Generator) -> tuple[Any, Any]:
    z = torch.from_numpy(1e4 * rng.standard_normal(softmax.CLASSES))
    return -torch.log(torch.softmax(z, 0))[0], z.max() - z[0]


SOFTMAX = {
    "diag(p) without p pᵀ": (
        "in one matrix",
        {"case": lambda rng: (softmax._jacobian(rng)[0], torch.diag(softmax._draw(rng)[1]))},
    ),
    "the gradient has the wrong sign": (
        "the predicted less the true",
        {"case": lambda rng: tuple(sign * side for sign, side in zip((1, -1), softmax._gradient(rng), strict=True))},
    ),
    "a wrong sign off the diagonal": ("Every other logit", {"right": softmax.p1 * softmax.p2}),
    "the Jacobian of independent sigmoids in the chain": (
        "the divisor cancels",
        {"case": softmax_case(lambda z, p, y: (-(y / p) @ torch.diag(p * (1 - p)), p - y))},
    ),
    "the shift is not taken from the target's logit": (
        "added to all logits",
        {"right": log(softmax.total) + softmax.c - softmax.z1},
    ),
    "the logarithm is taken of a softmax that underflows": (
        "nothing overflows",
        {"case": naive_loss},
    ),
}

RELU = {
    "the second moment is not halved": ("half of the second moment", {"right": relu.q}),
    "the standard deviation for the variance": ("The mean is not 0", {"right": relu.q / sympy.sqrt(2 * sympy.pi)}),
    "the factor comes out squared": ("can be drawn out", {"right": relu.a**2 * relu.f}),
    "the derivative at 0 is taken as 1": (
        "the layer takes 0",
        {"case": lambda rng: (relu._derivative(rng)[0], np.append(relu._derivative(rng)[1][:-1], 1.0))},
    ),
    "a slope outside [0, 1] is called a subgradient": ("is a subgradient", {"span": (1.05, 2.0)}),
}

GELU = {
    "Φ without x φ": ("by the product rule", {"right": gelu.Phi}),
    "the gate without what it gates": ("A gate that passes", {"right": gelu.Phi}),
    "one φ is lost in the second derivative": ("has no $\\Phi$ left", {"right": (1 - gelu.x**2) * gelu.phi}),
    "the cubic coefficient lacks what artanh adds": (
        "its series begins",
        {"right": gelu.x - gelu.x**3 / 6},
    ),
    "a digit of 0.044715 is lost": (
        "The constant in use",
        misprint("gelu", "The constant in use", "x + 0.044715", "x + 0.04715"),
    ),
    "1.702 is rounded": (
        "A steeper gate",
        misprint("gelu", "A steeper gate", r"\sigma(1.702\,x", r"\sigma(1.7\,x"),
    ),
}

SWISH = {
    "the inner derivative is lost": (
        "The product rule",
        {"right": swish.s + swish.x * swish.s * (1 - swish.s)},
    ),
    "the derivative by β is taken by x": ("Where $\\beta$ is learned", {"right": swish.x * swish.s * (1 - swish.s)}),
    "the second derivative lost a factor": (
        "Once more",
        {"right": swish.beta * swish.s * (1 - swish.s) * (1 + swish.beta * swish.x * (1 - 2 * swish.s))},
    ),
    "the minimum's value for its place": (
        "Lambert's",
        {"left": sympy.diff(swish.swish_of(swish.u, Integer(1)), swish.u).subs(swish.u, -LambertW(exp(-1)))},
    ),
    "the gate is taken as open": ("half open everywhere", {"right": swish.x}),
    "the distance to ReLU shrinks like β⁻²": ("uniformly", {"right": swish.W / swish.beta**2, "span": (1.1, 1.3)}),
}

SATURATION = {
    "the factor of tanh's tail is lost": (
        "to drop the other",
        {"right": exp(-2 * Abs(saturation.x))},
    ),
    "the scale of tanh is counted once": (
        "sigmoid in other units",
        {"right": 2 * sympy.diff(saturation.sigma, saturation.x).subs(saturation.x, 2 * saturation.x)},
    ),
    "the sigmoid is given tanh's decay": ("decays half as fast", {"right": exp(-2 * Abs(saturation.x))}),
    "the rate has the wrong sign": (
        "If all",
        {"right": exp(saturation.L * log(4 / saturation.w))},
    ),
    "the sigmoid's bound is used for tanh": (
        "depth alone need not",
        {"case": lambda rng: saturation._share(saturation._Deep(rng, torch.tanh, bias=0.0), 0.25)},
    ),
}

s, F = smoothness.sigma, smoothness.F
SMOOTHNESS = {
    "a 2 is lost from the sigmoid's curvature": ("the curvature is a cubic", {"right": s * (1 - s) ** 2}),
    "tanh's curvature is scaled by 4": (
        "its second 8 times",
        misprint("smoothness", "its second 8 times", "3\\sqrt 3", "6\\sqrt 3"),
    ),
    "GELU's slope is said to be at most 1": (
        "Of these it is 0",
        misprint("smoothness", "Of these it is 0", "1.128904", "1.0"),
    ),
    "the residual's part of the curvature is lost": (
        "Both constants enter",
        {"right": smoothness.a**2 * (1 - sympy.tanh(smoothness.a * smoothness.w) ** 2) ** 2},
    ),
    "the step goes uphill": (
        "the loss is certain",
        {
            "right": smoothness.F
            - smoothness.F.subs(smoothness.w, smoothness.w + smoothness.slope / smoothness.lipschitz)
        },
    ),
    "the bound leaves the residual out": (
        "has a Lipschitz constant $L$",
        {"right": smoothness.a**2, "span": (0.5, 2.0)},
    ),
}


def left_knot(rng: np.random.Generator) -> tuple[Any, Any]:
    f = cybenko._target(rng)
    return cybenko._sum_of_units(f, 32, lambda x: x > 0), f(np.floor(cybenko.GRID * 32) / 32)


CYBENKO = {
    "the steepness grows half as fast": (
        "One steepness",
        {"left": cybenko.n * exp(-2 * cybenko.n * log(cybenko.n) / (2 * cybenko.n))},
    ),
    "the tail is taken as that of tanh": ("almost a step", {"right": exp(-2 * cybenko.lam * Abs(cybenko.t))}),
    "the knot on the left for the nearest": (
        "telescopes",
        {"case": left_knot},
    ),
    "the offset is lost on the hyperplane": (
        "With an offset",
        {"case": lambda rng: (cybenko._limit(rng)[0], [1, 0.5, 0])},
    ),
    "the modulus at a quarter of the distance": (
        "at most $1/(2n)$ away",
        {"case": lambda rng: (cybenko._stairs_error(rng)[0], [(1 / (8 * n)) ** 0.5 for n in cybenko.UNITS])},
    ),
}

MISTAKES = {
    "softmax_cross_entropy": SOFTMAX,
    "relu": RELU,
    "gelu": GELU,
    "swish": SWISH,
    "saturation": SATURATION,
    "smoothness": SMOOTHNESS,
    "cybenko": CYBENKO,
}


@pytest.mark.parametrize(("name", "mistake"), each(MISTAKES))
def test_a_mistake_is_caught_in_the_step_where_it_is_made(name: str, mistake: str):
    words, changes = MISTAKES[name][mistake]
    assert_caught(name, words, **changes)
