"""What holds for every convolutional network: shapes, backends, activations, norms, and what they refuse."""

import pytest
import torch

from phase2 import registry
from phase2.errors import UserError
from phase2.models.counting import parameters
from phase2.nn import cross_entropy
from phase2.nn.weighted import Weighted

NORMS = [name for name, part in registry.parts("norm").items() if part.card.traits.get("images", True)]
SMALL = {
    "lenet": {},
    "vgg": {"width": 4},
    "resnet": {"width": 4},
    "cifar_resnet": {"depth": 8, "width": 4},
    "plain": {"depth": 8, "width": 4},
    "preact_resnet": {"depth": 8, "width": 4},
}
DIGITS, FASHION, CIFAR = (1, 8, 8), (1, 28, 28), (3, 32, 32)


def build(name, shape=CIFAR, outputs=10, **options):
    torch.manual_seed(0)
    return registry.load("model", name)(shape, outputs, **{**SMALL[name], **options})


@pytest.mark.parametrize("shape", [DIGITS, FASHION, CIFAR, (2, 33, 40)], ids=str)
@pytest.mark.parametrize("name", SMALL)
def test_images_of_any_size_become_one_row_of_outputs_each(name, shape):
    y = build(name, shape, 7)(torch.randn(2, *shape))
    assert y.shape == (2, 7)
    assert y.isfinite().all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in SMALL),
        ("resnet", {"stem": "imagenet"}),
        ("cifar_resnet", {"shortcut": "B", "head": "dense"}),
        ("preact_resnet", {"shortcut": "B"}),
    ],
    ids=str,
)
def test_the_backends_give_the_same_outputs_and_gradients(name, options):
    scratch, fused = (build(name, backend=backend, **options).double() for backend in ("scratch", "fused"))
    fused.load_state_dict(scratch.state_dict())
    x = torch.randn(3, *CIFAR, dtype=torch.float64)
    losses = [cross_entropy(model(x), torch.tensor([1, 5, 9])) for model in (scratch, fused)]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-10, atol=1e-12)
    own, expected = (
        torch.autograd.grad(loss, list(model.parameters()))
        for loss, model in zip(losses, (scratch, fused), strict=True)
    )
    torch.testing.assert_close(own, expected, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", SMALL)
def test_the_backend_reaches_every_convolution_and_pool(name):
    backends = [module.backend for module in build(name, backend="fused").modules() if hasattr(module, "backend")]
    assert len(backends) >= 3
    assert set(backends) == {"fused"}


@pytest.mark.parametrize("name", SMALL)
def test_maps_stay_in_channels_last_through_the_fused_network(name):
    model, kept = build(name, backend="fused"), []
    for module in model.modules():
        if isinstance(module, Weighted):
            module.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    model(torch.randn(2, *CIFAR))
    maps = [x for x in kept if x.ndim == 4]
    assert maps
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in maps)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", SMALL)
def test_every_norm_trains_every_parameter(name, norm):
    model = build(name, FASHION, norm=norm)
    cross_entropy(model(torch.randn(4, *FASHION)), torch.arange(4)).backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("activation", registry.names("activation"))
def test_an_activation_takes_relus_place_everywhere(activation):
    kind = registry.load("activation", activation)
    for name in SMALL:
        found = [module for module in build(name, activation=activation).modules() if type(module) is kind]
        replaced = [module for module in build(name).modules() if type(module) is registry.load("activation", "relu")]
        assert len(found) == len(replaced) > 3


@pytest.mark.parametrize("name", SMALL)
def test_a_seed_fixes_the_initial_weights(name):
    torch.testing.assert_close(build(name).state_dict(), build(name).state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("name", [name for name in SMALL if name != "lenet"])
def test_width_scales_the_network(name):
    assert 3 < parameters(build(name, width=16)) / parameters(build(name, width=8)) < 4.2


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outputs": 0}, "outputs=0, expected at least 1"),
        ({"shape": (64,)}, r"shape=\(64,\), expected \(channels, height, width\)"),
        ({"norm": "bach"}, "unknown norm 'bach': did you mean 'batch'"),
        ({"activation": "rleu"}, "unknown activation 'rleu': did you mean 'relu'"),
        ({"backend": "fast"}, "unknown backend 'fast'"),
    ],
)
def test_bad_options_are_named(name, options, message):
    with pytest.raises(UserError, match=message):
        build(name, **options)
