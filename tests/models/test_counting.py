"""Counts of parameters and operations, by hand."""

import pytest
import torch
from torch.nn import Flatten, Sequential

from phase2.models.counting import operations, parameters
from phase2.models.lenet import LeNet
from phase2.nn import BatchNorm2d, Linear
from phase2.nn.convolution.conv import Conv2d


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_multiplies_and_adds_at_every_place(groups):
    model = Conv2d(4, 6, 3, padding=1, groups=groups)
    assert parameters(model) == 6 * (4 // groups) * 9 + 6
    assert operations(model, (4, 5, 7)) == 2 * 5 * 7 * 6 * (4 // groups) * 9


def test_a_stride_saves_places():
    assert operations(Conv2d(1, 1, 3, stride=2, padding=1), (1, 8, 8)) == 2 * 4 * 4 * 9


def test_a_linear_layer_is_a_matrix_and_norms_are_free():
    model = Sequential(BatchNorm2d(2), Flatten(), Linear(18, 5))
    assert operations(model, (2, 3, 3)) == 2 * 18 * 5
    assert parameters(model) == 4 + 18 * 5 + 5


def test_counting_leaves_the_model_as_it_was():
    model = LeNet((1, 28, 28), 10, norm="batch").double()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    operations(model, (1, 28, 28))
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
