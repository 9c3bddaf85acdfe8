"""The mistakes that people make with residual networks and the effective receptive field are caught where made."""

import numpy as np
import pytest
import torch
from mistakes import assert_caught, each
from sympy import Integer, sqrt

from phase2.derive import effective_field, residual_gradients, residual_network, residual_variance
from phase2.derive.effective_field import TAPS, convolved, uniform


def shortcut_forgotten(rng):
    net = residual_gradients.Network(rng)
    g = net.g
    for J in reversed(net.jacobians()):
        g = J.T @ g
    return net.gradient(), g


def blocks_do_not_see_each_other(rng):
    net = residual_gradients.Network(rng)
    return net.gradient(), net.g + torch.stack(net.jacobians()).sum(0).T @ net.g


def shortcut_scaled_once(rng):
    net, lamda = residual_gradients.Network(rng), rng.uniform(0.5, 0.9)
    gradient, expected = residual_gradients._scaled_shortcut(rng)
    return gradient, expected + (lamda - lamda**residual_gradients.BLOCKS) * net.g


def eigenvalues_for_singular_values(rng):
    norm = rng.uniform(0.5, 0.9)
    J = residual_gradients._matrices(rng, norm)
    radius = np.abs(np.linalg.eigvals(J)).max()
    values = np.linalg.svd(np.eye(len(J[0])) + J, compute_uv=False)
    return [1 - radius, values.max()], [values.min(), 1 + radius]


def bound_of_one_block(rng):
    net = residual_gradients.Network(rng)
    norm = max(float(torch.linalg.matrix_norm(J, 2)) for J in net.jacobians())
    return net.singular_values()[0], 1 + norm


def only_the_short_paths(rng):
    J = residual_gradients._matrices(rng, 0.8)
    return residual_gradients._paths(rng)[0], np.eye(len(J[0])) + J.sum(0)


def paths_in_phase(rng):
    means, expected = residual_gradients._by_length(rng)
    return means[-1], expected[0] * (1 + np.sqrt(expected[1] / expected[0] / 3)) ** 6


def plain_like_residual(rng):
    rates, (residual, _) = residual_gradients._growth(rng)
    return rates, [residual, residual]


RESIDUAL_GRADIENTS = {
    "the shortcut is forgotten": ("By the chain rule", {"case": shortcut_forgotten}),
    "the branches are taken as independent inputs": ("The same as a sum", {"case": blocks_do_not_see_each_other}),
    "λ is taken once": ("shortcut has to be the identity", {"case": shortcut_scaled_once}),
    "the spectral radius is taken for the norm": ("triangle inequality", {"case": eigenvalues_for_singular_values}),
    "the bound of one block is taken for all": ("bounds multiply", {"case": bound_of_one_block}),
    "paths through several blocks are dropped": ("Multiplied out", {"case": only_the_short_paths}),
    "amplitudes add up in the place of squares": ("two different paths", {"case": paths_in_phase}),
    "amplitudes grow by 1 + s": (
        "never falls",
        {"right": (1 + residual_gradients.s) ** (2 * residual_gradients.L)},
    ),
    "every path is taken as likely as any other": ("lengths' shares", {"right": residual_gradients.L / 2}),
    "the plain chain is taken to keep gradients": ("One draw of wide", {"case": plain_like_residual}),
}


def deviations_add(rng):
    x = rng.normal(size=residual_variance.SMALL)
    branch = residual_variance._branches(x, 1.0, 1.0)
    return ((x + branch) ** 2).mean((0, 1)), (np.abs(x) + np.sqrt((branch**2).mean((0, 1)))) ** 2


def xavier_in_the_branch(rng):
    x, n = rng.normal(size=residual_variance.SMALL), residual_variance.SMALL
    return (residual_variance._branches(x, 1 / n, 1 / n) ** 2).mean(), (x**2).mean()


def constant_variance(rng):
    growth, _ = residual_variance._linear_growth(rng)
    steps = torch.arange(1, len(growth) + 1)
    return growth * steps, np.ones(len(growth))


def gain_without_the_mean(rng):
    ratio, _ = residual_variance._power_law(rng)
    blocks = np.arange(1, residual_variance.BLOCKS + 1)
    return ratio * np.prod(1 + np.pi / (np.pi - 1) / blocks) / (residual_variance.BLOCKS + 1), 1.0


def branches_divided_by_the_depth(rng):
    blocks = residual_variance._Blocks(rng, scale=1 / residual_variance.BLOCKS)
    growth = blocks.variances()[-1] / (1 + 1 / residual_variance.BLOCKS) ** residual_variance.BLOCKS
    return growth, 1.0


def every_layer_learns_at_once(rng):
    net = residual_variance.ZeroLast(rng)
    _, first, _ = net.gradients
    return first, torch.einsum("i,lj->lij", net.g, net.hidden)


def one_block_moves(rng):
    speed, _ = residual_variance._first_step(rng)
    return speed, speed / residual_network.BLOCKS


depth, index = residual_variance.L, residual_variance.l
RESIDUAL_VARIANCE = {
    "deviations are added": ("mean squares add up", {"case": deviations_add}),
    "Xavier's variance behind a ReLU": ("keeps what it gets", {"case": xavier_in_the_branch}),
    "a block keeps the variance as a plain layer does": ("wrong here", {"right": Integer(1)}),
    "BatchNorm in the branch is taken to hold the sum": ("Random blocks do so", {"case": constant_variance}),
    "the input is not counted": ("First remedy", {"right": index}),
    "ReLU's mean is forgotten": ("around their mean", {"right": Integer(1)}),
    "the power law is taken for a line": ("no longer an exponential", {"right": depth + 1}),
    "the gradient is taken to grow like the variance": ("This neglects", {"case": gain_without_the_mean}),
    "1/L is taken for 1/√L": ("The same random blocks", {"case": branches_divided_by_the_depth}),
    "the bound is taken as √e": ("Second remedy", {"right": sqrt(residual_variance.exp(1))}),
    "all layers are taken to have a gradient": ("Third remedy", {"case": every_layer_learns_at_once}),
    "one block moves in the place of all": ("adds up over the blocks", {"case": one_block_moves}),
    "Fixup's power for one layer too many": (
        "Fixup scales",
        {"left": depth * depth ** (-2 * residual_variance.m / (2 * residual_variance.m + 2))},
    ),
}


def gradient_for_its_square(rng):
    stacks = effective_field._EverySign(rng)
    return stacks.squares() / stacks.squares().sum(), convolved([uniform(TAPS)] * effective_field.FEW) ** 2


def relu_halves_once(rng):
    squares, expected = effective_field._relu(rng)
    return squares, expected * 2 ** (effective_field.FEW - 1)


def stride_counts_at_its_own_layer(rng):
    layers = effective_field._layers(rng)
    jumps = np.cumprod([stride for _, stride, _ in layers])
    variance = sum((k**2 - 1) / 12 * (d * j) ** 2 for (k, _, d), j in zip(layers, jumps, strict=True))
    return effective_field.moments(convolved(effective_field.field(layers)))[1], variance


def jumps_not_squared(rng):
    layers = effective_field._layers(rng)
    variance = sum((k**2 - 1) / 12 * dj for k, dj in effective_field._spacings(layers))
    return effective_field.moments(convolved(effective_field.field(layers)))[1], variance


def transforms_add(rng):
    layers = effective_field._layers(rng)
    left, _ = effective_field._product_of_transforms(rng)
    return left, [len(layers), 0]


def width_like_the_field(rng):
    shares, _ = effective_field._bell(rng)
    return shares, np.full(len(shares), 1 / len(shares))


def shortcut_as_an_even_coin(rng):
    squares, _ = effective_field._shortcuts(rng)
    here = np.eye(1, TAPS, TAPS // 2)[0]
    return squares / squares.sum(), convolved([(here + uniform(TAPS)) / 2] * effective_field.FEW)


def dilation_forgotten(rng):
    (one, other, _), _ = effective_field._in_two_dimensions(rng)
    strides_only = effective_field.field(tuple((k, stride, 1) for k, stride, _ in effective_field.LAYERS))
    return [one, other], [effective_field.moments(convolved(strides_only))[1]] * 2


k, n, g, omega = effective_field.k, effective_field.n, effective_field.g, effective_field.omega
EFFECTIVE_FIELD = {
    "kernels are squared": ("goes back through one layer", {"case": gradient_for_its_square}),
    "ReLU is counted once": ("halves it", {"case": relu_halves_once}),
    "a kernel of k + 1 taps": ("geometric sum", {"right": effective_field.TRANSFORM.subs(k, k + 1)}),
    "transforms are added": ("multiplies transforms", {"case": transforms_add}),
    "a continuous kernel's variance": (
        "coefficients are the cumulants",
        {"right": -(k**2) / 12 * omega**2 / 2 - (k**4 - 1) / 120 * omega**4 / 24},
    ),
    "a stride counts at its own layer": ("means and variances add", {"case": stride_counts_at_its_own_layer}),
    "jumps are not squared": ("means and variances add", {"case": jumps_not_squared}),
    "the kurtosis does not fall": (
        "In units of",
        {"right": -(omega**2) / 2 - (k**2 + 1) / (20 * (k**2 - 1)) * omega**4},
    ),
    "the field is taken as evenly covered": ("Ten layers", {"case": width_like_the_field}),
    "the field is taken as n k pixels": ("its share falls", {"right": (k**2 - 1) / (12 * k**2)}),
    "branch and shortcut are taken as equally strong": ("shortcut round", {"case": shortcut_as_an_even_coin}),
    "the deviation has the branch's share": (
        "taken with probability",
        {"right": (g / (1 + g)) ** 2 * n * (k**2 - 1) / 12},
    ),
    "dilation is forgotten": ("product over the two axes", {"case": dilation_forgotten}),
}

MISTAKES = {
    "residual_gradients": RESIDUAL_GRADIENTS,
    "residual_variance": RESIDUAL_VARIANCE,
    "effective_field": EFFECTIVE_FIELD,
}


@pytest.mark.parametrize(("name", "mistake"), each(MISTAKES))
def test_a_mistake_is_caught_in_the_step_where_it_is_made(name: str, mistake: str):
    words, changes = MISTAKES[name][mistake]
    assert_caught(name, words, **changes)
