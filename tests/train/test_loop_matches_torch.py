"""The whole loop against `torch.nn` and `torch.optim`: same start, same batches, same end."""

from pathlib import Path

import pytest
import torch
from packs import CPU, largest_difference, recipe, train, training_order
from torch import Tensor, nn

from phase2 import registry
from phase2.task.task import Task
from phase2.train.loop import Training
from phase2.train.recipe import Lane

LAYERS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adamw": (torch.optim.AdamW, {}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {}),
}


def torch_network(activation: str, weights: dict[str, Tensor]) -> nn.Module:
    """The MLP of `packs.RECIPE` from torch's layers, with the first lane's weights."""
    layers: list[nn.Module] = []
    for fan_in in (64, 12):
        layers += [nn.Linear(fan_in, 12), LAYERS[activation]()]
    network = nn.ModuleDict({"layers": nn.Sequential(*layers, nn.Linear(12, 3))}).double()
    network.load_state_dict({name: value[0] for name, value in weights.items()})
    return network["layers"]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("activation", LAYERS)
def test_training_is_that_of_torch(activation: str, name: str, parts: Task, tmp_path: Path):
    kind, options = OPTIMIZERS[name]
    clip = 1.0
    lane = Lane("kaiming", "cosine", 0.02, 1e-3, clip=clip)
    pack = recipe(activation=activation, optimizer=kind.__name__.lower(), optimizer_options=options)
    start = Training(pack, [lane], parts, CPU, torch.float64).stack.weights()
    (result,) = train(pack, [lane], parts, tmp_path, torch.float64, keep_epochs=range(1, pack.epochs + 1))

    network = torch_network(activation, start)
    optimizer = kind(network.parameters(), lr=1.0, weight_decay=lane.weight_decay, **options)
    total, step, losses = 5 * pack.epochs, 0, []
    for epoch in range(pack.epochs):
        for rows in training_order(pack, parts, epoch).split(pack.batch_size):
            images, labels = parts.train.batch(rows, torch.float64)
            optimizer.param_groups[0]["lr"] = registry.load("schedule", "cosine")(step, total, lane.lr)
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images.flatten(1)), labels).backward()
            nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            step += 1
        images, labels = parts.val.batch(torch.arange(len(parts.val)), torch.float64)
        losses.append(nn.functional.cross_entropy(network(images.flatten(1)), labels).item())

    theirs = {f"layers.{key}": value.detach() for key, value in network.state_dict().items()}
    assert largest_difference(result.weights["epoch=04"], theirs) < 1e-10
    ours = [row["loss"] for row in result.history if row["split"] == "val"]
    assert ours == pytest.approx(losses, abs=1e-10)
