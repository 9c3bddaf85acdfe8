"""The mistakes that people make with convolutions, receptive fields and their initialization are caught where made."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mistakes import assert_caught, each
from scipy.signal import convolve2d

from phase2.derive import convolution, convolution_init, receptive_field
from phase2.derive.random_convolution import CHANNELS, FILTERS, Images, Line


def reversed_forwards(rng):
    line = Line(rng)
    return line.jacobian("x"), np.tensordot(line.w.flip(0), line.S, 1)


def rows_move_by_one(rng):
    T = Line(rng).jacobian("x")
    return T[1:, 1:], T[:-1, :-1]


def not_reversed_backwards(rng):
    line = Line(rng)
    spread = convolution._spread(line)[None, None]
    back = F.conv1d(spread, line.w[None, None], padding=line.reach - line.p, dilation=line.d)
    return line.gradient("x"), back[0, 0]


def stride_stays_stride(rng):
    line = Line(rng)
    theirs, ours = convolution._exchanged(rng)
    padded = F.pad(line.x, (line.p, line.p + 20))
    taps = [sum(d * padded[line.s * a + line.d * i] for i, d in enumerate(line.delta)) for a in range(line.k)]
    return [*line.gradient("w"), theirs[-1]], [*taps, ours[-1]]


def mean_for_the_bias(rng):
    line = Line(rng)
    return [*line.gradient("w"), *line.gradient("b")], [*line.gradient("w"), line.delta.mean()]


def filters_not_swapped(rng):
    images = Images(rng)
    W, (S, R) = images.W.numpy(), images.S
    taps = [(a, b) for a in range(images.k) for b in range(images.k)]
    T = np.sum([np.kron(np.kron(S[a], R[b]), W[:, :, a, b]) for a, b in taps], 0)
    return images.gradient("x")[0].flatten(), T.T @ images.delta[0].flatten().numpy()


def weights_of_their_own(rng):
    images = Images(rng)
    return FILTERS * CHANNELS * images.k**2, FILTERS * CHANNELS * images.k**2 * np.prod(images.outputs)


def channels_last_kernels(rng):
    images = Images(rng)
    y = images.output().movedim(1, -1).reshape(-1, FILTERS)
    return y, images.X @ images.W.movedim(1, -1).flatten(1).T + images.b


def overlaps_overwritten(rng):
    images = Images(rng)
    rows = torch.ones_like(images.X)
    return (images.X * rows).sum(), (images.x * images.fold(rows).clamp(max=1)).sum()


def mean_over_the_places(rng):
    images = Images(rng)
    return images.gradient("b"), images.Delta.mean(0)


CONVOLUTION = {
    "the kernel is reversed forwards": ("what tap $a$ meets", {"case": reversed_forwards}),
    "rows move by one at any stride": ("Each row of $T$", {"case": rows_move_by_one}),
    "the kernel is not reversed backwards": ("This is a convolution again", {"case": not_reversed_backwards}),
    "stride stays stride": ("have changed places", {"case": stride_stays_stride}),
    "the bias gets the mean error": ("have changed places", {"case": mean_for_the_bias}),
    "channels vary fastest": ("swaps channels and filters", {"case": filters_not_swapped}),
    "every place has weights of its own": ("share weights", {"case": weights_of_their_own}),
    "kernels are unrolled channels last": ("never formed", {"case": channels_last_kernels}),
    "overlapping windows overwrite": ("Unfolding copies", {"case": overlaps_overwritten}),
    "a mean over batch and places": ("are those of a dense layer", {"case": mean_over_the_places}),
}


def outputs(formula):
    """The case of the output's size with another formula of n, k, s, p and d."""

    def case(rng):
        layer, size = receptive_field._one_layer(rng)
        by_torch = receptive_field._run([layer], torch.zeros(size), [torch.ones(layer.k)])
        return len(by_torch), formula(size, layer.k, layer.s, layer.p, layer.d)

    return case


def own_stride_counts(rng):
    layers = receptive_field._windows(rng)
    jumps = np.cumprod([layer.s for layer in layers])
    field = 1 + sum((layer.k - 1) * layer.d * jump for layer, jump in zip(layers, jumps, strict=True))
    return receptive_field._fields(layers)[0], field


def kernels_correlated(rng):
    x, first, second = (torch.from_numpy(rng.normal(size=(size, size))) for size in (9, 3, 3))
    both = torch.from_numpy(convolve2d(first, second.flip(0, 1)))
    twice = F.conv2d(F.conv2d(x[None, None], first[None, None]), second[None, None])
    return twice, F.conv2d(x[None, None], both[None, None])


def every_second_output(rng):
    layers = receptive_field._dilated(3, 2)
    x, kernels = torch.from_numpy(rng.normal(size=40)), [torch.from_numpy(rng.normal(size=3)) for _ in layers]
    strided = receptive_field._run([receptive_field.Window(3, 2)] * len(layers), x, kernels)
    return strided, receptive_field._run(layers, x, kernels)[::2][: len(strided)]


def all_of_the_field_is_seen(rng):
    (field, seen), _ = receptive_field._gaps(rng)
    return [field, seen], [field, field]


r, j, u, k, d, s, p, L = (getattr(receptive_field, name) for name in "rjukdspL")
RECEPTIVE_FIELD = {
    "the size is rounded up": (
        "Solved for",
        {"case": outputs(lambda n, k, s, p, d: -((d * (k - 1) + 1 - n - 2 * p) // s) + 1)},
    ),
    "dilation is forgotten in the size": (
        "Solved for",
        {"case": outputs(lambda n, k, s, p, d: (n + 2 * p - k) // s + 1)},
    ),
    "padding counts once": ("Solved for", {"case": outputs(lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1)}),
    "the window is d k wide": ("each window adds", {"right": r + d * k * j}),
    "the layer's own stride widens its window": ("each window adds", {"right": r + (k - 1) * d * j * s}),
    "padding is not measured in jumps": ("begins at the unit", {"right": u - p}),
    "strides add up": ("From one unit to the next", {"right": j + s}),
    "the product includes the own stride": ("Unrolled", {"case": own_stride_counts}),
    "kernels are correlated": ("two kernels of", {"case": kernels_correlated}),
    "one dilation too many": ("Dilations that double", {"right": 1 + (k - 1) * 2**L}),
    "every second output is the strided one": ("Strides of 2", {"case": every_second_output}),
    "the whole field is taken as seen": ("leaves gaps", {"case": all_of_the_field_is_seen}),
}


def scaled(case, factor):
    """The case with its right side times a factor."""

    def mistaken(rng):
        left, right = case(rng)
        return left, factor * np.asarray(right)

    return mistaken


def variance_of_the_inputs(rng):
    layer = convolution_init._Forward(rng)
    mean = F.avg_pool2d(layer.x, convolution_init.K, 1).mean(1)[0]
    return layer.y.square().mean(0), 8 * layer.std**2 * (layer.mean_square - mean**2)


def half_of_the_variance(rng):
    y = convolution_init._Forward(rng).y
    return y.relu().var(0, correction=0), y.var(0, correction=0) / 2


def kernels_do_not_cancel(rng):
    d, kernel = rng.integers(1, 64, size=5), rng.integers(2, 8, size=4)
    return np.prod(d[:-1] / (kernel**2 * d[1:])), d[0] / d[-1]


def stride_forgotten(rng):
    layer = convolution_init._Backward(rng, 2)
    return layer.errors.square().mean(), 8 * layer.std**2 * layer.delta.square().mean()


def edges_lost_altogether(rng):
    size, k = int(rng.integers(3, 8)), 3
    inside = F.avg_pool2d(torch.ones(1, 1, size, size), k, 1, padding=1).mean()
    return inside, ((size - k + 1) / size) ** 2


n, n_hat, depth = convolution_init.n, convolution_init.n_hat, convolution_init.L
CONVOLUTION_INIT = {
    "the fan-in without the kernel's area": ("Products of two", {"case": scaled(convolution_init._forward, 1 / 4)}),
    "the variance for the mean square": ("Products of two", {"case": variance_of_the_inputs}),
    "half of the variance passes": ("signs turned", {"case": half_of_the_variance}),
    "no gain for ReLU": ("the first condition", {"right": 1 / n}),
    "the fan-in on the way back": ("On the way back", {"case": scaled(convolution_init._backward, 1 / 2)}),
    "all of the error passes": ("ReLU's slope", {"case": scaled(convolution_init._slope, 2)}),
    "the fans' mean for the fan-out": ("the second condition", {"right": 4 / (n + n_hat)}),
    "kernel sizes do not cancel": ("Either condition", {"case": kernels_do_not_cancel}),
    "the stride is forgotten": ("With a stride", {"case": stride_forgotten}),
    "the standard deviation's loss for the variance's": ("Where $c_l", {"right": 2 ** (-depth / 2)}),
    "Xavier is taken to keep the signal": ("So it is in a stack", {"case": scaled(convolution_init._measured, 2)}),
    "the whole edge is lost": ("For an odd $k$", {"case": edges_lost_altogether}),
}

MISTAKES = {"convolution": CONVOLUTION, "receptive_field": RECEPTIVE_FIELD, "convolution_init": CONVOLUTION_INIT}


@pytest.mark.parametrize(("name", "mistake"), each(MISTAKES))
def test_a_mistake_is_caught_in_the_step_where_it_is_made(name: str, mistake: str):
    words, changes = MISTAKES[name][mistake]
    assert_caught(name, words, **changes)
