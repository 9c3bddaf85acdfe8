"""LeNet-5 against LeCun et al.'s counts and the same network from torch.nn."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from phase2.models.counting import parameters
from phase2.models.lenet import LeNet
from phase2.nn import cross_entropy


@pytest.mark.parametrize(("channels", "count"), [(3, 62_006), (1, 61_706)])
def test_the_number_of_parameters_is_exact(channels, count):
    assert parameters(LeNet((channels, 32, 32), 10)) == count


def test_small_images_have_the_network_of_large_ones():
    assert parameters(LeNet((1, 8, 8), 10)) == parameters(LeNet((1, 28, 28), 10)) == parameters(LeNet((1, 32, 32), 10))


def test_lenet_matches_the_same_network_from_torch():
    ours = LeNet((1, 28, 28), 10).double()
    theirs = nn.Sequential(
        nn.ZeroPad2d(2),
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    ).double()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    x = torch.randn(3, 1, 28, 28, dtype=torch.float64)
    y, expected = ours(x), theirs(x)
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=1e-12)
    y.square().sum().backward()
    expected.square().sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-9, atol=1e-12)


def test_each_convolution_is_followed_by_its_norm():
    names = [name for name, _ in LeNet((1, 28, 28), 10, norm="batch").named_children()]
    assert names[1:5] == ["conv1", "norm1", "act1", "pool1"]
    assert names[5:9] == ["conv2", "norm2", "act2", "pool2"]


def test_width_scales_every_layer_in_proportion():
    model = LeNet((1, 28, 28), 10, width=12)
    sizes = [model.conv1.out_channels, model.conv2.out_channels]
    sizes += [layer.out_features for layer in model.classifier if hasattr(layer, "out_features")]
    assert sizes == [12, 32, 240, 168, 10]


def test_trained_by_either_backend_it_is_the_same_network():
    """180 steps on digits in float64, from the same weights and in the same order."""
    digits = load_digits()
    x, y = torch.tensor(digits.images / 8 - 0.6).unsqueeze(1), torch.tensor(digits.target)
    scratch, fused = (LeNet((1, 8, 8), 10, backend=backend).double() for backend in ("scratch", "fused"))
    fused.load_state_dict(scratch.state_dict())
    losses = []
    for model in (scratch, fused):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        for rows in 3 * torch.arange(1200).split(20):
            loss = cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(cross_entropy(model(x[1200:]), y[1200:]))
    assert losses[0] < 1.5  # they have learnt: it was 2.3
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-8, atol=0)
    torch.testing.assert_close(scratch.state_dict(), fused.state_dict(), rtol=1e-6, atol=1e-9)
