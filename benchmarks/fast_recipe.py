"""A step of the fast recipe (`airbench`, Jordan 2024): ours beside the same recipe in torch.nn's layers, as its public
code has it: images in memory and channels-last, augmented all at once, SGD from torch, slow weights every five steps.
Two threads.

Claim: at most 1.1 times its time, in float32, and in bfloat16 where the processor computes in it: there the plain one
holds its weights in bfloat16 too, which ours keeps in float32.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from phase2.bench import Measured, interleaved, load_measurement, torch_threads
from phase2.source import ROOT
from phase2.train.precision import computes_in_bfloat16
from phase2.train.recipe import Lane, Recipe

training = load_measurement(ROOT / "benchmarks" / "training.py")
SHIFT, EVERY, MOMENTUM, SMOOTHING = 2, 5, 0.85, 0.2
LR, DECAY, BIAS_LR = 1.5, 0.00133, 64.0


@dataclass(frozen=True)
class Sizes:
    images: int  # of an epoch
    batch: int
    width: int
    repeats: int


FULL = Sizes(images=2560, batch=512, width=64, repeats=5)  # five steps an epoch: the slow weights move once
TINY = Sizes(images=8, batch=4, width=2, repeats=1)


def measure(sizes: Sizes) -> list[Measured]:
    with torch_threads(training.THREADS):
        precisions = ["fp32", *(["bf16"] if computes_in_bfloat16() else [])]
        return [_figure(precision, sizes) for precision in precisions]


def _figure(precision: str, sizes: Sizes) -> Measured:
    loops = [ours(precision, sizes), plain(precision, sizes)]
    for loop in loops:
        loop()  # warms up
    mine, theirs = interleaved(sizes.repeats, *loops)
    ratios = [slow / fast for slow, fast in zip(mine, theirs, strict=True)]
    return Measured(f"the fast recipe, {precision}: time beside torch.nn's", ratios, "x", 1.1)


def ours(precision: str, sizes: Sizes) -> Callable[[], float]:
    """A function that trains for an epoch and returns its seconds."""
    recipe = Recipe(
        model="airbench",
        model_options={"width": sizes.width, "activation": "gelu", "backend": "fused"},
        optimizer="sgd",
        optimizer_options={"momentum": MOMENTUM, "nesterov": True},
        batch_size=sizes.batch,
        epochs=sizes.repeats + 1,
        seed=0,
        decay="weights",
        precision=precision,
        channels_last=True,
        average="lookahead",
        average_options={"every": EVERY, "decay": 0.774, "power": 3},
    )
    lane = Lane("dirac", "triangle", LR, DECAY, bias_lr=BIAS_LR)
    task = {"augment": "alternating_flip+translate", "label_smoothing": SMOOTHING}
    return training.our_loop(recipe, lane, training.pictures(sizes.images), **task)


def network(width: int) -> nn.Sequential:
    """The network of torch's layers; its first weights, which are not learnt, are of no account here."""
    whitening = nn.Conv2d(3, 24, 2)
    whitening.weight.requires_grad = False
    layers: list[nn.Module] = [whitening, nn.GELU()]
    for inputs, outputs in ((24, width), (width, 4 * width), (4 * width, 4 * width)):
        layers += [_convolution(inputs, outputs), nn.MaxPool2d(2), _norm(outputs), nn.GELU()]
        layers += [_convolution(outputs, outputs), _norm(outputs), nn.GELU()]
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(4 * width, 10, bias=False))


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding="same", bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    norm.weight.requires_grad = False
    return norm


def plain(precision: str, sizes: Sizes) -> Callable[[], float]:
    """A function that trains for an epoch and returns its seconds."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    images = torch.from_numpy(training.pictures(sizes.images))
    targets = torch.from_numpy(training.labels_of(images.numpy()))
    images = (images.to(dtype) / 255).sub_(0.5).div_(0.25).to(memory_format=torch.channels_last)
    wider = pad(images, (SHIFT,) * 4, "reflect")
    model = network(sizes.width).to(dtype=dtype, memory_format=torch.channels_last)
    for module in model:
        if isinstance(module, nn.BatchNorm2d):
            module.float()
    learnt = {name: p for name, p in model.named_parameters() if p.requires_grad}
    biases = [p for name, p in learnt.items() if name.endswith("bias")]
    others = [p for name, p in learnt.items() if not name.endswith("bias")]
    groups = [{"params": biases, "lr": LR * BIAS_LR / 100}, {"params": others, "weight_decay": DECAY}]
    optimizer = torch.optim.SGD(groups, lr=LR / 100, momentum=MOMENTUM, nesterov=True)
    slow = [value.detach().clone() for value in learnt.values()]
    steps = 0

    def epoch() -> float:
        nonlocal steps
        began = time.perf_counter()
        shown = _shifted(wider)
        for rows in torch.randperm(len(images)).split(sizes.batch):
            outputs = model(shown[rows]) / 9
            loss = cross_entropy(outputs, targets[rows], label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
            if steps % EVERY == 0:
                with torch.no_grad():
                    torch._foreach_lerp_(slow, list(learnt.values()), 0.5)
                    torch._foreach_copy_(list(learnt.values()), slow)
        return time.perf_counter() - began

    return epoch


def _shifted(wider: Tensor) -> Tensor:
    """A window of every padded image, at a place of its own."""
    side = wider.shape[-1] - 2 * SHIFT
    down, right = torch.randint(0, 2 * SHIFT + 1, (2, len(wider)))
    windows = wider.unfold(2, side, 1).unfold(3, side, 1)  # (n, channels, down, right, height, width)
    return windows[torch.arange(len(wider)), :, down, right]
