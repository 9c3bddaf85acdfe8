"""cross_entropy to class probabilities against torch's: values, gradients of both sides, lanes, refused arguments."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import vmap

from phase2.errors import UserError
from phase2.nn.loss.cross_entropy import CrossEntropyLoss, cross_entropy
from phase2.nn.loss.reduction import REDUCTIONS
from phase2.task.metrics.accuracy import accuracy

pytestmark = pytest.mark.quick

theirs = torch.nn.functional.cross_entropy
WEIGHT = torch.tensor([0.5, 2.0, 0.0, 1.5], dtype=torch.float64)
OPTIONS = {"default": {}, "weights": {"weight": WEIGHT}, "smoothed": {"label_smoothing": 0.1}}
OPTIONS["all"] = {"weight": WEIGHT, "label_smoothing": 0.3}


def problem(*rest: int, rows: int = 6, classes: int = 4, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(rows, classes, *rest, dtype=torch.float64, generator=generator)
    return logits.requires_grad_(), torch.rand(logits.shape, dtype=torch.float64, generator=generator).softmax(1)


def check_matches_torch(logits: Tensor, q: Tensor, **options) -> None:
    """Value and both gradients, from the function and from the layer; NaN where torch gives NaN."""
    q = q.detach().requires_grad_()
    for ours in (cross_entropy, lambda z, t, **given: CrossEntropyLoss(**given)(z, t)):
        loss, expected = ours(logits, q, **options), theirs(logits, q, **options)
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12, equal_nan=True)
        G = torch.rand_like(loss)
        for one, other in zip(*(torch.autograd.grad(v, (logits, q), G) for v in (loss, expected)), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12, equal_nan=True)


@st.composite
def any_call(draw):
    shape = (draw(st.integers(0, 5)), draw(st.integers(1, 5)), *draw(st.sampled_from([(), (), (3,), (2, 0), (2, 3)])))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    scale, shift = draw(st.sampled_from([1e-8, 1.0, 100.0])), draw(st.sampled_from([0.0, 1e3, -1e3]))
    logits = scale * torch.randn(shape, dtype=torch.float64, generator=generator) + shift
    q = torch.rand(shape, dtype=torch.float64, generator=generator)
    if draw(st.booleans()):  # torch asks for no sum of 1
        q = q.softmax(1)
    options = {
        "weight": torch.rand(shape[1], dtype=torch.float64, generator=generator) if draw(st.booleans()) else None,
        "label_smoothing": draw(st.sampled_from([0.0, 0.1, 1.0])),
        "reduction": draw(st.sampled_from(REDUCTIONS)),
    }
    return logits.requires_grad_(), q, options


@given(any_call())
@settings(max_examples=150, deadline=None)
def test_every_combination_of_options_matches_torch(call):
    logits, q, options = call
    check_matches_torch(logits, q, **options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", OPTIONS)
def test_logits_of_1e4_match_torch(name: str, reduction: str):
    check_matches_torch(*problem(scale=1e4), reduction=reduction, **OPTIONS[name])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_one_hot_probabilities_are_the_labels(label_smoothing: float, reduction: str):
    logits, _ = problem()
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    one_hot = torch.nn.functional.one_hot(labels, 4).double()
    options = {"label_smoothing": label_smoothing, "reduction": reduction}
    torch.testing.assert_close(cross_entropy(logits, one_hot, **options), cross_entropy(logits, labels, **options))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", OPTIONS)
def test_derivatives_pass_gradcheck_twice(name: str, reduction: str):
    logits, q = problem(rows=3)

    def loss(z: Tensor, q: Tensor) -> Tensor:
        return cross_entropy(z, q, reduction=reduction, **OPTIONS[name])

    assert torch.autograd.gradcheck(loss, (logits, q.requires_grad_()))
    assert torch.autograd.gradgradcheck(loss, (logits, q))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("shared", [True, False])
def test_lanes_equal_each_alone(shared: bool, name: str, reduction: str):
    def loss(z: Tensor, q: Tensor) -> Tensor:
        return cross_entropy(z, q, reduction=reduction, **OPTIONS[name])

    z = torch.randn(3, 6, 4, dtype=torch.float64, requires_grad=True)
    q = torch.rand(*(() if shared else (3,)), 6, 4, dtype=torch.float64)
    losses = vmap(loss, in_dims=(0, None if shared else 0))(z, q)
    losses.sum().backward()
    for lane in range(3):
        alone = z[lane].detach().requires_grad_()
        expected = theirs(alone, q if shared else q[lane], reduction=reduction, **OPTIONS[name])
        expected.sum().backward()
        torch.testing.assert_close(losses[lane], expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(z.grad[lane], alone.grad, rtol=0, atol=1e-12)


def test_huge_float32_logits_give_finite_loss_and_gradient():
    logits = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[0.5, 0.5, 0.0]]))
    loss.backward()
    assert loss.item() == 1e4
    torch.testing.assert_close(logits.grad, torch.tensor([[0.5, -0.5, 0]]))


def test_autocast_computes_in_float32_as_torch_does():
    logits, q = torch.randn(6, 4, dtype=torch.bfloat16), torch.rand(6, 4).softmax(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(cross_entropy(logits, q), theirs(logits.float(), q))


def test_accuracy_counts_the_most_probable_class():
    outputs = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 3.0, 2.0]])
    q = torch.tensor([[0.6, 0.4, 0.0], [0.7, 0.1, 0.2], [0.3, 0.45, 0.25]])
    assert accuracy(outputs, q) == accuracy(outputs, q.argmax(1)) == 2
    assert vmap(accuracy, in_dims=(0, None))(torch.stack([outputs, outputs.flip(1)]), q).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (torch.zeros(2, 4, dtype=torch.int64), {}, r"holds class probabilities, and is torch.int64: expected torch.fl"),
        (torch.zeros(2, 4, dtype=torch.float64), {}, "is torch.float64: expected torch.float32"),
        (torch.zeros(2, 3), {}, r"target has shape \(2, 3\), expected \(2,\).*or class probabilities of that shape"),
        (torch.zeros(2, 4), {"ignore_index": 1}, "ignore_index=1, and class probabilities have no index"),
        (torch.zeros(2, 4), {"weight": torch.ones(3)}, r"weight has shape \(3,\)"),
        (torch.zeros(2, 4), {"label_smoothing": math.nan}, "label_smoothing=nan"),
    ],
)
def test_wrong_probabilities_are_an_error_and_never_broadcast(target: Tensor, options: dict, message: str):
    with pytest.raises(UserError, match=message):
        cross_entropy(torch.zeros(2, 4), target, **options)
