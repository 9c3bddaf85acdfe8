"""The fast network: its size is the public one's, its first layer whitens, and what it does not learn stays."""

import pytest
import torch
from torch import nn

from phase2.errors import UserError
from phase2.models.airbench import FLOOR, Airbench
from phase2.models.counting import parameters
from phase2.nn.initial.dirac import dirac

CIFAR = (3, 32, 32)
SMALL = (3, 12, 12)


def images(count: int = 64, shape: tuple[int, ...] = SMALL, seed: int = 0) -> torch.Tensor:
    """Smooth in both directions, as photographs are: neighbouring pixels are alike."""
    noise = torch.randn(count, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return noise.cumsum(2).cumsum(3)


def fitted(backend: str = "scratch") -> Airbench:
    model = Airbench(SMALL, 10, width=4, backend=backend).double()
    dirac(model, generator=torch.Generator().manual_seed(0), batch=images())
    model.fit_to(images())
    return model


class Public(nn.Sequential):
    """The same network of torch's layers, by the public description."""

    def __init__(self, model: Airbench, side: int) -> None:
        whitening = nn.Conv2d(3, 24, 2)
        layers: list[nn.Module] = [whitening, nn.GELU()]
        for pair in model.pairs:
            for layer in pair:
                if isinstance(layer, nn.Conv2d):
                    layers.append(nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding="same", bias=False))
                elif isinstance(layer, nn.BatchNorm2d):
                    layers.append(nn.BatchNorm2d(layer.num_features, eps=1e-12, momentum=1 - 0.6))
                else:
                    layers.append(nn.MaxPool2d(2) if isinstance(layer, nn.MaxPool2d) else nn.GELU())
        last = model.fc
        super().__init__(*layers, nn.MaxPool2d(side), nn.Flatten(), nn.Linear(last.in_features, 10, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) / 9


def twin_of(model: Airbench, side: int) -> Public:
    """With the same weights: they stand in the same order."""
    twin = Public(model, side).double()
    ours = {tuple(name.rsplit(".", 1)): value for name, value in model.state_dict().items()}
    modules = dict.fromkeys(module for module, _ in ours)
    named = [name for name, each in twin.named_modules() if each.state_dict() and "." not in name and name]
    twin.load_state_dict(
        {
            f"{theirs}.{'bias' if kind == 'shift' else kind}": value
            for mine, theirs in zip(modules, named, strict=True)
            for (module, kind), value in ours.items()
            if module == mine
        }
    )
    return twin


def test_it_holds_as_many_numbers_as_the_public_network():
    """1,972,792 parameters there, frozen ones among them: the whitening's 288 weights and 1,152 scales of norms."""
    model = Airbench(CIFAR, 10)
    frozen = sum(value.numel() for name, value in model.named_buffers() if name.endswith("weight"))
    assert parameters(model) + frozen == 1_972_792
    assert frozen == 288 + 1152
    assert sum(p.numel() for p in Public(model, 3).parameters()) == 1_972_792


@pytest.mark.parametrize("backend", ["scratch", "fused"])
@pytest.mark.parametrize("training", [True, False])
def test_it_computes_what_the_public_network_computes(backend: str, training: bool):
    model = fitted(backend).train(training)
    twin = twin_of(model, 1).train(training)
    torch.testing.assert_close(model(images()), twin(images()))
    model(images()).square().sum().backward()
    twin(images()).square().sum().backward()
    torch.testing.assert_close(model.fc.weight.grad, twin[-1].weight.grad)
    torch.testing.assert_close(model.whitening.shift.grad, twin[0].bias.grad)
    torch.testing.assert_close(model.pairs[0][2].running_var, twin[4].running_var)


def test_the_whitening_makes_training_patches_uncorrelated_and_of_variance_one():
    """But for the floor, which what varies much does not feel."""
    model = fitted()
    maps = model.whitening(images()).movedim(1, -1).flatten(0, 2)[:, :12]
    moments = maps.T @ maps / len(maps)
    torch.testing.assert_close(moments, torch.eye(12, dtype=torch.float64), rtol=0, atol=0.01)
    off = moments - moments.diagonal().diag()
    assert off.abs().max() < 1e-10
    windows = torch.nn.functional.unfold(images(), 2)
    patches = windows.movedim(1, -1).flatten(0, 1)
    variances = torch.linalg.eigvalsh(patches.T @ patches / len(patches)).flip(0)
    torch.testing.assert_close(moments.diagonal(), variances / (variances + FLOOR))


def test_the_second_half_of_the_whitening_is_the_first_with_the_other_sign():
    weight = fitted().whitening.weight
    assert torch.equal(weight[:12], -weight[12:])


def test_what_is_not_learnt_is_no_parameter_and_is_in_the_state():
    model = Airbench(SMALL, 10)
    learnt = dict(model.named_parameters())
    assert "whitening.weight" not in learnt
    assert "whitening.shift" in learnt
    assert not any(p.ndim == 1 and name.endswith("weight") for name, p in learnt.items())
    assert "whitening.weight" in model.state_dict()


@pytest.mark.parametrize("side", [9, 24, 28, 32, 40])
def test_it_takes_images_of_any_size_that_three_halvings_leave_something_of(side: int):
    assert Airbench(SMALL, 10, width=2)(torch.randn(2, 3, side, side)).shape == (2, 10)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((3, 8, 32), {}, "Airbench: images of 8x32, expected at least 9 pixels a side"),
        (CIFAR, {"width": 0}, "Airbench: width=0, expected at least 1"),
        (CIFAR, {"backend": "fast"}, "unknown backend 'fast'"),
        (CIFAR, {"activation": "gleu"}, "unknown activation 'gleu': did you mean 'gelu'"),
    ],
)
def test_bad_options_are_named(shape: tuple[int, ...], options: dict, message: str):
    with pytest.raises(UserError, match=message):
        Airbench(shape, 10, **options)
