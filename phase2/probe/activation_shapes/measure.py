"""Every activation with its first and second derivative, as our layers compute them."""

import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module

from phase2 import registry
from phase2.errors import UserError
from phase2.probe.activation_shapes.card import Options


def measure(options: Options, data: None = None) -> dict[str, pd.DataFrame]:
    """Values and derivatives on a grid.

    Table `shapes`, a row for each activation and x: `value`, `first`, `second`, the derivatives by autograd of
    autograd. Table `extremes`, a row an activation: its `minimum` on the grid and the x where it is (`argmin`);
    `max_slope` and `max_curvature`, the largest |first| and |second|: Lipschitz constants of f and, away from a
    corner, of f'. Raises `UserError` for low >= high or fewer than 2 points.
    """
    if not options.low < options.high or options.points < 2:
        raise UserError(
            f"activation_shapes: low={options.low}, high={options.high}, points={options.points}, "
            "expected low < high and at least 2 points"
        )
    x = torch.linspace(options.low, options.high, options.points, dtype=torch.float64)
    shapes = pd.concat([_shape(name, x) for name in options.activations], ignore_index=True)
    return {"shapes": shapes, "extremes": extremes(shapes)}


def extremes(shapes: pd.DataFrame) -> pd.DataFrame:
    """The table `extremes` of a table `shapes`."""
    lowest = shapes.loc[shapes.groupby("activation", sort=False).value.idxmin()]
    largest = shapes.assign(slope=shapes["first"].abs(), curvature=shapes.second.abs()).groupby("activation")
    return pd.DataFrame(
        {
            "activation": lowest.activation.array,
            "minimum": lowest.value.array,
            "argmin": lowest.x.array,
            "max_slope": largest.slope.max()[lowest.activation].array,
            "max_curvature": largest.curvature.max()[lowest.activation].array,
        }
    )


def _shape(name: str, x: Tensor) -> pd.DataFrame:
    layer: Module = registry.load("activation", name)().double()
    x = x.clone().requires_grad_()
    y = layer(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    columns = {"x": x, "value": y, "first": first, "second": second}
    return pd.DataFrame({"activation": name, **{key: t.detach().numpy() for key, t in columns.items()}})
