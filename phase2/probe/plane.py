"""Lines and planes through a network's weights, and the loss at many of their points at once, in lanes.

A point with coordinates c is W₀ + Σ_k c_k D_k. Directions are random with the filters' norms, so that a step means the
same to networks of any scale, or the principal components of a path. Li et al. 2018, sections 4 and 7.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from phase2.errors import UserError
from phase2.models.mlp import MLP
from phase2.nn import BatchNorm1d, BatchNorm2d
from phase2.task.task import Measure
from phase2.train.lanes import Stack

Weights = dict[str, Tensor]
AT_ONCE = 64  # points: starting an operation costs little beside so many, and memory stays modest


def random_direction(weights: Weights, generator: torch.Generator) -> Weights:
    """Standard normal numbers in the shapes of `weights`, in their order."""
    return {
        name: torch.randn(w.shape, generator=generator, dtype=w.dtype, device=generator.device).to(w.device)
        for name, w in weights.items()
    }


def filter_normalized(direction: Weights, weights: Weights) -> Weights:
    """Each filter d (an index of the first dimension) becomes d |w| / (|d| + 1e-10), of the norm of its weights w.

    Biases and the parameters of norms, which have one dimension, become 0. Li et al. 2018, section 4.
    """
    return {name: _filters(d, weights[name]) for name, d in direction.items()}


def _filters(d: Tensor, w: Tensor) -> Tensor:
    if w.ndim < 2:
        return torch.zeros_like(w)
    norms, targets = (t.flatten(1).norm(dim=1).view(-1, *[1] * (t.ndim - 1)) for t in (d, w))
    return d * (targets / (norms + 1e-10))


def flatten(weights: Weights) -> Tensor:
    """All numbers as one vector (parameters,)."""
    return torch.cat([w.flatten() for w in weights.values()])


def unflatten(vector: Tensor, like: Weights) -> Weights:
    """The inverse of `flatten`; raises `UserError` for a vector that is not as long as `like` has numbers."""
    sizes = [w.numel() for w in like.values()]
    if vector.shape != (sum(sizes),):
        raise UserError(f"unflatten: vector has shape {tuple(vector.shape)}, expected ({sum(sizes)},), as the weights")
    parts = vector.split(sizes)
    return {name: part.view_as(w) for part, (name, w) in zip(parts, like.items(), strict=True)}


def principal_plane(path: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The plane through the last point of `path` (points, parameters) that is nearest to the others.

    Returns the origin (parameters,), which is the last point; an orthonormal basis (2, parameters); coordinates
    (points, 2), where the first point's are not negative; and the share (2,) of the squared distances from the last
    point that lies in each direction. Li et al. 2018, section 7.2: the principal components of the differences from
    the final weights. Raises `UserError` for fewer than two points and two parameters, or a path that stands still.
    """
    if path.ndim != 2 or min(path.shape) < 2:
        raise UserError(f"principal_plane: path has shape {tuple(path.shape)}, expected (points, parameters) above 1")
    differences = path - path[-1]
    _, s, components = torch.linalg.svd(differences, full_matrices=False)
    if not s[0] > 0:
        raise UserError(
            "principal_plane: all points of the path are the same or not finite, expected a path that moves"
        )
    basis = components[:2]
    basis = basis * torch.where(basis @ differences[0] < 0, -1.0, 1.0).to(basis).unsqueeze(1)
    return path[-1], basis, differences @ basis.T, s[:2] ** 2 / (s**2).sum()


@torch.no_grad()
def losses_at(
    model: nn.Module,
    measure: Measure,
    origin: Weights,
    directions: Sequence[Weights],
    coordinates: Tensor,
    inputs: Tensor,
    targets: Tensor,
    *,
    at_once: int = AT_ONCE,
    recalibrate: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean loss (points,) and metrics (points,) of `model`, in evaluation mode, at `coordinates` (points, directions).

    `origin` and each direction have the names and shapes of the model's parameters; the model is left as it was, and
    its buffers serve at all points. `inputs` (batch, ...) and `targets` (batch, ...) are one batch. With
    `recalibrate`, BatchNorm's statistics are first computed anew at each point, from the same inputs. `at_once` points
    are lanes of one stack; a point whose loss is not a number has no metrics, and no other point sees it.
    """
    if coordinates.ndim != 2 or coordinates.shape[1] != len(directions):
        raise UserError(
            f"losses_at: coordinates have shape {tuple(coordinates.shape)}, expected (points, {len(directions)}), "
            "a column a direction"
        )
    base = deepcopy(model).eval()
    spans = {name: torch.stack([w, *(d[name] for d in directions)]) for name, w in origin.items()}
    if isinstance(base, MLP):
        base, spans = _past_first_layer(base, spans, inputs)
    norms = [layer for layer in base.modules() if isinstance(layer, BatchNorm1d | BatchNorm2d)] if recalibrate else []
    for norm in norms:
        norm.momentum = None  # the plain average of all batches, which are one here
        norm.reset_running_stats()
    losses: list[Tensor] = []
    totals: list[dict[str, Tensor]] = []
    for some in coordinates.split(at_once):
        stack = _stack(base, measure, spans, some)
        if norms:  # in training mode they alone, so that nothing is dropped
            nn.ModuleList(norms).train()
            stack.measure(inputs, targets)
            base.eval()
        found = stack.measure(inputs, targets)
        losses.append(found[0])
        totals.append(found[1])
    loss = torch.cat(losses)
    means = {name: torch.cat([each[name] for each in totals]) / len(targets) for name in totals[0]}
    return loss, {name: mean.where(~loss.isnan(), torch.nan) for name, mean in means.items()}


def _stack(base: nn.Module, measure: Measure, spans: Weights, coordinates: Tensor) -> Stack:
    """A lane for each of the `coordinates` (points, directions); `spans` hold the origin and the directions."""
    parameters = {
        name: torch.addmm(span[0].flatten(), coordinates.to(span), span[1:].flatten(1)).view(-1, *span.shape[1:])
        for name, span in spans.items()
    }
    buffers = {name: torch.stack([value] * len(coordinates)) for name, value in base.named_buffers()}
    return Stack(base, measure, parameters, buffers)


class _Known(nn.Module):
    """A layer whose output (batch, features) is its parameter."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = nn.Parameter(output)

    def forward(self, x: Tensor) -> Tensor:
        return self.output


def _past_first_layer(model: MLP, spans: Weights, inputs: Tensor) -> tuple[MLP, Weights]:
    """The same network and directions with the first layer's output in place of its weights.

    Linear(x) = x Wᵀ + b is linear in (W, b), so its output at a point is that combination of its outputs at the origin
    and in the directions: the largest product of all, computed once and not at every point.
    """
    spans = dict(spans)
    weight, bias = spans.pop("layers.0.weight"), spans.pop("layers.0.bias")
    outputs = inputs.flatten(1) @ weight.mT + bias.unsqueeze(1)
    model.layers[0] = _Known(outputs[0])
    return model, {"layers.0.output": outputs} | spans
