"""Full-batch gradient descent at the edge of stability: the Hessian's largest eigenvalue on the way, against 2 / rate.

On a quadratic with an eigenvalue above 2 / rate the descent diverges. On networks that eigenvalue, the sharpness,
rises to 2 / rate and stays about there, while the loss falls on, though not at every step (Cohen et al. 2021).
"""

from collections.abc import Callable

import pandas as pd
import torch
from torch import Generator, Tensor
from torch.nn import Module

from phase2.data.prepared import Prepared
from phase2.models.mlp import MLP
from phase2.nn import mse_loss
from phase2.optim import SGD
from phase2.probe.edge_of_stability.card import Options
from phase2.probe.hessian import Hessian, hutchinson, top_eigenvalues
from phase2.probe.images import images_of
from phase2.task.seeding import drawing, generator
from phase2.task.task import Task

EIGENVALUES = 20  # of the spectrum before and after training
DRAWS = 100  # random vectors of the trace's estimate
FRESH = 0.1  # of a random vector in each start of Lanczos: the last eigenvector alone would never see another


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Gradient descent on the squared error of an MLP, with every rate and seed; a seed's networks start as one.

    The loss of an image is half the squared distance of the outputs from its label's one-hot vector, averaged over
    images; initial values are torch's.

    Table `path`, a row a step of each `lr` and `seed`: `step` (0 is the start), `loss`, and `sharpness`, the largest
    eigenvalue of the Hessian, at every `every`-th step, else NaN. The rows of a descent that diverges end before the
    first loss that is not finite.

    Table `spectrum`: `lr`, `seed`, `when` (before, after), `quantity`, `rank`, `value`: the largest `eigenvalue`s (rank
    1 is the first), the `trace`, and the number of `parameters` (both rank 0). No `after` for one that diverged.
    """
    parts = images_of(data, options.train)
    paths, spectra = [], []
    for seed in options.seeds:
        before = _spectrum(*_problem(parts, options, seed), generator(seed, "data", 0))
        for lr in options.rates:
            model, loss = _problem(parts, options, seed)
            place = {"lr": lr, "seed": seed}
            path = descend(model, loss, lr, options.steps, options.every, generator(seed, "data", 1))
            paths.append(path.assign(**place))
            spectra.append(before.assign(when="before", **place))
            if len(path) > options.steps:
                after = _spectrum(model, loss, generator(seed, "data", 2))
                spectra.append(after.assign(when="after", **place))
    return {
        "path": pd.concat(paths, ignore_index=True)[["lr", "seed", "step", "loss", "sharpness"]],
        "spectrum": pd.concat(spectra, ignore_index=True)[["lr", "seed", "when", "quantity", "rank", "value"]],
    }


def _problem(parts: Task, options: Options, seed: int) -> tuple[Module, Callable[[], Tensor]]:
    """A seed's network as it starts, and its loss on all images as a function of what it has become."""
    images, labels = parts.train.batch(torch.arange(len(parts.train)), torch.float32)
    targets = torch.eye(parts.outputs)[labels]
    with drawing(seed, "init"):
        model = MLP(parts.train.features, parts.outputs, options.width, options.depth, options.activation)
    return model, lambda: mse_loss(model(images), targets, reduction="sum") / (2 * len(targets))


def descend(
    model: Module, loss: Callable[[], Tensor], lr: float, steps: int, every: int, random: Generator
) -> pd.DataFrame:
    """`steps` of gradient descent on `model`, in place: `step`, `loss`, `sharpness`, a row a step that had a loss."""
    parameters = list(model.parameters())
    optimizer = SGD(parameters, lr=lr)
    vector = torch.zeros(sum(p.numel() for p in parameters))
    rows = []
    for step in range(steps + 1):
        value, sharpness = loss(), float("nan")
        if not value.isfinite():
            break
        if step % every == 0:
            fresh = torch.randn(len(vector), generator=random)
            start = vector + FRESH * fresh / fresh.norm()
            (largest,), vector = top_eigenvalues(Hessian(value, parameters), start, 1, random)
            sharpness = float(largest)
        rows.append({"step": step, "loss": value.item(), "sharpness": sharpness})
        if step < steps:
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    return pd.DataFrame(rows)


def _spectrum(model: Module, loss: Callable[[], Tensor], random: Generator) -> pd.DataFrame:
    hessian = Hessian(loss(), model.parameters())
    start = torch.randn(hessian.size, generator=random)
    values, _ = top_eigenvalues(hessian, start, min(EIGENVALUES, hessian.size), random)
    trace, _ = hutchinson(hessian, hessian.size, DRAWS, random)
    rows = [("eigenvalue", rank, float(value)) for rank, value in enumerate(values, start=1)]
    rows += [("trace", 0, trace), ("parameters", 0, float(hessian.size))]
    return pd.DataFrame(rows, columns=["quantity", "rank", "value"])
