"""Curvature and gradient noise where trainings ended: what the size of the batch, or another axis, selects.

Small batches are said to end in flatter minima (Keskar et al. 2017). The noise of a minibatch's gradient is measured
by the simple noise scale, tr Σ / |G|² (McCandlish et al. 2018, eq. 2.9): the batch size at which the noise is as
large as the gradient. G is the gradient of the mean loss over all training images, Σ the covariance of one image's.
"""

import pandas as pd
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.nn import Module

from phase2.data.prepared import Prepared
from phase2.nn import cross_entropy
from phase2.probe.curvature.card import Options
from phase2.probe.hessian import Hessian, hutchinson, top_eigenvalues
from phase2.probe.runs import Runs, training_images
from phase2.task.seeding import generator

NUMBERS = 1 << 22  # of gradients of single images, held at a time


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """The cross-entropy of trained networks on `options.images` of their training images, to second order.

    Table `curvature`, a row a run: its axes; `sharpness`, the largest eigenvalue of the Hessian; `trace` and
    `trace_error`, its standard error from `options.draws` random vectors; `gradient_norm` and `loss` on these images;
    `noise_scale`, in images, NaN where the gradient cannot be told from zero.
    """
    rows = []
    for run in runs:
        images, labels, population = training_images(options.images, data, run)
        random = generator(run.axes["seed"], "data")
        parameters = list(run.model.parameters())
        loss = cross_entropy(run.model(images), labels)
        hessian = Hessian(loss, parameters)
        (sharpness,), _ = top_eigenvalues(hessian, torch.randn(hessian.size, generator=random), 1, random)
        trace, error = hutchinson(hessian, hessian.size, options.draws, random)
        spread, square = gradient_moments(squared_norms(run.model, images, labels), hessian.gradient, population)
        measured = {
            "sharpness": float(sharpness),
            "trace": trace,
            "trace_error": error,
            "gradient_norm": hessian.gradient.norm().item(),
            "noise_scale": spread / square if square > 0 else float("nan"),
            "loss": loss.item(),
        }
        rows.append(run.axes | measured)
    measures = ("sharpness", "trace", "trace_error", "gradient_norm", "noise_scale", "loss")
    return {"curvature": runs.table(rows, *measures)}


def squared_norms(model: Module, images: Tensor, labels: Tensor) -> Tensor:
    """(batch,) in float64: the squared norm of the gradient of each image's own loss."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return cross_entropy(functional_call(model, parameters, (image.unsqueeze(0),)), label.unsqueeze(0))

    chunk = max(1, NUMBERS // sum(p.numel() for p in parameters.values()))
    norms = []
    for some in zip(images.split(chunk), labels.split(chunk), strict=True):
        gradients = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, *some)
        norms.append(sum(g.flatten(1).square().sum(1).double() for g in gradients.values()))
    return torch.cat(norms)


def gradient_moments(squares: Tensor, gradient: Tensor, population: int) -> tuple[float, float]:
    """tr Σ and |G|² of a `population` of images, estimated from n of them, drawn without replacement.

    From `squares` (n,), the squared norms of their gradients, and `gradient` (size,), their mean. Without bias: tr Σ,
    whose divisor is the number less one, from the n gradients' own; |G|² as the square of the mean less its variance,
    (1/n - 1/population) tr Σ, which is nothing if n is all. So it may be negative.
    """
    n, own = len(squares), gradient.double().square().sum()
    trace = (squares.mean() - own) * n / (n - 1)
    return float(trace), float(own - (1 / n - 1 / population) * trace)
