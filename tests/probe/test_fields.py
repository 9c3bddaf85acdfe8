"""The theoretical receptive field of a map is where the gradient of its units by the image can differ from zero."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import pad

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.activation.relu import ReLU
from phase2.nn.convolution.conv import Conv2d
from phase2.nn.linear import Linear
from phase2.nn.normalization.batch import BatchNorm2d
from phase2.nn.pooling.average import AvgPool2d
from phase2.nn.pooling.max import MaxPool2d
from phase2.probe.receptive_field.fields import Field, fields, last_map

pytestmark = pytest.mark.quick

IMAGE = 40
layers = st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2), st.integers(0, 3))


def linear_and_positive(model, shape):
    """The features of a network whose weights are all 1 and whose maxima are means, and their fields.

    A maximum looks at all its window, but its gradient goes to one place only.
    """
    features, along = last_map(model.double(), shape)
    for name, module in list(features.named_modules()):
        owner, _, own = name.rpartition(".")
        if isinstance(module, MaxPool2d):
            setattr(features.get_submodule(owner), own, AvgPool2d(module.kernel_size, module.stride, module.padding))
        elif isinstance(module, ReLU | BatchNorm2d):
            setattr(features.get_submodule(owner), own, nn.Identity())
    for parameter in features.parameters():
        parameter.fill_(0.01)
    return features, along


def seen(features, shape, place):
    """Rows and columns between the first and the last pixel on which the unit at `place` depends."""
    image = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    y = features(image)
    row, column = (int(part * size) for part, size in zip(place, y.shape[2:], strict=True))
    (gradient,) = torch.autograd.grad(y[0, :, row, column].sum(), image)
    hit = gradient[0].abs().amax(0) > 0
    return (row, column), [(int(line.nonzero().min()), int(line.nonzero().max())) for line in (hit.any(1), hit.any(0))]


def check_against_the_gradient(model, shape, place=(0.5, 0.5)):
    features, along = linear_and_positive(model, shape)
    units, ends = seen(features, shape, place)
    for field, unit, side, found in zip(along, units, shape[1:], ends, strict=True):
        pixels = field.of(unit)
        assert found == (max(0, pixels[0]), min(side - 1, pixels[-1]))


@settings(max_examples=30, deadline=None)
@given(options=st.lists(layers, min_size=1, max_size=4))
def test_field_of_a_random_stack_is_the_support_of_the_gradient(options):
    stack = nn.Sequential(*(Conv2d(1, 1, k, s, p, d, bias=False) for k, s, d, p in options))
    size = Field()
    for k, s, d, p in options:
        size = size.window(k, s, p, d)
    side = 2 * size.size + 2 * size.jump  # so that the central unit sees no border
    check_against_the_gradient(stack, (1, side, side + 3))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lenet", {}),
        ("vgg", {"depth": 11, "width": 1}),
        ("cifar_resnet", {"depth": 8, "width": 2}),
        ("cifar_resnet", {"depth": 14, "width": 2, "shortcut": "B"}),
        ("cifar_resnet", {"depth": 14, "width": 2, "head": "dense"}),
        ("plain", {"depth": 8, "width": 2}),
        ("plain", {"depth": 20, "width": 2, "norm": "none"}),
        ("preact_resnet", {"depth": 8, "width": 2}),
        ("resnet", {"width": 1, "stem": "imagenet"}),
        ("convolutional", {}),
        ("locally_connected", {"width": 32}),
    ],
)
@pytest.mark.parametrize("place", [(0.5, 0.5), (0, 0.99)])
def test_field_of_a_model_is_the_support_of_its_gradient(name, options, place):
    model = registry.load("model", name)((1, IMAGE, IMAGE + 8), 3, **options)
    check_against_the_gradient(model, (1, IMAGE, IMAGE + 8), place)


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [("lenet", {}, 16), ("vgg", {"depth": 11}, 150), ("vgg", {"depth": 16}, 212), ("plain", {"depth": 20}, 81)],
)
def test_fields_are_the_known_ones(name, options, size):
    model = registry.load("model", name)((3, 32, 32), 10, **options)
    rows, columns = last_map(model, (3, 32, 32)).fields
    assert rows == columns
    assert rows.size == size


def test_a_residual_network_sees_what_its_plain_twin_sees():
    found = [
        last_map(registry.load("model", name)((1, 28, 28), 3, depth=14, width=2), (1, 28, 28)).fields
        for name in ("plain", "cifar_resnet")
    ]
    assert found[0] == found[1]


def test_fields_follow_every_map_up_to_the_flattening():
    found = fields(registry.load("model", "lenet")((1, 28, 28), 10), (1, 28, 28))
    sizes = {name: rows.size for name, (rows, _) in found.items() if name.startswith(("conv", "pool"))}
    assert sizes == {"conv1": 5, "pool1": 6, "conv2": 14, "pool2": 16}
    assert list(found)[-1] == "pool2"


def test_axes_may_differ():
    stack = nn.Sequential(Conv2d(1, 2, (3, 5), (2, 1), (1, 0)), MaxPool2d((1, 2)))
    assert last_map(stack, (1, 16, 16)).fields == (Field(3, 2, -1), Field(6, 2, 0))


def test_padding_by_name_counts_as_its_number():
    same = last_map(nn.Sequential(Conv2d(1, 1, 4, padding="same", dilation=3)), (1, 16, 16))
    assert same.fields[0] == Field(10, 1, -4)
    assert last_map(nn.Sequential(Conv2d(1, 1, 4, padding="valid")), (1, 16, 16)).fields[0] == Field(4, 1, 0)


class Joined(nn.Module):
    """A map beside itself in another way: cut, padded and added."""

    def __init__(self, join):
        super().__init__()
        self.conv, self.join = Conv2d(1, 1, 3), join

    def forward(self, x):
        return self.join(x, self.conv(x))


@pytest.mark.parametrize(
    ("join", "field"),
    [
        (lambda x, y: x[..., 1:-1, 1:-1] + y, Field(3, 1, 0)),
        (lambda x, y: x[:, :, 2:, 2:] + y, Field(3, 1, 0)),
        (lambda x, y: x + pad(y, (2, 0, 2, 0)), Field(3, 1, -2)),
        (lambda x, y: torch.cat([x, pad(y, (0, 2, 0, 2))], 1), Field(3, 1, 0)),
        (lambda x, y: x[:, :, 4:] + pad(y, (0, 2, 0, 0))[:, :, 2:], Field(3, 1, 2)),
    ],
)
def test_sums_take_the_union_and_cuts_and_padding_move_it(join, field):
    found = last_map(Joined(join), (1, 12, 12))
    assert found.fields[0] == field


def test_the_features_are_the_networks_and_leave_it_as_it_was():
    torch.manual_seed(0)
    model = registry.load("model", "cifar_resnet")((1, 12, 12), 3, depth=8, width=2).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    features = last_map(model, (1, 12, 12)).features
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    x = torch.randn(2, 1, 12, 12)
    torch.testing.assert_close(model.eval().fc(features(x).mean((2, 3))), model(x))


@pytest.mark.parametrize(
    "join",
    [
        lambda x, y: y.repeat(1, 1, 2, 2),
        lambda x, y: y * y.mean((2, 3)).sigmoid()[:, :, None, None],  # each place sees the whole image
        lambda x, y: y + x[:, :, ::2, ::2][:, :, :5, :5].repeat(1, 1, 2, 2),
        lambda x, y: y[:, :, :5, :5] + x[:, :, ::2, ::2][:, :, :5, :5],  # each two pixels apart, and one
    ],
)
def test_what_is_not_known_is_an_error(join):
    with pytest.raises(UserError, match=r"receptive field: unknown behind .*, expected convolutions, pools"):
        fields(Joined(join), (1, 12, 12))


def test_a_matrix_that_mixes_the_columns_of_a_map_is_an_error():
    with pytest.raises(UserError, match=r"receptive field: unknown behind %_1"):
        fields(nn.Sequential(Conv2d(1, 1, 3), Linear(10, 10)), (1, 12, 12))


def test_a_network_without_maps_is_an_error():
    with pytest.raises(UserError, match="MLP has no map after the image, expected a convolutional network"):
        last_map(registry.load("model", "mlp")((1, 4, 4), 3), (1, 4, 4))
