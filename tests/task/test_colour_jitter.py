"""Colour jitter: pixel by pixel what torchvision makes of the same factors, and as often the same."""

import itertools

import pytest
import torch
from scipy.stats import chisquare, ks_2samp
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from phase2.errors import UserError
from phase2.task.augmentation.colour_jitter import colour_jitter
from phase2.task.draws import Draws

ADJUST = (functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation)
MOST = {"brightness": 0.3, "contrast": 1.4, "saturation": 0.8}
MEAN, STD = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1) for values in ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)))


def jittered(images: Tensor, draws: Draws, mean: Tensor = MEAN, std: Tensor = STD, **options: float) -> Tensor:
    """Of images in [0, 1]; in [0, 1] again."""
    standardized = (images - mean) / std
    shown, labels = colour_jitter(standardized, torch.arange(len(images)), draws, mean, std, **options)
    assert labels.tolist() == list(range(len(images)))
    return shown * std + mean


def images(count: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, channels, 5, 4, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_is_what_torchvision_makes_of_its_factors_in_its_order(channels: int):
    originals, draws = images(60, channels), Draws(0, 1, torch.arange(60))
    ours = jittered(originals, draws, MEAN[:channels], STD[:channels], **MOST)
    low, high = (torch.tensor([f(b) for b in MOST.values()]) for f in (lambda b: max(0, 1 - b), lambda b: 1 + b))
    factors = low + (high - low) * draws.uniform("colour", 3)
    order = draws.uniform("colour order", 3).argsort(1)
    for image, shown, f, places in zip(originals, ours, factors, order, strict=True):
        for which in places.tolist():
            image = ADJUST[which](image, f[which].item())
        torch.testing.assert_close(shown, image, rtol=0, atol=2e-4)  # torchvision's grey has weights of four digits


def test_all_orders_are_equally_likely():
    order = Draws(0, 1, torch.arange(6000)).uniform("colour order", 3).argsort(1).tolist()
    counts = [order.count([*places]) for places in itertools.permutations(range(3))]
    assert sum(counts) == 6000
    assert chisquare(counts).pvalue > 1e-3


def test_a_pixel_is_as_often_of_a_colour_as_by_torchvision():
    count, one = 3000, images(1)
    ours = jittered(one.expand(count, 3, 5, 4), Draws(0, 0, torch.arange(count)))
    transform = v2.ColorJitter(0.4, 0.4, 0.4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = torch.stack([transform(one[0]) for _ in range(count)])
    for channel in range(3):
        assert ks_2samp(ours[:, channel, 2, 1], theirs[:, channel, 2, 1]).pvalue > 1e-3
    assert ks_2samp(ours.mean((1, 2, 3)), theirs.mean((1, 2, 3))).pvalue > 1e-3


def test_no_jitter_leaves_images_as_they_are():
    originals = images(4)
    still = jittered(originals, Draws(0, 0, torch.arange(4)), brightness=0, contrast=0, saturation=0)
    torch.testing.assert_close(still, originals)


def test_images_of_other_channels_and_numbers_below_0_are_told():
    with pytest.raises(UserError, match="images have 2 channels, expected 1 or 3"):
        jittered(images(2, 2), Draws(0, 0, torch.arange(2)), MEAN[:2], STD[:2])
    with pytest.raises(UserError, match="contrast of colour_jitter is -1: expected 0 or more"):
        jittered(images(2), Draws(0, 0, torch.arange(2)), contrast=-1)
