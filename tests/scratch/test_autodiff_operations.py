"""Each operation of the tape against torch in float64: value and gradient, shapes of every kind, ties, extremes."""

import numpy as np
import pytest
import torch
from autodiff_against_torch import TOLERANCE, assert_same_as_torch, normal

from phase2.errors import UserError
from phase2.scratch import Tensor, conv2d, exp, log, log_softmax, maximum, relu, tanh, where

pytestmark = pytest.mark.quick

UNARY = {
    "exp": (exp, torch.exp),
    "log": (lambda x: log(x * x + 1), lambda x: torch.log(x * x + 1)),
    "tanh": (tanh, torch.tanh),
    "relu": (relu, torch.relu),
    "negative": (lambda x: -x, lambda x: -x),
    "square": (lambda x: x**2, lambda x: x**2),
    "reciprocal": (lambda x: 2 / x, lambda x: 2 / x),
    "number on the left": (lambda x: 3 - 2 * x + 1.5**x, lambda x: 3 - 2 * x + 1.5**x),
    "sigmoid from tanh": (lambda x: 0.5 + 0.5 * tanh(0.5 * x), torch.sigmoid),
    "sum": (lambda x: x.sum(), lambda x: x.sum()),
    "mean": (lambda x: x.mean(), lambda x: x.mean()),
    "max": (lambda x: x.max(), lambda x: x.max()),
}
BINARY = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b),
    "divide": (lambda a, b: a / b, lambda a, b: a / b),
    "power": (lambda a, b: (a * a) ** b, lambda a, b: (a * a) ** b),
    "maximum": (maximum, torch.maximum),
    "where": (
        lambda a, b: where([True, False, True], a, b),
        lambda a, b: torch.where(torch.tensor([True, False, True]), a, b),
    ),
}
BROADCASTS = [
    ((), ()),
    ((3,), ()),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((4, 1, 3), (2, 1)),
    ((0, 3), (1, 3)),
    ((1,), (3,)),
]
INDICES = {
    "integer": 1,
    "negative": -1,
    "slices": np.s_[1:, ::2],
    "ellipsis and new axis": np.s_[..., None, 0],
    "integers with repeats": [0, 2, 0, 0],
    "pairs with repeats": ([0, 2, 0], [1, 1, 1]),
    "integers beside a slice": np.s_[:, np.array([[3, 3], [0, 1]])],
    "mask": np.arange(12).reshape(3, 4) % 3 == 0,
    "mask of rows": np.array([True, False, True]),
    "nothing": np.s_[3:],
}


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 3)], ids=str)
@pytest.mark.parametrize(("ours", "theirs"), UNARY.values(), ids=UNARY.keys())
def test_function_of_one_array_matches_torch(ours, theirs, shape):
    assert_same_as_torch(ours, theirs, normal(*shape))


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "relu", "negative", "square", "reciprocal", "sum"])
def test_function_of_an_empty_array_matches_torch(name):
    assert_same_as_torch(*UNARY[name], normal(2, 0))


@pytest.mark.parametrize("shapes", BROADCASTS, ids=str)
@pytest.mark.parametrize(("ours", "theirs"), BINARY.values(), ids=BINARY.keys())
def test_function_of_two_arrays_broadcasts_as_torch(ours, theirs, shapes):
    a, b = (normal(*shape, seed=seed) for seed, shape in enumerate(shapes))
    assert_same_as_torch(ours, theirs, a, b)
    assert_same_as_torch(ours, theirs, b, a)


def test_powers_of_zero_have_torchs_gradients():
    for n in (0, 1, 2, 3.0):
        assert_same_as_torch(lambda x, n=n: x**n, lambda x, n=n: x**n, np.array([0.0, 2.0]))
    assert_same_as_torch(lambda x, n: x**n, lambda x, n: x**n, np.array([0.0, 0.0, 2.0]), np.array([0.0, 2.0, 0.0]))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (4, 3, 2)),
        ((3,), (5, 3, 2)),
        ((5, 2, 3), (3,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ],
    ids=str,
)
def test_matmul_matches_torch_for_vectors_matrices_and_stacks(left, right):
    assert_same_as_torch(lambda a, b: a @ b, lambda a, b: a @ b, normal(*left), normal(*right, seed=1))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, -1, (0, 2), (-1, 1)], ids=str)
@pytest.mark.parametrize(("name", "theirs"), [("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)])
def test_reduction_over_axes_matches_torch(name, theirs, axis, keepdims):
    x = normal(2, 3, 4)
    assert_same_as_torch(lambda x: getattr(x, name)(axis, keepdims), lambda x: theirs(x, dim=axis, keepdim=keepdims), x)


def test_elements_that_tie_share_the_gradient_as_in_torch():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    assert_same_as_torch(lambda x: x.max(1), lambda x: x.amax(1), x)
    assert_same_as_torch(lambda x: x.max(), lambda x: x.max(), x)
    assert_same_as_torch(maximum, torch.maximum, x, np.full((2, 1), 2.0))
    assert_same_as_torch(relu, torch.relu, np.array([-1.0, -0.0, 0.0, 1.0]))


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES.keys())
def test_indexing_matches_torch_and_repeats_add_up(index):
    assert_same_as_torch(lambda x: x[index], lambda x: x[index], normal(3, 4))


def test_an_index_array_may_be_edited_after_use():
    x, places = Tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 0])
    y = x[places]
    places[:] = 2
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 0, 0])


def test_reshape_and_transpose_match_torch():
    x = normal(2, 3, 4)
    assert_same_as_torch(lambda x: x.reshape(4, -1), lambda x: x.reshape(4, -1), x)
    assert_same_as_torch(lambda x: x.reshape((6, 4)), lambda x: x.reshape((6, 4)), x)
    assert_same_as_torch(lambda x: x.transpose(1, 2, 0), lambda x: x.permute(1, 2, 0), x)
    assert_same_as_torch(lambda x: x.transpose((-1, 0, 1)), lambda x: x.permute((-1, 0, 1)), x)
    assert_same_as_torch(lambda x: x.T @ x, lambda x: x.T @ x, normal(2, 3))
    assert_same_as_torch(lambda x: x.T.reshape(-1), lambda x: x.reshape(-1), np.array(2.0))


@pytest.mark.parametrize("scale", [1, 1e4])
@pytest.mark.parametrize("axis", [-1, 0])
def test_log_softmax_matches_torch_at_logits_of_any_size(axis, scale):
    x = scale * normal(5, 3)
    assert_same_as_torch(lambda x: log_softmax(x, axis), lambda x: torch.log_softmax(x, axis), x)


def test_log_softmax_of_an_empty_batch_is_empty():
    assert_same_as_torch(log_softmax, lambda x: torch.log_softmax(x, -1), normal(0, 3))


def test_sigmoid_from_tanh_is_finite_at_1e4():
    x = Tensor([-1e4, 0.0, 1e4], requires_grad=True)
    y = 0.5 + 0.5 * tanh(0.5 * x)
    y.sum().backward()
    np.testing.assert_allclose(y.data, [0, 0.5, 1], **TOLERANCE)
    np.testing.assert_allclose(x.grad, [0, 0.25, 0], **TOLERANCE)


@pytest.mark.parametrize("stride", [1, 2, (2, 3)], ids=str)
@pytest.mark.parametrize("padding", [0, 1, (2, 0)], ids=str)
@pytest.mark.parametrize("kernel", [(3, 3), (1, 1), (2, 4)], ids=str)
def test_conv2d_matches_torch_for_every_stride_and_padding(kernel, stride, padding):
    x, weight, bias = normal(2, 3, 6, 7), normal(4, 3, *kernel), normal(4)
    assert_same_as_torch(
        lambda x, w, b: conv2d(x, w, stride, padding) + b[:, None, None],
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, stride, padding),
        x,
        weight,
        bias,
    )


def test_conv2d_of_an_empty_batch_is_empty():
    theirs = torch.nn.functional.conv2d
    assert_same_as_torch(conv2d, theirs, normal(0, 3, 5, 5), normal(4, 3, 3, 3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda x: x + np.ones(4), r"add of shape \(2, 3\) and \(4,\).*equal or 1"),
        (lambda x: where([True, False], x, 0), r"where of shape .*equal or 1"),
        (lambda x: x @ np.ones(2), r"matmul of shape \(2, 3\) and \(2,\): expected \(..., n, k\) and \(..., k, m\)"),
        (lambda x: x @ 2, r"matmul of shape \(2, 3\) and \(\): expected"),
        (lambda x: x.reshape(4), r"reshape of shape \(2, 3\).*size 6"),
        (lambda x: x.transpose(0), r"transpose of shape \(2, 3\), axes=\(0,\)"),
        (lambda x: x.sum(2), r"sum of shape \(2, 3\), axis=2.*out of bounds"),
        (lambda x: x[2:].mean(0), r"mean over axis 0 of shape \(0, 3\).*at least one"),
        (lambda x: x[2:].max(), r"max of shape \(0, 3\).*zero-size"),
        (lambda x: conv2d(x, x), r"conv2d of x \(2, 3\).*\(batch, channels, height, width\)"),
        (lambda x: conv2d(x[None, None], np.ones((1, 1, 3, 3))), r"kernel \(3, 3\) .*\(2, 3\)"),
        (lambda x: conv2d(x[None, None], np.ones((1, 1, 1, 1)), stride=0), r"stride=0: expected .*at least 1"),
        (lambda x: conv2d(x[None, None], np.ones((1, 1, 1, 1)), padding=(1,)), r"padding=\(1,\): expected"),
        (lambda x: x + "one", "dtype <U3: expected"),
    ],
)
def test_wrong_operand_raises_an_error_that_names_what_was_expected(wrong, message):
    with pytest.raises(UserError, match=message):
        wrong(Tensor(normal(2, 3), requires_grad=True))
