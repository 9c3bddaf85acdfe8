"""Cutout, mixup and cutmix: by their papers' formulas, and as often as by torchvision."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, ks_2samp, kstest
from torchvision.transforms import v2

from phase2.errors import UserError
from phase2.task.augmentation.cutmix import cutmix
from phase2.task.augmentation.cutout import cutout
from phase2.task.augmentation.mixup import mixup
from phase2.task.draws import Draws

COUNT = 4000
MIXING = {"mixup": (mixup, v2.MixUp), "cutmix": (cutmix, v2.CutMix)}


def rows(count: int = COUNT) -> Draws:
    return Draws(1, 2, torch.arange(count))


@pytest.mark.parametrize("hole", [1, 2, 3, 4, 9])
def test_cutout_sets_a_square_about_any_pixel_to_0_as_far_as_it_is_inside(hole: int):
    height, width = 5, 6
    images, labels = torch.ones(COUNT, 2, height, width), torch.zeros(COUNT)
    cut, same = cutout(images, labels, rows(), hole=hole)
    assert same is labels
    seen, counts = cut.flatten(1).unique(dim=0, return_counts=True)
    expected = {}
    for y in range(height):
        for x in range(width):
            image = torch.ones(2, height, width)
            top, left = y - hole // 2, x - hole // 2
            image[:, max(top, 0) : max(top + hole, 0), max(left, 0) : max(left + hole, 0)] = 0
            key = tuple(image.flatten().tolist())
            expected[key] = expected.get(key, 0) + COUNT / (height * width)
    found = {tuple(image.tolist()): count for image, count in zip(seen, counts.tolist(), strict=True)}
    assert found.keys() == expected.keys()
    if len(found) > 1:
        assert chisquare(list(found.values()), [expected[key] for key in found]).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("name", MIXING)
def test_shares_are_as_often_as_by_torchvision(name: str, alpha: float):
    ours, theirs = MIXING[name]
    pair, labels = torch.tensor([0.0, 1.0])[:, None, None, None].expand(2, 1, 8, 6), torch.tensor([0, 1])
    _, targets = ours(pair.repeat(COUNT // 2, 1, 1, 1), labels.repeat(COUNT // 2), rows(), classes=2, alpha=alpha)
    own = targets[torch.arange(COUNT), labels.repeat(COUNT // 2)]
    transform = theirs(num_classes=2, alpha=alpha)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs_own = [transform(pair, labels)[1][0, 0].item() for _ in range(COUNT // 2)]
    assert ks_2samp(own.numpy(), np.array(theirs_own)).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 2.5])
def test_mixups_share_is_a_draw_of_the_beta_distribution(alpha: float):
    images = torch.eye(2)[torch.arange(COUNT) % 2].double()[:, :, None, None]
    mixed, _ = mixup(images, torch.zeros(COUNT, dtype=torch.int64), rows(), classes=1, alpha=alpha)
    share = mixed[torch.arange(COUNT), torch.arange(COUNT) % 2, 0, 0]
    assert kstest(share.numpy(), "beta", (alpha, alpha)).pvalue > 1e-3


@pytest.mark.parametrize("name", MIXING)
def test_an_image_and_its_target_have_the_same_share_of_the_row_before(name: str):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(50, 3, 7, 9, dtype=torch.float64, generator=generator)
    labels = torch.arange(50)
    mixed, targets = MIXING[name][0](images, labels, rows(50), classes=50)
    own = targets[labels, labels]
    assert targets.dtype == torch.float64
    torch.testing.assert_close(targets.sum(1), torch.ones(50, dtype=torch.float64))
    torch.testing.assert_close(targets[labels, labels - 1], 1 - own)
    share = own[:, None, None, None]
    if name == "mixup":
        torch.testing.assert_close(mixed, share * images + (1 - share) * images.roll(1, 0))
    else:
        kept = mixed == images
        assert torch.equal(mixed[~kept], images.roll(1, 0)[~kept])
        torch.testing.assert_close(kept.double().mean((1, 2, 3)), own)


def test_cutmix_pastes_one_box_where_torchvision_does_as_often():
    pair, labels = torch.tensor([0.0, 1.0])[:, None, None, None].expand(2, 1, 5, 6), torch.tensor([0, 1])
    ours, _ = cutmix(pair.repeat(COUNT // 2, 1, 1, 1), labels.repeat(COUNT // 2), rows(), classes=2)
    pasted = (ours != pair.repeat(COUNT // 2, 1, 1, 1))[:, 0]
    transform = v2.CutMix(num_classes=2, alpha=1.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = torch.stack([transform(pair, labels)[0][0, 0] for _ in range(COUNT)]) == 1
    for mask in pasted[:100]:
        box = mask.any(1)[:, None] & mask.any(0)[None]
        assert torch.equal(box, mask)
    rates = [masks.double().mean(0) for masks in (pasted, theirs)]
    spread = (2 * rates[1] * (1 - rates[1]) / COUNT).sqrt()
    assert ((rates[0] - rates[1]).abs() < 4 * spread).all()


def test_mixing_what_is_mixed_already_mixes_the_probabilities():
    images, labels = torch.rand(6, 1, 4, 4), torch.arange(6)
    once, soft = mixup(images, labels, rows(6), classes=6)
    _, twice = cutmix(once, soft, rows(6), classes=6)
    assert twice.shape == (6, 6)
    torch.testing.assert_close(twice.sum(1), torch.ones(6))
    assert (twice > 0).sum(1).max() == 3


def test_a_batch_of_one_is_its_own_partner():
    image, label = torch.rand(1, 3, 4, 4), torch.tensor([2])
    for part, _ in MIXING.values():
        mixed, target = part(image, label, rows(1), classes=4)
        torch.testing.assert_close(mixed, image)
        torch.testing.assert_close(target, torch.tensor([[0.0, 0, 1, 0]]))


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize("name", MIXING)
def test_a_share_of_no_distribution_is_told(name: str, alpha: float):
    with pytest.raises(UserError, match=f"alpha of {name} is {alpha}: expected a number above 0"):
        MIXING[name][0](torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), rows(2), classes=2, alpha=alpha)


@pytest.mark.parametrize("hole", [0, 2.5])
def test_a_hole_of_no_size_is_told(hole: float):
    with pytest.raises(UserError, match=f"hole of cutout is {hole}: expected a whole number of pixels, 1 or more"):
        cutout(torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), rows(2), hole=hole)
