"""`make quick`: every module imports, the examples in its docstrings hold, every part does its work once."""

import doctest
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from unittest import mock

import pytest
import torch
from fake_wandb import Fake
from torch.nn import Parameter

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.nn import Linear
from phase2.registry import ROOMS, load, names
from phase2.source import ROOT
from phase2.task.augmenting import augmentation_of
from phase2.task.draws import Draws
from phase2.train.lanes import Stack
from phase2.train.logs.logger import STEPS, About

pytestmark = pytest.mark.quick
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "phase2").rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_and_its_examples_hold(name: str) -> None:
    module = import_module(name)
    results = doctest.testmod(module)
    assert results.failed == 0
    assert results.attempted == Path(str(module.__file__)).read_text().count(">>> "), "an example that is not run"


def images(seed: int = 0) -> torch.Tensor:
    """(batch, channels, height, width)."""
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def learns(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The output, once every parameter has a finite gradient."""
    y = module(x.requires_grad_())
    y.square().sum().backward()
    for value in (y, x.grad, *(parameter.grad for parameter in module.parameters())):
        assert value is not None
        assert value.isfinite().all()
    return y


def activation(name: str, folder: Path) -> None:
    x = images()
    assert learns(load("activation", name)(), x).shape == x.shape


def norm(name: str, folder: Path) -> None:
    assert learns(load("norm", name)(8), torch.randn(4, 8)).shape == (4, 8)
    with suppress(UserError):  # RMSNorm takes no images
        assert learns(load("norm", name)(8, images=True), torch.randn(2, 8, 4, 4)).shape == (2, 8, 4, 4)


def init(name: str, folder: Path) -> None:
    layer, generator = Linear(8, 8), torch.Generator().manual_seed(0)
    before = layer.weight.detach().clone()
    load("init", name)(layer, generator=generator, batch=torch.randn(16, 8, generator=generator))
    assert not torch.equal(layer.weight, before)


def schedule(name: str, folder: Path) -> None:
    rates = [load("schedule", name)(step, 20, 0.1) for step in range(20)]
    assert all(0 <= rate <= 0.1 for rate in rates)


def optimizer(name: str, folder: Path) -> None:
    parameter = Parameter(torch.ones(3))
    optimizer = load("optimizer", name)([parameter], lr=0.01)
    parameter.square().sum().backward()
    optimizer.step()
    assert (parameter < 1).all()


def model(name: str, folder: Path) -> None:
    assert learns(load("model", name)((3, 32, 32), 10), images()).shape == (2, 10)


def augmentation(name: str, folder: Path) -> None:
    known = {"classes": 4, "mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)}
    augment = augmentation_of(name, {}, **known)
    shown, targets = augment(images(), torch.tensor([0, 3]), Draws(0, 0, torch.arange(2)))
    assert shown.shape == images().shape
    assert len(targets) == 2


def tta(name: str, folder: Path) -> None:
    assert load("tta", name)(lambda x: x.flatten(1), images()).shape == (2, 3 * 32 * 32)


def average(name: str, folder: Path) -> None:
    layer = Linear(2, 2)
    stack = Stack(layer, None, {name: p.detach()[None] for name, p in layer.named_parameters()}, {})
    mean = load("average", name)()
    mean.start(stack, steps=1, epochs=1)
    mean.after_step(stack, 1)
    mean.after_epoch(stack, 1)
    assert torch.equal(mean.judged(stack).parameters["weight"], stack.parameters["weight"])


def dataset(name: str, folder: Path) -> None:
    prepare = load("dataset", name)
    source = import_module(prepare.__module__).SOURCE
    assert source.licence
    if not source.files:  # the others come over a network
        prepare(folder, folder / name)
        assert open_prepared(folder / name).arrays


def metric(name: str, folder: Path) -> None:
    assert load("metric", name)(torch.eye(4), torch.arange(4)) == 4


def task(name: str, folder: Path) -> None:
    load("dataset", "digits")(folder, folder / "digits")
    opened = load("task", name)(open_prepared(folder / "digits"), 100, 50, torch.device("cpu"))
    inputs, targets = opened.train.batch(torch.arange(8), torch.float32)
    loss, totals = opened.measure(torch.zeros(8, opened.outputs), targets)
    assert len(inputs) == 8
    assert loss.isfinite()
    assert totals.keys() == {each.name for each in opened.metrics}


def logger(name: str, folder: Path) -> None:
    with mock.patch.dict(sys.modules, {"wandb": Fake()}):
        made = load("logger", name)(folder, About("quick", "grid/seed=0", {}), 0)
        made.log(STEPS, 1, {"loss": 0.5})
        made.flush()
        made.close()
    assert list(folder.iterdir())


KINDS = (activation, norm, init, schedule, optimizer, model, augmentation, average, tta, dataset, metric, task, logger)
WORK = {work.__name__: work for work in KINDS}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ROOMS for name in names(kind)])
def test_a_part_does_its_work_once(kind: str, name: str, tmp_path: Path) -> None:
    assert kind in WORK, f"write a function {kind}(name, folder) here, which has a {kind} do its work"
    WORK[kind](name, tmp_path)
