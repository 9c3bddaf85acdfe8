"""The tape: accumulation, repeated and deep backward passes, constants, in-place edits, dtypes, errors."""

import numpy as np
import pytest
import torch
from autodiff_against_torch import assert_same_as_torch, normal

from phase2.errors import UserError
from phase2.scratch import Tensor, exp, log_softmax, relu, tanh


def leaf(*shape, seed=0):
    return Tensor(normal(*shape, seed=seed), requires_grad=True)


def test_a_node_used_many_times_has_the_sum_of_its_gradients():
    def reuse(x):
        y = x * x
        return (y + y * y) * y + x

    assert_same_as_torch(reuse, reuse, normal(3))


def test_a_chain_of_100_000_nodes_works():
    x = leaf(2)
    y = x
    for _ in range(100_000):
        y = y + 1e-3
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 1])


def test_a_second_backward_adds_the_same_again_to_the_leaves_as_in_torch():
    x, reference = leaf(3), torch.tensor(normal(3), requires_grad=True)
    inner = x * x
    y, expected = (inner * inner).sum(), (reference**4).sum()
    for times in (1, 2, 3):
        y.backward()
        expected.backward(retain_graph=True)
        np.testing.assert_allclose(x.grad, reference.grad.numpy(), rtol=1e-12)
        np.testing.assert_allclose(x.grad, times * 4 * x.data**3, rtol=1e-12)
    assert inner.grad is None


def test_two_results_of_one_graph_add_up_in_the_leaves():
    x = leaf(3)
    inner = exp(x)
    inner.sum().backward()
    (2 * inner).sum().backward()
    np.testing.assert_allclose(x.grad, 3 * np.exp(x.data), rtol=1e-12)


def test_zero_grad_forgets_the_gradient():
    x = leaf(3)
    for _ in range(2):
        x.zero_grad()
        x.sum().backward()
        np.testing.assert_array_equal(x.grad, [1, 1, 1])


def test_the_gradients_of_two_leaves_share_no_memory():
    a, b = leaf(3), leaf(3)
    (a + b).backward(np.ones(3))
    a.grad *= 2
    np.testing.assert_array_equal(b.grad, [1, 1, 1])


def test_a_leaf_is_its_own_result():
    x = leaf()
    x.backward()
    assert x.grad == 1


def test_constants_record_nothing_and_have_no_gradient():
    x, constant = leaf(3), Tensor(normal(3))
    assert not exp(constant * constant).requires_grad
    (x * constant * x.detach()).sum().backward()
    np.testing.assert_allclose(x.grad, constant.data * x.data)
    assert constant.grad is None


@pytest.mark.parametrize("operation", [exp, tanh, relu, log_softmax, lambda x: x * x, lambda x: x.reshape(3)[1:]])
def test_an_in_place_edit_of_a_saved_array_raises(operation):
    x = leaf(3)
    y = operation(x)
    for saved in (x.data, y.data, x.data[1:], y.data.T, x.detach().data):
        with pytest.raises(ValueError, match="read-only"):
            saved[0] = 5
        with pytest.raises(ValueError, match="read-only"):
            saved *= 2


def test_an_edit_of_the_callers_array_or_of_its_base_does_not_reach_the_tape():
    base = np.arange(6.0)
    x, mask = Tensor(base[::2], requires_grad=True), np.ones(3)
    y = (x * x * mask).sum()
    base[:] = np.nan
    mask[:] = 0
    y.backward()
    np.testing.assert_array_equal(x.grad, [0, 4, 8])


def test_new_values_are_bound_and_the_old_ones_stay_on_the_tape():
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    y = (x * x).sum()
    new = np.array([5.0, 6.0])
    x.data = new
    new[:] = 0
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 4])
    np.testing.assert_array_equal(x.data, [5, 6])
    assert x.dtype == np.float32
    with pytest.raises(UserError, match=r"data has shape \(3,\): expected \(2,\)"):
        x.data = np.ones(3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_keep_the_inputs_dtype(dtype):
    x = Tensor(normal(2, 3).astype(dtype), requires_grad=True)
    y = log_softmax(relu(0.5 * x + 1) ** 2 / 3 - tanh(x).max(1, keepdims=True)).mean()
    y.backward()
    assert y.dtype == x.grad.dtype == dtype


def test_a_gradient_has_its_leafs_dtype_when_a_constant_is_wider():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    y = x * np.ones(3)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float64, np.float32)


def test_an_array_on_the_left_makes_one_tensor():
    y = np.ones((2, 3)) * leaf(3) + np.ones((2, 2)) @ leaf(2, 3)
    assert y.shape == (2, 3)


def test_gradient_descent_solves_least_squares():
    A, truth = normal(20, 3), np.array([1.0, -2.0, 3.0])
    w = Tensor(np.zeros(3), requires_grad=True)
    for _ in range(200):
        w.zero_grad()
        ((A @ w - A @ truth) ** 2).mean().backward()
        w.data = w.data - 0.1 * w.grad
    np.testing.assert_allclose(w.data, truth, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Tensor([1, 2], requires_grad=True), "requires_grad=True with dtype int64: expected floats"),
        (lambda: Tensor([1j]), "dtype complex128: expected"),
        (lambda: Tensor(leaf(2)), "dtype object: expected"),
        (lambda: leaf(2, 3).backward(), r"backward of shape \(2, 3\) needs grad"),
        (lambda: leaf(0).backward(), r"backward of shape \(0,\) needs grad"),
        (lambda: leaf(2, 3).backward(np.ones(3)), r"grad has shape \(3,\): expected \(2, 3\)"),
        (lambda: leaf(2).sum().backward(np.ones(1)), r"grad has shape \(1,\): expected \(\)"),
        (lambda: Tensor(1.0).backward(), "backward of a constant: expected a result of a Tensor made with"),
    ],
)
def test_misuse_raises_an_error_that_names_what_was_expected(wrong, message):
    with pytest.raises(UserError, match=message):
        wrong()
