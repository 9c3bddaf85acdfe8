"""The MLP four ways: NumPy by hand, NumPy with the tape, torch by hand, torch with autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.errors import UserError
from phase2.models import MLP
from phase2.models.manual_mlp import ManualMLP
from phase2.nn import Linear
from phase2.probe.four_ways.measure import AutogradMLP
from phase2.scratch.mlp import MLP as NumpyMLP
from phase2.scratch.tape_mlp import TapeMLP


def four(sizes, seed=0):
    """The four in float64 with the same weights and random biases, and whether each takes tensors."""
    by_hand, tape = (kind(sizes, np.random.default_rng(seed), np.float64) for kind in (NumpyMLP, TapeMLP))
    rng = np.random.default_rng(seed)
    for own, copied in zip(by_hand.parameters[1::2], tape.parameters[1::2], strict=True):
        own += rng.standard_normal(own.shape)
        copied += own
    depth = len(sizes) - 2
    model = (MLP(sizes[0], sizes[-1], sizes[1], depth) if depth else Linear(sizes[0], sizes[-1])).double()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), by_hand.parameters, strict=True):
            parameter.copy_(torch.from_numpy(value))
    return [(by_hand, False), (tape, False), (ManualMLP(model.parameters()), True), (AutogradMLP(model), True)]


def batch(sizes, rows, seed):
    """Inputs, and the class of each: the largest of as many random directions."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, sizes[0]))
    return x, (x @ np.random.default_rng(0).standard_normal((sizes[0], sizes[-1]))).argmax(1)


def taken(tensors, *arrays):
    return [torch.from_numpy(array) for array in arrays] if tensors else arrays


@given(
    depth=st.integers(0, 5),
    width=st.integers(1, 9),
    ends=st.tuples(st.integers(1, 9), st.integers(1, 6)),
    rows=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_all_four_give_the_same_logits_loss_and_gradients(depth, width, ends, rows, seed):
    sizes = (ends[0], *[width] * depth, ends[1])
    x, targets = batch(sizes, rows, seed)
    (by_hand, _), *others = four(sizes, seed)
    logits, (loss, gradients) = by_hand.forward(x), by_hand.gradients(x, targets)
    for network, tensors in others:
        own_loss, own_gradients = network.gradients(*taken(tensors, x, targets))
        np.testing.assert_allclose(np.asarray(network.forward(*taken(tensors, x))), logits, rtol=0, atol=1e-10)
        assert own_loss == pytest.approx(loss, rel=0, abs=1e-10)
        for own, expected in zip(own_gradients, gradients, strict=True):
            np.testing.assert_allclose(np.asarray(own), expected, rtol=0, atol=1e-10)


def test_all_four_have_the_same_training_curve_over_100_steps():
    sizes = (6, 16, 16, 4)
    networks = four(sizes)
    curves = np.array(
        [
            [network.step(*taken(tensors, *batch(sizes, 32, step)), 0.2) for network, tensors in networks]
            for step in range(100)
        ]
    )
    assert curves[-5:].mean() < 0.5 * curves[:5].mean()  # something was learnt
    np.testing.assert_allclose(curves, curves[:, :1].repeat(4, 1), rtol=0, atol=1e-9)


def test_the_manual_network_copies_its_parameters_and_builds_no_graph():
    model = MLP(5, 3, 4, 2)
    before = [p.detach().clone() for p in model.parameters()]
    manual = ManualMLP(model.parameters())
    x, targets = torch.randn(7, 5), torch.randint(3, (7,))
    kept = x.clone()
    manual.step(x, targets, 0.1)
    torch.testing.assert_close(list(model.parameters()), before, rtol=0, atol=0)
    torch.testing.assert_close(x, kept, rtol=0, atol=0)
    assert not any(torch.equal(own, old) for own, old in zip(manual.parameters, before, strict=True))
    made = [manual.forward(x), *manual.gradients(x, targets)[1], *manual.parameters]
    assert not any(tensor.requires_grad for tensor in made)


@pytest.mark.parametrize(
    "shapes", [[], [(4, 5)], [(4, 5), (5,)], [(4, 5), (4,), (3, 5), (3,)], [(4,), (4,)], [(4, 5), (4, 1)]]
)
def test_parameters_that_do_not_fit_each_other_are_named(shapes):
    with pytest.raises(UserError, match=r"ManualMLP: parameters have shapes .*expected \(out, in\), \(out,\)"):
        ManualMLP([torch.zeros(shape) for shape in shapes])


BAD_INPUT = {
    "features": (torch.zeros(7, 4), r"x has shape \(7, 4\), expected \(batch, 5\)"),
    "images": (torch.zeros(7, 1, 5), r"x has shape \(7, 1, 5\), expected \(batch, 5\)"),
    "no rows": (torch.zeros(0, 5), "at least one row"),
    "integers": (torch.zeros(7, 5, dtype=torch.int64), r"x of shape \(7, 5\) is torch.int64, expected torch.float32"),
    "NaN": (torch.full((7, 5), torch.nan), r"x of shape \(7, 5\) holds NaN or infinity"),
}
BAD_TARGETS = {
    "column": (torch.zeros(7, 1, dtype=torch.int64), r"targets have shape \(7, 1\), expected \(7,\)"),
    "floats": (torch.zeros(7), "targets are torch.float32, expected class indices of torch.int64"),
    "outside": (torch.full((7,), 3), r"are in \[3, 3\], expected class indices in \[0, 2\]"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_named_with_the_shape_expected(case):
    x, message = BAD_INPUT[case]
    manual = ManualMLP(MLP(5, 3, 4, 1).parameters())
    for call in (lambda: manual.forward(x), lambda: manual.gradients(x, torch.zeros(7, dtype=torch.int64))):
        with pytest.raises(UserError, match=f"MLP: .*{message}"):
            call()


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_are_named_with_the_shape_expected(case):
    targets, message = BAD_TARGETS[case]
    with pytest.raises(UserError, match=f"MLP: .*{message}"):
        ManualMLP(MLP(5, 3, 4, 1).parameters()).gradients(torch.zeros(7, 5), targets)
