"""The three networks are equally large, and differ in what is connected and shared alone."""

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from phase2 import registry
from phase2.errors import UserError
from phase2.models.convolutional import Convolutional
from phase2.models.counting import parameters
from phase2.models.dense import Dense, dense
from phase2.models.fitting import TOLERANCE
from phase2.models.locally_connected import LocallyConnected
from phase2.models.locally_connected import locally_connected as local
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.convolution.locally_connected import LocallyConnected2d
from phase2.nn.linear import Linear
from phase2.nn.weighted import Weighted

SHAPES = [(1, 28, 28), (1, 8, 8), (3, 32, 32)]
FACTORIES = {"convolutional": Convolutional, "locally_connected": local, "dense": dense}
each = pytest.mark.parametrize("name", FACTORIES)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_they_have_equally_many_parameters(shape, norm):
    with torch.device("meta"):
        for width in (16, 17, 24):
            target = parameters(Convolutional(shape, 10, width, norm=norm))
            for build in (local, dense):
                assert parameters(build(shape, 10, width, norm=norm)) == pytest.approx(target, rel=TOLERANCE)


def test_the_numbers_are_those_reported():
    counts = [parameters(build((1, 28, 28), 10)) for build in FACTORIES.values()]
    assert counts == [33546, 33756, 33571]


@each
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_network_maps_images_to_outputs_and_every_parameter_learns(name, shape):
    for norm in ("none", "batch", "layer", "group"):
        torch.manual_seed(0)
        model = registry.load("model", name)(shape, 7, activation="tanh", norm=norm)
        y = model(torch.randn(4, *shape))
        assert y.shape == (4, 7)
        y.square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def layers(model):
    return [layer for layer in model.modules() if isinstance(layer, Weighted)]


def test_each_has_three_hidden_layers_of_its_kind_and_a_linear_output():
    for build, kind in ((Convolutional, Conv2d), (local, LocallyConnected2d), (dense, Linear)):
        assert [type(layer) for layer in layers(build((1, 28, 28), 10))] == [kind, kind, kind, Linear]


@pytest.mark.parametrize("shape", [*SHAPES, (2, 7, 5)], ids=str)
def test_shared_and_unshared_units_see_the_same_windows(shape):
    shared, alone = Convolutional(shape, 3, width=2), LocallyConnected(shape, 3, channels=(2, 4, 8))
    with torch.no_grad():
        for conv, layer in zip(layers(shared)[:-1], layers(alone)[:-1], strict=True):
            places = len(layer.bias) // len(conv.bias)
            layer.weight.copy_(conv.weight.repeat(places, 1, 1, 1))
            layer.bias.copy_(conv.bias.repeat(places))
        layers(alone)[-1].load_state_dict(layers(shared)[-1].state_dict())
    x = torch.randn(2, *shape)
    torch.testing.assert_close(alone(x), shared(x))


def test_the_layers_grow_as_evenly_as_the_parameters_allow():
    sizes = [[len(layer.weight) for layer in layers(dense((1, 28, 28), 10, width))[:-1]] for width in (16, 24)]
    assert sizes == [[38, 41, 41], [72, 71, 72]]
    channels = [[layer.out_channels for layer in layers(local((1, 28, 28), 10, width))[:-1]] for width in (16, 24)]
    assert channels == [[2, 6, 12], [4, 8, 16]]


def test_the_dense_one_is_indifferent_to_the_order_of_pixels_and_the_others_are_not():
    """Permuting the first layer's inputs along with the pixels changes nothing."""
    torch.manual_seed(0)
    model, x, order = Dense((1, 8, 8), 3, (5, 5, 6)), torch.randn(2, 1, 8, 8), torch.randperm(64)
    before = model(x)
    with torch.no_grad():
        layers(model)[0].weight.copy_(layers(model)[0].weight[:, order])
    torch.testing.assert_close(model(x.flatten(1)[:, order].view_as(x)), before)


def test_the_search_for_equal_size_draws_no_random_numbers():
    torch.manual_seed(5)
    found = local((1, 8, 8), 10)
    channels = tuple(layer.out_channels for layer in layers(found)[:-1])
    torch.manual_seed(5)
    given = LocallyConnected((1, 8, 8), 10, channels)
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), given.parameters(), strict=True))


@each
def test_lanes_under_vmap_are_the_networks_one_by_one(name):
    models = [FACTORIES[name]((1, 8, 8), 4, width=12).double() for _ in range(2)]
    values, _ = stack_module_state(models)
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64)
    stacked = vmap(lambda values: functional_call(models[0], values, (x,)))(values)
    torch.testing.assert_close(stacked, torch.stack([model(x) for model in models]))


def test_a_width_for_which_no_equals_exist_is_refused():
    with pytest.raises(UserError, match=r"locally_connected: no layers make the 11162 parameters.*use a larger width"):
        local((3, 32, 32), 10, width=8)
    with pytest.raises(UserError, match=r"dense: no layers make .* use a larger width"):
        dense((3, 32, 32), 10, width=1)


@each
def test_names_and_sizes_that_do_not_exist_are_refused(name):
    build = FACTORIES[name]
    with pytest.raises(UserError, match="did you mean 'batch'"):
        build((1, 8, 8), 10, norm="bach")
    with pytest.raises(UserError, match="did you mean 'relu'"):
        build((1, 8, 8), 10, activation="rleu")
    with pytest.raises(UserError, match="expected at least 1"):
        build((1, 8, 8), 10, width=0)
    with pytest.raises(UserError, match=r"expected \(channels, height, width\)"):
        build((64,), 10)
