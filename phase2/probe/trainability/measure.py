"""Which perceptrons begin to learn: a map over depth and the size of the first weights, and the theory's depth scale.

A gradient grows or shrinks by a factor of χ a layer, in the mean of its square. Where |log χ| times the depth is large,
a first layer gets none, or one that throws it far off: networks much deeper than 1 / |log χ| are not expected to train
(Schoenholz et al. 2017, section 5; they take the correlation of two inputs, which decays over the same scale on the
ordered side of the edge).
"""

from itertools import product

import numpy as np
import pandas as pd
import torch

from phase2.data.prepared import Prepared
from phase2.probe.images import images_of
from phase2.probe.mean_field.measure import chi, fixed_point
from phase2.probe.trainability.card import Options
from phase2.task.order import epoch_order
from phase2.task.task import Task
from phase2.train.lanes import Stack, evaluate
from phase2.train.loop import Training
from phase2.train.recipe import Lane, Recipe

CURVE = 200  # values of σ_w at which the theory is told
KAIMING = 2**0.5  # σ_w of the init that is scaled


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Trains a perceptron of each activation, depth, σ_w and seed by momentum on the same minibatches.

    Table `trained` has their accuracy on the training images, after training and in evaluation mode: the question is
    what trains. Table `theory` has χ and the depth scale over the range of σ_w.
    """
    parts = images_of(data, options.train)
    rows = []
    for activation, depth, seed in product(options.activations, options.depths, options.seeds):
        names = {"activation": activation, "depth": depth, "seed": seed}
        for weight_std, accuracy in zip(options.weight_stds, _trained(names, options, parts), strict=True):
            rows.append(names | {"weight_std": weight_std, "accuracy": accuracy})
    columns = ["activation", "weight_std", "depth", "seed", "accuracy"]
    return {"trained": pd.DataFrame(rows)[columns], "theory": _theory(options)}


def _trained(names: dict, options: Options, parts: Task) -> list[float]:
    """The accuracies of networks that start at each σ_w, as lanes of one pack; NaN of those that diverged."""
    recipe = Recipe(
        model="mlp",
        model_options={"width": options.width, "depth": names["depth"], "activation": names["activation"]},
        optimizer="momentum",
        batch_size=options.batch_size,
        epochs=options.epochs,
        seed=names["seed"],
    )
    lanes = [Lane("kaiming", "constant", options.lr) for _ in options.weight_stds]
    training = Training(recipe, lanes, parts, torch.device("cpu"), torch.float32)
    _scale(training.stack, torch.tensor(options.weight_stds) / KAIMING)
    for epoch in range(options.epochs):
        for rows in epoch_order(len(parts.train), recipe.seed, epoch).split(options.batch_size):
            training.step(rows)
    measured = evaluate(training.stack, parts.train, torch.float32)
    finished = training.state.alive & measured["loss"].isfinite()
    return measured["accuracy"].where(finished, torch.nan).tolist()


@torch.no_grad()
def _scale(stack: Stack, factors: torch.Tensor) -> None:
    """Multiplies each lane's weights (not biases, which are 0) by its factor."""
    for parameter in stack.parameters.values():
        parameter *= factors.reshape(-1, *[1] * (parameter.dim() - 1))


def _theory(options: Options) -> pd.DataFrame:
    weight_stds = np.geomspace(min(options.weight_stds), max(options.weight_stds), CURVE)
    table = pd.DataFrame(product(options.activations, weight_stds), columns=["activation", "weight_std"])
    table["chi"] = [chi(name, std, fixed_point(name, std, 0.0)) for name, std in table.itertuples(index=False)]
    return table.assign(depth_scale=1 / np.log(table.chi).abs())
