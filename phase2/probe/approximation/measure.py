"""Universal approximation, tried: how near trained perceptrons come to a function, everywhere, by width and depth.

Cybenko 1989 promises that some network of enough units is near a continuous function in the sup norm. What gradient
descent finds is another matter, and the sup norm, unlike the mean squared error that is minimised, forgives nothing.
"""

from itertools import product

import pandas as pd
import torch
from torch import Tensor

from phase2 import registry
from phase2.data.disk import scratch_folder
from phase2.errors import UserError
from phase2.nn import mse_loss
from phase2.probe.approximation.card import Options
from phase2.task.augmentation.none import none
from phase2.task.points import Points
from phase2.task.seeding import generator
from phase2.task.task import Metric, Task
from phase2.train.loop import train_pack
from phase2.train.recipe import Lane, Recipe

GRID = 2001  # points at which the error is taken: 0.001 apart
SHOWN = 10  # one in so many of them is kept for drawing
VALIDATION = 256

TARGETS = {
    "sine": lambda x: torch.sin(3 * torch.pi * x),
    "absolute": lambda x: 2 * x.abs() - 1,
    "step": lambda x: torch.sign(x),
    "runge": lambda x: 2 / (1 + 25 * x * x) - 1,
    "chirp": lambda x: torch.sin(5 * torch.pi * x * x),
}


def measure(options: Options) -> dict[str, pd.DataFrame]:
    """Trains a perceptron for every target, width, depth and seed, and measures it on a fine grid of [-1, 1].

    Table `errors`: target, width, depth, seed, parameters, sup_error, rms_error. Table `fits`: target, width, depth,
    x, truth, prediction of the first seed. Raises `UserError` if a training diverges.
    """
    x = torch.linspace(-1, 1, GRID)
    errors, fits = [], []
    for target, width, depth, seed in product(options.targets, options.widths, options.depths, options.seeds):
        truth = TARGETS[target](x)
        prediction, parameters = fit(target, width, depth, seed, options, x)
        error = (prediction - truth).abs()
        place = {"target": target, "width": width, "depth": depth}
        measured = {"sup_error": float(error.max()), "rms_error": float(error.square().mean().sqrt())}
        errors.append(place | {"seed": seed, "parameters": parameters} | measured)
        if seed == options.seeds[0]:
            shown = {"x": x[::SHOWN], "truth": truth[::SHOWN], "prediction": prediction[::SHOWN]}
            fits.append(pd.DataFrame({name: values.numpy() for name, values in shown.items()}).assign(**place))
    columns = ["target", "width", "depth", "x", "truth", "prediction"]
    return {"errors": pd.DataFrame(errors), "fits": pd.concat(fits, ignore_index=True)[columns]}


def fit(target: str, width: int, depth: int, seed: int, options: Options, x: Tensor) -> tuple[Tensor, int]:
    """One trained network's values at `x` (n,), of its epoch best on validation, and its number of parameters."""
    model = {"width": width, "depth": depth, "activation": options.activation}
    recipe = Recipe(
        model="mlp",
        model_options=model,
        optimizer="adam",
        batch_size=options.batch_size,
        epochs=options.epochs,
        seed=seed,
    )
    lane = Lane(init="kaiming", schedule="cosine", lr=options.lr)
    device = torch.device("cpu")
    with scratch_folder() as folder:
        (result,) = train_pack(recipe, [lane], _parts(target, options.points, seed), folder, device=device)
    if result.status != "ok":
        raise UserError(f"approximation: {target} by width {width}, depth {depth} diverged: lower lr={options.lr}")
    network = registry.load("model", "mlp")((2,), 1, **model)
    network.load_state_dict(result.weights["best"])
    with torch.no_grad():
        return network(_inputs(x)).squeeze(-1), sum(p.numel() for p in network.parameters())


def _parts(target: str, points: int, seed: int) -> Task:
    """Random points to train on, others to choose the epoch by; the test part is the grid."""
    draw = generator(seed, "data")

    def part(x: Tensor) -> Points:
        return Points(_inputs(x), TARGETS[target](x).unsqueeze(-1))

    train, validation = (torch.rand(n, generator=draw) * 2 - 1 for n in (points, VALIDATION))
    return Task(
        part(train),
        part(validation),
        part(torch.linspace(-1, 1, GRID)),
        1,
        mse_loss,
        (Metric.named("closeness"),),
        none,
    )


def _inputs(x: Tensor) -> Tensor:
    """(n, 2): x and a constant, which spreads the first layer's kinks at the start, when biases are zero."""
    return torch.stack([x, torch.ones_like(x)], -1)
