"""Linear probes are ridge regression, with the penalty that held-out training images choose."""

import torch

from phase2.probe.linear_probe import HELD_OUT, PENALTIES, linear_probe

CLASSES = 3


def ridge(x, labels, test_x, test_labels, penalty):
    """Accuracy of ridge regression solved another way: least squares with rows added for the penalty."""
    mean, std = x.mean(0), x.std(0, correction=0).clamp(min=1e-9)
    y, dimension = torch.eye(CLASSES, dtype=x.dtype)[labels], x.shape[1]
    padded = torch.cat([(x - mean) / std, (penalty * len(x)) ** 0.5 * torch.eye(dimension, dtype=x.dtype)])
    targets = torch.cat([y - y.mean(0), torch.zeros(dimension, CLASSES, dtype=x.dtype)])
    W = torch.linalg.lstsq(padded, targets).solution
    return (((test_x - mean) / std @ W + y.mean(0)).argmax(1) == test_labels).double().mean().item()


def labelled(images, seed):
    """Ten features, one of them constant, of which the first two tell something of the class."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (images,), generator=draw)
    x = torch.randn(images, 10, generator=draw, dtype=torch.float64)
    x[:, :2] += torch.stack([labels, labels**2], 1)
    x[:, 9] = 5.0
    return x, labels


def best_on_held_out(x, labels):
    held = torch.arange(len(x)) % HELD_OUT == 0
    return max(PENALTIES, key=lambda penalty: ridge(x[~held], labels[~held], x[held], labels[held], penalty))


def test_the_penalty_is_chosen_on_held_out_training_images_alone():
    chosen = set()
    for seed in range(20):
        (x, labels), (test_x, test_labels) = labelled(48, seed), labelled(40, seed + 100)
        penalty = best_on_held_out(x, labels)
        assert linear_probe(x, labels, test_x, test_labels) == ridge(x, labels, test_x, test_labels, penalty)
        chosen.add(penalty)
    assert len(chosen) > 1, "these draws would not tell a choice from a constant"


def test_features_that_tell_the_classes_apart_are_read_and_noise_is_not():
    labels, draw = torch.arange(300) % CLASSES, torch.Generator().manual_seed(0)
    noise = torch.randn(300, 20, generator=draw)
    assert linear_probe(torch.eye(CLASSES)[labels], labels, torch.eye(CLASSES)[labels], labels) == 1.0
    assert linear_probe(noise[:200], labels[:200], noise[200:], labels[200:]) < 0.5
