"""How strongly each layer of a deep network responds, and how much gradient reaches it, before, during and after
training. He et al. 2016a ("Deep residual learning"), figure 7.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.nn import cross_entropy
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.normalization.normalize import Norm
from phase2.probe.layer_responses.card import Options
from phase2.probe.runs import Run, Runs, after_epoch, at_start, training_images
from phase2.study.results import half_way


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """The 3x3 convolutions of networks on `options.images` of the images that they were trained on.

    Table `responses`, a row for each run, moment and layer: the run's axes; `when` is start, middle (after half the
    epochs) or end (best on validation); `layer` counts from 1 in the order of the forward pass; `std` is that
    of the layer's response in evaluation mode, over images, channels and places: the output of the norm that follows
    the convolution, or of the convolution itself where none does. `gradient_norm` is the norm of the mean loss's
    gradient by the layer's weights, as training sees it: BatchNorm in training mode, on minibatches of at most the
    run's batch size. `weight_norm` is the norm of the weights.
    Raises `UserError` for more images than there are, a study without the axes `model` and `depth`, and for one that
    keeps no weights of its middle epoch.
    """
    if not {"model", "depth"} <= runs.axes.keys():
        axes = ", ".join(runs.axes)
        raise UserError(f"layer_responses: the study's axes are {axes}, expected model and depth among them")
    rows = [row for run in runs for row in _rows(options, data, run)]
    return {"responses": runs.table(rows, "when", "layer", "std", "gradient_norm", "weight_norm")}


def _rows(options: Options, data: Prepared, run: Run) -> Iterator[dict[str, Any]]:
    images, labels, _ = training_images(options.images, data, run)
    for when, model in _moments(run, data):
        stds = response_stds(model, images)
        gradients = gradient_norms(model, list(stds), images, labels, _budget(run)["batch_size"])
        for layer, (name, std) in enumerate(stds.items(), start=1):
            weight_norm = model.get_parameter(f"{name}.weight").norm().item()
            measures = {"std": std, "gradient_norm": gradients[name], "weight_norm": weight_norm}
            yield run.axes | {"when": when, "layer": layer} | measures


def _moments(run: Run, data: Prepared) -> Iterator[tuple[str, Module]]:
    """The network of a run before, during and after training."""
    yield "start", at_start(run, data)
    yield "middle", after_epoch(run, half_way(_budget(run)["epochs"]), data)
    yield "end", run.model


def _budget(run: Run) -> dict[str, int]:
    assert run.cell is not None
    return run.cell.settings["budget"]


@torch.no_grad()
def response_stds(model: Module, images: Tensor) -> dict[str, float]:
    """The standard deviation of each 3x3 layer's response to `images` (batch, channels, height, width), by the name of
    the convolution, in the order of the forward pass. The model is left as it was.
    """
    convolutions = {
        layer: name
        for name, layer in model.named_modules()
        if isinstance(layer, Conv2d) and tuple(layer.kernel_size) == (3, 3)
    }
    responses: list[tuple[str, Tensor]] = []  # of the last convolution alone: those of all would fill the memory
    stds: dict[str, float] = {}

    def take() -> None:
        for name, response in responses:
            stds[name] = response.std(correction=0).item()
        responses.clear()

    def see(layer: Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if layer in convolutions:
            take()
            responses.append((convolutions[layer], output))
        elif responses and inputs[0] is responses[0][1]:  # a norm of the last convolution's output
            responses[0] = (responses[0][0], output)

    seen = [layer for layer in model.modules() if layer in convolutions or isinstance(layer, Norm)]
    hooks = [layer.register_forward_hook(see) for layer in seen]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    take()
    return stds


def gradient_norms(
    model: Module, names: Sequence[str], images: Tensor, labels: Tensor, batch_size: int
) -> dict[str, float]:
    """The norm of the mean loss's gradient by the weights of each layer of `names`: norms as in training, on
    minibatches of at most `batch_size` of the images, equally large. The model's running statistics stay as they are.
    """
    model = copy.deepcopy(model)
    for layer in model.modules():
        layer.train(isinstance(layer, Norm))
    weights = [model.get_parameter(f"{name}.weight") for name in names]
    sums = [torch.zeros_like(weight) for weight in weights]
    parts = -(-len(images) // batch_size)
    for inputs, targets in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
        loss = cross_entropy(model(inputs), targets)
        for total, gradient in zip(sums, torch.autograd.grad(loss, weights), strict=True):
            total.add_(gradient, alpha=len(targets) / len(labels))
    return {name: total.norm().item() for name, total in zip(names, sums, strict=True)}
