"""Universal approximation, tried: how near fitted perceptrons come to a function, everywhere, by width and depth.

Cybenko 1989 promises that some network of enough units is near a continuous function in the sup norm. What is found by
minimising the squared error on some points is another matter, and the sup norm, unlike that error, forgives nothing.

The fit is of all points at once, in float64, by L-BFGS (Liu & Nocedal 1989). It has converged if the root mean square
error fell by less than a tenth in the last 100 iterations, or if nothing is left of the gradient.
"""

from itertools import product

import numpy as np
import pandas as pd
import torch
from scipy.optimize import OptimizeResult, minimize
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from phase2 import registry
from phase2.nn import mse_loss
from phase2.probe.approximation.card import Options
from phase2.task.seeding import drawing, generator

GRID = 2001  # points at which the error is taken: 0.001 apart
SHOWN = 10  # one in so many of them is kept for drawing
MEMORY = 20  # pairs of steps and gradients that L-BFGS keeps
WINDOW, FALL = 100, 0.9  # iterations, and the part of the root mean square error that is left if it still falls
FLAT = 1e-9  # largest entry of the gradient: nothing is left of it

TARGETS = {
    "sine": lambda x: torch.sin(3 * torch.pi * x),
    "absolute": lambda x: 2 * x.abs() - 1,
    "step": lambda x: torch.sign(x),
    "runge": lambda x: 2 / (1 + 25 * x * x) - 1,
    "chirp": lambda x: torch.sin(5 * torch.pi * x * x),
}


def measure(options: Options) -> dict[str, pd.DataFrame]:
    """Fits a perceptron for every target, width, depth and seed, and measures it on a fine grid of [-1, 1].

    Table `errors`: target, width, depth, seed, parameters; sup_error and rms_error on the grid; train_rms, on the
    points; steps (iterations) and whether it `converged` in them. Table `fits`: target, width, depth, seed, x, truth,
    prediction of the first seed.
    """
    x = torch.linspace(-1, 1, GRID, dtype=torch.float64)
    errors, fits = [], []
    for target, width, depth, seed in product(options.targets, options.widths, options.depths, options.seeds):
        truth = TARGETS[target](x)
        model = network(width, depth, options.activation, seed)
        ended = fit(model, *points(target, options.points, seed), options.steps)
        with torch.no_grad():
            prediction = model(_inputs(x)).squeeze(-1)
        error = (prediction - truth).abs()
        place = {"target": target, "width": width, "depth": depth, "seed": seed}
        size = {"parameters": sum(p.numel() for p in model.parameters())}
        measured = {"sup_error": float(error.max()), "rms_error": float(error.square().mean().sqrt())}
        errors.append(place | size | measured | ended)
        if seed == options.seeds[0]:
            shown = {"x": x[::SHOWN], "truth": truth[::SHOWN], "prediction": prediction[::SHOWN]}
            fits.append(pd.DataFrame(place | {name: values.numpy() for name, values in shown.items()}))
    return {"errors": pd.DataFrame(errors), "fits": pd.concat(fits, ignore_index=True)}


def network(width: int, depth: int, activation: str, seed: int) -> torch.nn.Module:
    """A perceptron of a number and a constant, which spreads the first layer's kinks at the start, biases being 0."""
    with drawing(seed, "init"):
        model = registry.load("model", "mlp")((2,), 1, width=width, depth=depth, activation=activation).double()
    registry.load("init", "kaiming")(model, generator=generator(seed, "init"), batch=None)
    return model


def points(target: str, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """`count` random numbers in [-1, 1] (count,), and the target there."""
    x = torch.rand(count, generator=generator(seed, "data"), dtype=torch.float64) * 2 - 1
    return x, TARGETS[target](x)


def fit(model: torch.nn.Module, x: Tensor, y: Tensor, steps: int) -> dict[str, float | int | bool]:
    """Fits a model to y at x (n,), in place; train_rms, steps, converged."""
    parameters, inputs = list(model.parameters()), _inputs(x)
    losses: list[float] = []

    def loss_and_gradient(weights: np.ndarray) -> tuple[float, np.ndarray]:
        vector_to_parameters(torch.from_numpy(weights), parameters)
        loss = mse_loss(model(inputs).squeeze(-1), y)
        return loss.item(), torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)]).numpy()

    def after(intermediate_result: OptimizeResult) -> None:
        losses.append(intermediate_result.fun)
        if settled(losses):
            raise StopIteration

    start = parameters_to_vector(parameters).detach().numpy()
    limits = {"maxiter": steps, "maxfun": 10 * steps, "maxcor": MEMORY, "ftol": 0, "gtol": FLAT}
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", callback=after, options=limits)
    vector_to_parameters(torch.from_numpy(found.x), parameters)
    converged = settled(losses) or bool(np.abs(found.jac).max() <= FLAT)
    return {"train_rms": found.fun**0.5, "steps": len(losses), "converged": converged}


def settled(losses: list[float]) -> bool:
    """Whether the root of the losses, one an iteration, fell by less than a tenth in the last WINDOW."""
    return len(losses) > WINDOW and losses[-1] > FALL**2 * losses[-1 - WINDOW]


def _inputs(x: Tensor) -> Tensor:
    """(n, 2): x and a constant."""
    return torch.stack([x, torch.ones_like(x)], -1)
