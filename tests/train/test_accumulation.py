"""Micro-batches: their gradients add up to the batch's, however it is cut and whatever of it counts."""

from contextlib import nullcontext
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packs import CPU, LANES, largest_difference, recipe, trained_weights
from studies import study_of
from torch import Tensor

from phase2.errors import UserError
from phase2.nn import cross_entropy
from phase2.task.images import Images
from phase2.task.task import Metric, Task
from phase2.train.accumulation import backward
from phase2.train.loop import Training


@dataclass(frozen=True)
class Masked(Images):
    """Images of which only those of the classes above 0 count, as tokens do that are no padding."""

    def counted(self, targets: Tensor) -> int:
        return int((targets > 0).sum())


def masked_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(outputs[targets > 0], targets[targets > 0])


def masked_right(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs.argmax(-1) == targets) & (targets > 0)).sum()


@pytest.fixture
def masked(parts: Task) -> Task:
    metric = Metric("hits", masked_right, higher_is_better=True)
    return replace(parts, train=Masked(**vars(parts.train)), objective=masked_loss, metrics=(metric,))


def weights_after(training: Training, *batches: Tensor) -> dict[str, Tensor]:
    for rows in batches:
        training.step(rows)
    return training.stack.weights()


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adam", "optimizer_options": {}}], ids=["sgd", "adam"])
@pytest.mark.parametrize("pieces", [2, 4, 48])
def test_micro_batches_train_as_the_whole_batch_does_the_last_and_shorter_one_too(
    pieces: int, optimizer: dict, parts: Task
):
    """160 images in batches of 48: the last has 16, and 12 do not divide it."""
    pack = recipe(batch_size=48, **optimizer)
    whole = trained_weights(pack, LANES, parts)
    cut = trained_weights(replace(pack, accumulate=pieces), LANES, parts)
    for ours, theirs in zip(cut, whole, strict=True):
        assert largest_difference(ours, theirs) < 1e-11


def test_unequal_counts_and_a_micro_batch_that_counts_nothing_give_the_gradient_of_the_whole(masked: Task):
    labels = masked.train.batch(torch.arange(160), torch.float64)[1]
    left_out, counts = (torch.nonzero(part).flatten() for part in (labels == 0, labels > 0))
    rows = torch.cat([left_out[:8], counts[:8], left_out[8:15], counts[8:9]])
    pieces = [masked.train.counted(part) for part in labels[rows].split(8)]
    assert pieces == [0, 8, 1]
    pack = recipe(batch_size=24)
    whole, cut = (
        Training(replace(pack, accumulate=accumulate), LANES[:1], masked, CPU, torch.float64) for accumulate in (1, 3)
    )
    assert largest_difference(weights_after(whole, rows), weights_after(cut, rows)) < 1e-14
    assert cut.state.counted == whole.state.counted == 9
    torch.testing.assert_close(cut.state.loss_sum, whole.state.loss_sum, rtol=1e-14, atol=0)
    assert torch.equal(cut.state.metric_sums["hits"], whole.state.metric_sums["hits"])


def test_a_batch_that_counts_nothing_takes_no_step(masked: Task):
    labels = masked.train.batch(torch.arange(160), torch.float64)[1]
    training = Training(recipe(), LANES[:1], masked, CPU, torch.float64)
    before = training.stack.weights()
    assert largest_difference(weights_after(training, torch.nonzero(labels == 0).flatten()[:8]), before) == 0
    state = training.state
    assert (state.seen, state.step, state.counted, state.taken.tolist()) == (8, 1, 0, [0])
    assert state.alive.all()


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    scales=st.lists(st.sampled_from([1.0, 0.5, 2.0**16]), min_size=1, max_size=3),
)
def test_however_a_batch_is_cut_the_gradient_is_that_of_its_mean(counts: list[int], scales: list[float]):
    """Of a loss that is quadratic in two weights, each lane's times its scale."""
    generator = torch.Generator().manual_seed(len(counts))
    inputs = torch.randn(6 * len(counts), 2, dtype=torch.float64, generator=generator)
    targets = torch.cat([torch.tensor([1] * count + [0] * (6 - count)) for count in counts])
    weights = torch.ones(len(scales), 2, dtype=torch.float64, requires_grad=True)

    def measure(some: Tensor, kept: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        products = (some[kept > 0] @ weights.T).square()
        return products.mean(0), {"large": (products > 1).sum(0)}

    class Part(Images):
        def counted(self, targets: Tensor) -> int:
            return int(targets.sum())

    part = object.__new__(Part)
    sums = backward(measure, inputs, targets, part, 6, torch.tensor(scales), lambda number: nullcontext())
    losses, totals = measure(inputs, targets)
    (gradient,) = torch.autograd.grad(losses.sum(), weights)
    expected = gradient * torch.tensor(scales).unsqueeze(1)
    torch.testing.assert_close(weights.grad, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(sums.losses, losses.detach() * sum(counts), rtol=1e-12, atol=0)
    assert torch.equal(sums.metrics["large"], totals["large"])
    assert sums.counted == sum(counts)


def test_batch_norm_normalizes_each_micro_batch_by_itself_and_tracks_it(parts: Task):
    """What makes it another training: said in `phase2.train.accumulation`."""
    rows = torch.arange(32)
    pack = recipe(norm="batch")
    whole, cut = (
        weights_after(Training(replace(pack, accumulate=pieces), LANES[:1], parts, CPU, torch.float64), rows)
        for pieces in (1, 4)
    )
    tracked = [name for name in whole if name.endswith("num_batches_tracked")]
    assert [whole[name].item() for name in tracked] == [1, 1]
    assert [cut[name].item() for name in tracked] == [4, 4]
    assert largest_difference(whole, {**cut, **{name: whole[name] for name in tracked}}) > 1e-4


def test_dropout_draws_for_each_micro_batch_and_alike_for_a_lane_alone_and_in_a_pack(parts: Task):
    pack = recipe(dropout=0.5, accumulate=4)
    together = trained_weights(pack, LANES, parts)
    for lane, weights in zip(LANES, together, strict=True):
        (alone,) = trained_weights(pack, [lane], parts)
        assert largest_difference(weights, alone) < 1e-10


def test_a_batch_that_cannot_be_cut_equally_is_refused_with_a_number_that_can():
    wanted = r"a batch of 32 cannot be cut into 5 equal micro-batches: expected a divisor of 32, such as 4"
    with pytest.raises(UserError, match=wanted):
        study_of(budget={"epochs": 2, "batch_size": 32, "accumulate": 5})
    with pytest.raises(UserError, match="cut into 64"):
        study_of(axes={"accumulate": [1, 64], "seed": [0]})
