"""A small problem that optimizers descend, with noisy gradients that repeat, and the optimizers' flags."""

from functools import cache
from itertools import combinations

import torch

import phase2.optim as ours

SHAPES = ((4, 3), (3,), ())
FLAGS = {  # a value for each flag that changes the arithmetic, besides its default
    "SGD": {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05, "nesterov": True, "maximize": True},
    "RMSprop": {
        "alpha": 0.5,
        "eps": 0.1,
        "weight_decay": 0.05,
        "momentum": 0.9,
        "centered": True,
        "maximize": True,
    },
    "Adagrad": {
        "lr_decay": 0.1,
        "weight_decay": 0.05,
        "initial_accumulator_value": 0.3,
        "eps": 0.1,
        "maximize": True,
    },
    "Adam": {"betas": (0.5, 0.0), "eps": 0.1, "weight_decay": 0.05, "amsgrad": True, "maximize": True},
    "AdamW": {"betas": (0.5, 0.0), "eps": 0.1, "weight_decay": 0.3, "amsgrad": True, "maximize": True},
}
NAMES = list(FLAGS)
RICH = [
    ("SGD", {"momentum": 0.9, "weight_decay": 0.05, "nesterov": True}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.05, "centered": True}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.05}),
    ("Adam", {"weight_decay": 0.05, "amsgrad": True}),
    ("AdamW", {"weight_decay": 0.05}),
]


def with_flags(name, chosen):
    """The options that set the chosen flags; SGD's dampening and nesterov only mean something with momentum."""
    options = {flag: FLAGS[name][flag] for flag in chosen}
    if {"dampening", "nesterov"} & set(options):
        options["momentum"] = 0.9
    if "nesterov" in options:
        options["dampening"] = 0
    return options


# No flag, each flag, each pair of flags, and all of them
CASES = [
    (name, with_flags(name, chosen))
    for name, flags in FLAGS.items()
    for size in (0, 1, 2, len(flags))
    for chosen in combinations(flags, size)
]


def both(name):
    """Our optimizer and torch's."""
    return getattr(ours, name), getattr(torch.optim, name)


def assert_close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-12)


def parameters(lanes=None, seed=0):
    """Three float64 parameters of shapes (4, 3), (3,) and (), each with a leading lane dimension if asked."""
    generator = torch.Generator().manual_seed(seed)
    lead = () if lanes is None else (lanes,)
    return [
        torch.nn.Parameter(torch.randn((*lead, *shape), dtype=torch.float64, generator=generator)) for shape in SHAPES
    ]


@cache
def noise(shape, step):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(step))


def set_gradients(params, step):
    """The gradient of sum(p^2 / 2 + cos p), plus noise that depends on the step alone."""
    for p in params:
        p.grad = p.detach() - p.detach().sin() + noise(p.shape, step)


def descend(optimizer, params, steps=200, first=0):
    """Parameters after every step, all in one tensor (steps, elements)."""
    trace = []
    for step in range(first, first + steps):
        set_gradients(params, step)
        optimizer.step()
        trace.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(trace)
