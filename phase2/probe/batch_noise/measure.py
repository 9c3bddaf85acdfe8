"""The noise that a minibatch adds to batch-normalised values, against what the delta method predicts.

For one unit, let ξ be a sample's value in units of the population (mean 0, variance 1, skewness γ, kurtosis κ).
In a random batch of m, the mean is a and the variance 1 + b, where to order 1/m

    Var a = 1/m,   Var b = (κ - 1)/m,   Cov(a, b) = γ/m.

Then x̂ = (ξ - a)/√(1 + b) = ξ - a - ξ b/2 + O(1/m), so that

    Var x̂ = (1 + γ ξ + (κ - 1) ξ²/4) / m,   and (1 + ξ²/2) / m if the values are Gaussian;
    Var std = (κ - 1) / (4 m),               and 1 / (2 m).

Var a = 1/m is exact. Ioffe & Szegedy 2015, algorithm 1; Teye et al. 2018 on the noise.
"""

from collections.abc import Iterator

import pandas as pd
import torch
from torch import Generator, Tensor

from phase2 import registry
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.nn import Linear
from phase2.probe.batch_noise.card import Options
from phase2.probe.images import images_of
from phase2.task.seeding import generator
from phase2.task.task import Split

SAMPLES = 256  # whose normalised value is followed from batch to batch
EPS = 1e-5  # as BatchNorm's, in units of the population's variance
ROWS = 1 << 16  # gathered at a time


def measure(options: Options, data: Prepared) -> dict[str, pd.DataFrame]:
    """Measured and predicted noise of BatchNorm on the pre-activations of real images under a Kaiming layer.

    Table `noise`, a row for each batch size, seed and `quantity`: `normalized`, the variance of a sample's x̂ over
    the batches that contain it, averaged over samples and units; `mean` and `std`, the variance of the batch's
    own. `measured`; `predicted` by the delta method with the data's skewness and kurtosis, and `gaussian` without.
    All are in units of the population's variance. Raises `UserError` for a batch size below 2.
    """
    train = images_of(data).train
    tables = []
    for seed in options.seeds:
        values = standardized(preactivations(train, options.width, seed))
        for size in options.batch_sizes:
            table = noise(values, size, options.draws, generator(seed, "data", 0, size))
            tables.append(table.assign(batch_size=size, seed=seed))
    columns = ["batch_size", "seed", "quantity", "measured", "predicted", "gaussian"]
    return {"noise": pd.concat(tables, ignore_index=True)[columns]}


@torch.no_grad()
def preactivations(train: Split, width: int, seed: int) -> Tensor:
    """(images, width): all images through one Linear layer with Kaiming weights."""
    layer = Linear(train.features, width)
    registry.load("init", "kaiming")(layer, generator=generator(seed, "init"), batch=None)
    return torch.cat([layer(images.flatten(1)) for images, _ in train.in_order(4096, torch.float32)]).double()


def standardized(values: Tensor) -> Tensor:
    """Each column of `values` (samples, units) with mean 0 and variance 1 over the samples."""
    centered = values - values.mean(0)
    return centered / centered.square().mean(0).sqrt()


def noise(values: Tensor, batch_size: int, draws: int, random: Generator) -> pd.DataFrame:
    """Measured and predicted variances, a row a quantity, for a population `values` (samples, units), standardised.

    Batches are drawn with replacement; each followed sample takes the first place in every one of them.
    """
    if batch_size < 2:
        raise UserError(f"batch_noise: batch_sizes has {batch_size}, expected at least 2: alone, a sample becomes 0")
    xi = values[torch.randperm(len(values), generator=random)[:SAMPLES]]
    rows = torch.randint(len(values), (draws, batch_size), generator=random)
    mean, std, normalized = (torch.cat(parts) for parts in zip(*_batches(values, xi, rows), strict=True))
    measured = {"normalized": normalized.var(0), "mean": mean.var(0), "std": std.var(0)}
    skewness, kurtosis = values.pow(3).mean(0), values.pow(4).mean(0)
    own, gaussian = predicted(xi, skewness, kurtosis), predicted(xi, torch.tensor(0.0), torch.tensor(3.0))
    return pd.DataFrame(
        {
            "quantity": name,
            "measured": variance.mean().item(),
            "predicted": own[name].mean().item() / batch_size,
            "gaussian": gaussian[name].mean().item() / batch_size,
        }
        for name, variance in measured.items()
    )


def predicted(xi: Tensor, skewness: Tensor, kurtosis: Tensor) -> dict[str, Tensor]:
    """m times the variance of each quantity: `xi` (samples, units), `skewness` and `kurtosis` (units,)."""
    return {
        "normalized": 1 + skewness * xi + (kurtosis - 1) * xi**2 / 4,
        "mean": torch.ones_like(kurtosis),
        "std": (kurtosis - 1) / 4,
    }


def _batches(values: Tensor, xi: Tensor, rows: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Of some of the batches `rows` (draws, m) at a time: mean, std (draws, units), x̂ (draws, samples, units)."""
    m = rows.shape[1]
    for some in rows.split(max(1, ROWS // m)):
        others = values[some[:, 1:]]
        mean, var = others.mean(1, keepdim=True), others.var(1, correction=0, keepdim=True)
        mean_x, var_x = _with_one_more(xi, mean, var, m)
        mean, var = _with_one_more(values[some[:, :1]], mean, var, m)
        yield mean.squeeze(1), var.sqrt().squeeze(1), (xi - mean_x) / (var_x + EPS).sqrt()


def _with_one_more(x: Tensor, mean: Tensor, var: Tensor, m: int) -> tuple[Tensor, Tensor]:
    """Mean and variance of m values: x and m - 1 others of that `mean` and `var`. Chan et al. 1983."""
    gap = x - mean
    return mean + gap / m, (m - 1) / m * (var + gap**2 / m)
