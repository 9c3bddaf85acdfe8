"""Test-time augmentation: of which views the outputs are averaged, and with which weights."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from phase2.task.tta.mirror import mirror
from phase2.task.tta.multicrop import multicrop
from phase2.task.tta.none import none

pytestmark = pytest.mark.quick

IMAGES = torch.randn(5, 2, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
READING = torch.randn(84, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def network(images: Tensor) -> Tensor:
    return torch.tanh(images.flatten(1) @ READING)


def test_without_it_a_network_is_asked_once():
    assert torch.equal(none(network, IMAGES), network(IMAGES))


def test_mirror_is_the_mean_of_both_sides():
    torch.testing.assert_close(mirror(network, IMAGES), (network(IMAGES) + network(IMAGES.flip(3))) / 2)


def test_multicrop_weighs_six_views_by_quarters_and_eighths():
    around = pad(IMAGES, (1, 1, 1, 1), "reflect")
    views = [(IMAGES, 1 / 4), (around[:, :, :6, :7], 1 / 8), (around[:, :, 2:, 2:], 1 / 8)]
    expected = sum(weight * (network(view) + network(view.flip(3))) for view, weight in views)
    torch.testing.assert_close(multicrop(network, IMAGES), expected)


def test_an_image_and_its_mirror_image_get_one_answer():
    torch.testing.assert_close(mirror(network, IMAGES), mirror(network, IMAGES.flip(3)))


@pytest.mark.parametrize("views", [none, mirror, multicrop])
def test_of_an_even_image_every_view_is_the_same(views):
    even = torch.ones(4, 2, 6, 7, dtype=torch.float64)
    torch.testing.assert_close(views(network, even), network(even))
