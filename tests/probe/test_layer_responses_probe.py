"""Responses and gradients of convolutional networks are those of a forward and a backward pass by hand."""

from types import SimpleNamespace

import pytest
import torch
from finished import finished
from safetensors.torch import save_file
from tiny import write_tiny

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.files import canonical_json
from phase2.models.cifar_resnet import CifarResNet
from phase2.nn.convolution.conv import Conv2d
from phase2.probe.layer_responses.measure import gradient_norms, response_stds
from phase2.probe.layer_responses.measure import measure as layer_responses
from phase2.probe.runs import Run, at_start
from phase2.study.cell import Cell
from phase2.study.code import training_code
from phase2.study.store import key_of

MEASURES = ["std", "gradient_norm", "weight_norm"]
SHAPE, CLASSES, BATCH, EPOCHS = (1, 8, 8), 3, 16, 3
SCALES, BEST = {1: 2.0, 2: 3.0}, 5.0  # what "training" does to the first layer's weights, by epoch and at its best


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


def scaled(model, factor):
    with torch.no_grad():
        model.conv1.weight.mul_(factor)
    return model


@pytest.fixture
def run_of(data, tmp_path):
    """Builds a run whose network later is that of its start with the first layer's weights multiplied."""

    def build(model="cifar_resnet", depth=8, seed=0, norm="batch", epochs=EPOCHS):
        network = {"name": model, "width": 4, "depth": depth, "norm": norm, "dropout": 0.0, "options": {}}
        spec = {"model": network | {"activation": "relu"}, "init": "kaiming", "schedule": "constant", "seed": seed}
        spec["task"] = {"name": "images", "dataset": "tiny", "validation": 50, "train": 60, "pixels": "natural"}
        spec["optimizer"] = {"name": "sgd", "options": {}}
        spec["budget"] = {"epochs": epochs, "batch_size": BATCH}
        axes = {"model": model, "depth": depth, "seed": seed}
        folder = tmp_path / f"{model}-{depth}-{norm}-{seed}-{epochs}"
        cell = Cell("depths", tuple(axes.items()), canonical_json(spec))
        run = Run(axes, torch.nn.Identity(), spec["task"], cell, folder)
        folder.mkdir()
        made_as = {"key": key_of(cell, training_code(cell.settings), data.hash)}
        for epoch, scale in SCALES.items():
            weights = scaled(at_start(run, data), scale).state_dict()
            save_file(weights, folder / f"epoch={epoch:02d}.safetensors", metadata=made_as)
        return Run(axes, scaled(at_start(run, data), BEST), spec["task"], cell, folder)

    return build


def measured(data, *runs, images=40):
    return layer_responses(SimpleNamespace(images=images), data, finished(*runs))["responses"]


def network(norm="batch", seed=0, **options):
    torch.manual_seed(seed)
    return CifarResNet(SHAPE, CLASSES, **{"depth": 8, "width": 4, "norm": norm} | options).eval()


def batch(size, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(size, *SHAPE, generator=draw), torch.randint(0, CLASSES, (size,), generator=draw)


def test_there_is_a_row_for_every_run_moment_and_layer(data, run_of):
    table = measured(data, run_of(depth=8), run_of("plain", depth=14, seed=2))
    assert list(table) == ["model", "depth", "seed", "when", "layer", *MEASURES]
    for (_, depth, _, _), rows in table.groupby(["model", "depth", "seed", "when"]):
        assert rows.layer.tolist() == list(range(1, depth))  # all layers with weights but the last
    assert list(dict.fromkeys(table.when)) == ["start", "middle", "end"]
    assert (table[MEASURES] > 0).all(axis=None)


@pytest.mark.parametrize(("epochs", "middle"), [(4, 2), (3, 1), (1, 1)])
def test_the_middle_is_after_half_of_the_epochs_and_the_end_the_best_on_validation(data, run_of, epochs, middle):
    first = measured(data, run_of(epochs=epochs)).query("layer == 1").set_index("when").weight_norm
    assert first.tolist() == pytest.approx([first["start"] * scale for scale in (1, SCALES[middle], BEST)], rel=1e-5)


@pytest.mark.parametrize("norm", ["batch", "layer", "group", "none"])
def test_a_response_is_taken_after_the_norm_and_before_the_addition(norm):
    model, (images, _) = network(norm), batch(20)
    for layer in model.modules():
        if hasattr(layer, "running_var"):
            layer.running_var.fill_(4.0)
            layer.weight.data.uniform_(0.5, 2.0)
    stds = response_stds(model, images)
    assert list(stds) == ["conv1", *(f"layer{s}.0.conv{c}" for s in (1, 2, 3) for c in (1, 2))]
    with torch.no_grad():
        first = model.bn1(model.conv1(images))
        x = model.act1(first)
        block = model.layer1[0]
        second = block.bn1(block.conv1(x))
        third = block.bn2(block.conv2(block.act1(second)))
    for name, response in {"conv1": first, "layer1.0.conv1": second, "layer1.0.conv2": third}.items():
        assert stds[name] == pytest.approx(response.double().std(correction=0).item(), rel=1e-5)


def test_projections_of_shortcuts_are_no_layers():
    assert list(response_stds(network(shortcut="B"), batch(4)[0])) == list(response_stds(network(), batch(4)[0]))


def test_gradients_are_those_of_the_mean_loss_where_norms_see_no_batch():
    model, (images, labels) = network("layer"), batch(20)
    names = list(response_stds(model, images))
    torch.nn.functional.cross_entropy(model(images), labels).backward()
    expected = [model.get_parameter(f"{name}.weight").grad.norm().item() for name in names]
    for size in (7, 20, 64):
        found = gradient_norms(model, names, images, labels, size)
        assert list(found.values()) == pytest.approx(expected, rel=1e-4)


def test_batch_norm_takes_its_statistics_from_each_minibatch():
    model, (images, labels) = network(), batch(20)
    names = list(response_stds(model, images))
    found = gradient_norms(model, names, images, labels, 10)
    halves = [slice(0, 10), slice(10, 20)]
    loss = sum(torch.nn.functional.cross_entropy(model.train()(images[half]), labels[half]) / 2 for half in halves)
    loss.backward()
    expected = [model.get_parameter(f"{name}.weight").grad.norm().item() for name in names]
    assert list(found.values()) == pytest.approx(expected, rel=1e-4)


def test_a_network_is_left_as_it_was():
    model, (images, labels) = network(), batch(20)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradient_norms(model, list(response_stds(model, images)), images, labels, 10)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(layer.training for layer in model.modules())
    assert all(p.grad is None for p in model.parameters())
    assert all(not layer._forward_hooks for layer in model.modules())


def test_a_convolution_without_a_norm_responds_with_its_output():
    torch.manual_seed(0)
    model = torch.nn.Sequential(Conv2d(1, 3, 3), torch.nn.Identity(), Conv2d(3, 2, 1), Conv2d(2, 2, 3))
    images, _ = batch(5)
    with torch.no_grad():
        expected = [model[:1](images).std(correction=0).item(), model(images).std(correction=0).item()]
    assert response_stds(model, images) == pytest.approx(dict(zip("03", expected, strict=True)), rel=1e-5)


def test_numbers_repeat(data, run_of):
    run = run_of()
    assert measured(data, run).equals(measured(data, run))


def test_what_cannot_be_measured_is_an_error_that_says_so(data, run_of):
    with pytest.raises(UserError, match="images=61: expected at most 60"):
        measured(data, run_of(), images=61)
