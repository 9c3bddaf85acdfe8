"""The NumPy MLP, by hand and with the tape, against torch; and what it refuses."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import UserError
from phase2.scratch.mlp import MLP, softmax_cross_entropy
from phase2.scratch.tape_mlp import TapeMLP

pytestmark = pytest.mark.quick

BOTH = pytest.mark.parametrize("kind", [MLP, TapeMLP])


def problem(rows=7, features=5, classes=3, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, features)).astype(dtype), rng.integers(0, classes, rows)


def network(kind=MLP, sizes=(5, 4, 3), dtype=np.float64):
    return kind(sizes, np.random.default_rng(1), dtype)


def torch_gradients(parameters, x, targets):
    """The loss and its gradients by torch's own functions."""
    parameters = [torch.tensor(p, requires_grad=True) for p in parameters]
    h = torch.tensor(x)
    for layer in range(0, len(parameters), 2):
        h = torch.nn.functional.linear(h.relu() if layer else h, *parameters[layer : layer + 2])
    loss = torch.nn.functional.cross_entropy(h, torch.tensor(targets))
    return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, parameters)]


@BOTH
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=7), rows=st.integers(1, 8), seed=st.integers(0, 2**32 - 1)
)
@settings(max_examples=30, deadline=None)
def test_loss_and_gradients_match_torch_for_any_sizes(kind, sizes, rows, seed):
    x, targets = problem(rows, sizes[0], sizes[-1], seed)
    mlp = kind(sizes, np.random.default_rng(seed), np.float64)
    for parameter in mlp.parameters[1::2]:
        parameter += np.random.default_rng(seed).standard_normal(parameter.shape)
    loss, gradients = mlp.gradients(x, targets)
    expected, theirs = torch_gradients(mlp.parameters, x, targets)
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-12)
    for own, other, parameter in zip(gradients, theirs, mlp.parameters, strict=True):
        assert own.shape == parameter.shape
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_softmax_cross_entropy_matches_torch_also_for_huge_logits(scale):
    x, targets = problem(9, 6, 6)
    z = torch.tensor(scale * x, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(z, torch.tensor(targets))
    loss, G = softmax_cross_entropy(scale * x, targets)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(G, torch.autograd.grad(expected, z)[0].numpy(), rtol=0, atol=1e-14)


@BOTH
def test_a_step_moves_against_the_gradient_and_leaves_its_input_alone(kind):
    mlp, (x, targets) = network(kind), problem()
    before, kept = [p.copy() for p in mlp.parameters], x.copy()
    loss, gradients = mlp.gradients(x, targets)
    assert mlp.step(x, targets, 0.3) == loss
    for old, gradient, new in zip(before, gradients, mlp.parameters, strict=True):
        np.testing.assert_array_equal(new, old - 0.3 * gradient)
    np.testing.assert_array_equal(x, kept)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_array_keeps_the_dtype_of_the_network(kind, dtype):
    mlp, (x, targets) = network(kind, dtype=dtype), problem(dtype=dtype)
    mlp.step(x, targets, 0.1)
    arrays = [mlp.forward(x), *mlp.gradients(x, targets)[1], *mlp.parameters]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


def test_initial_weights_are_hes_and_the_same_in_both_types_and_both_classes():
    sizes = (400, 300, 10)
    mlp = network(sizes=sizes)
    for fan_in, W, b in zip(sizes, mlp.parameters[::2], mlp.parameters[1::2], strict=False):
        n = W.size
        assert abs(W.mean()) < 5 * np.sqrt(2 / fan_in / n)
        assert W.var() == pytest.approx(2 / fan_in, rel=5 * np.sqrt(2 / n))  # five standard errors
        np.testing.assert_array_equal(b, 0)
    single, tape = network(sizes=sizes, dtype=np.float32), network(TapeMLP, sizes)
    for one, rounded, other in zip(mlp.parameters, single.parameters, tape.parameters, strict=True):
        np.testing.assert_array_equal(rounded, one.astype(np.float32))
        np.testing.assert_array_equal(other, one)


@BOTH
def test_training_visits_every_sample_once_an_epoch_in_a_fresh_order(kind, monkeypatch):
    mlp, seen = network(kind), []
    monkeypatch.setattr(mlp, "step", lambda x, targets, lr: seen.append((x[:, 0], targets)) or float(lr))
    x, targets = problem(rows=10)
    losses = mlp.train(x, targets, epochs=2, batch_size=4, lr=0.5, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(losses, [0.5] * 6)
    assert [len(batch) for batch, _ in seen] == [4, 4, 2, 4, 4, 2]
    orders = [np.concatenate([batch for batch, _ in part]) for part in (seen[:3], seen[3:])]
    assert not np.array_equal(*orders)
    of = dict(zip(x[:, 0], targets, strict=True))
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.sort(x[:, 0]))
    assert all(of[value] == target for batch in seen for value, target in zip(*batch, strict=True))


@BOTH
def test_training_separates_classes_that_no_line_separates(kind):
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    targets = (x.prod(1) > 0).astype(np.int64)  # exclusive or of the signs
    mlp = network(kind, sizes=(2, 16, 16, 2))
    losses = mlp.train(x, targets, epochs=60, batch_size=20, lr=0.3, rng=np.random.default_rng(0))
    assert losses[-10:].mean() < 0.2 < 0.5 < losses[:10].mean()
    assert (mlp.forward(x).argmax(1) == targets).mean() > 0.95


@pytest.mark.parametrize(
    ("sizes", "dtype", "message"),
    [
        ((5,), np.float32, r"MLP: sizes=\(5,\), expected \(in_features, hidden, ..., classes\), each at least 1"),
        ((5, 0, 3), np.float32, r"MLP: sizes=\(5, 0, 3\), expected .* at least 1"),
        ((5, 3), np.int64, "MLP: dtype=int64, expected float32 or float64"),
    ],
)
def test_a_network_that_cannot_be_is_named(sizes, dtype, message):
    with pytest.raises(UserError, match=message):
        MLP(sizes, np.random.default_rng(0), dtype)


BAD_INPUT = {
    "features": (np.zeros((7, 4)), r"x has shape \(7, 4\), expected \(batch, 5\)"),
    "images": (np.zeros((7, 1, 5)), r"x has shape \(7, 1, 5\), expected \(batch, 5\)"),
    "one sample": (np.zeros(5), r"x has shape \(5,\), expected \(batch, 5\)"),
    "no rows": (np.zeros((0, 5)), r"x has shape \(0, 5\), expected \(batch, 5\) with at least one row"),
    "integers": (np.zeros((7, 5), np.int64), r"x of shape \(7, 5\) is int64, expected float64"),
    "single": (np.zeros((7, 5), np.float32), r"x of shape \(7, 5\) is float32, expected float64"),
    "NaN": (np.full((7, 5), np.nan), r"x of shape \(7, 5\) holds NaN or infinity"),
    "infinity": (np.full((7, 5), -np.inf), r"x of shape \(7, 5\) holds NaN or infinity"),
}
BAD_TARGETS = {
    "column": (np.zeros((7, 1), np.int64), r"targets have shape \(7, 1\), expected \(7,\), one class index for each"),
    "one-hot": (np.zeros((7, 3), np.int64), r"targets have shape \(7, 3\), expected \(7,\)"),
    "fewer": (np.zeros(6, np.int64), r"targets have shape \(6,\), expected \(7,\)"),
    "floats": (np.zeros(7), "targets are float64, expected class indices of int64"),
    "too large": (np.full(7, 3), r"targets of shape \(7,\) are in \[3, 3\], expected class indices in \[0, 2\]"),
    "negative": (np.full(7, -1), r"targets of shape \(7,\) are in \[-1, -1\], expected class indices in \[0, 2\]"),
}


@BOTH
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_named_with_the_shape_expected(kind, case):
    x, message = BAD_INPUT[case]
    for call in (lambda mlp: mlp.forward(x), lambda mlp: mlp.gradients(x, np.zeros(7, np.int64))):
        with pytest.raises(UserError, match=f"MLP: {message}"):
            call(network(kind))


@BOTH
@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_are_named_with_the_shape_expected(kind, case):
    targets, message = BAD_TARGETS[case]
    with pytest.raises(UserError, match=f"MLP: {message}"):
        network(kind).step(np.zeros((7, 5)), targets, 0.1)
