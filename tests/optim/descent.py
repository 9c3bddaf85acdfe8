"""A small problem that optimizers descend, with noisy gradients that repeat."""

import torch


def parameters(lanes=None, seed=0):
    """Three float64 parameters of shapes (4, 3), (3,) and (), each with a leading lane dimension if asked."""
    generator = torch.Generator().manual_seed(seed)
    lead = () if lanes is None else (lanes,)
    return [
        torch.nn.Parameter(torch.randn((*lead, *shape), dtype=torch.float64, generator=generator))
        for shape in ((4, 3), (3,), ())
    ]


def set_gradients(params, step):
    """The gradient of sum(p^2 / 2 + cos p), plus noise that depends on the step alone."""
    generator = torch.Generator().manual_seed(step)
    for p in params:
        noise = torch.randn(p.shape, dtype=p.dtype, generator=generator)
        p.grad = p.detach() - p.detach().sin() + noise


def descend(optimizer, params, steps=200, first=0):
    """Parameters after every step, (steps, ...) each."""
    trace = []
    for step in range(first, first + steps):
        set_gradients(params, step)
        optimizer.step()
        trace.append([p.detach().clone() for p in params])
    return trace
