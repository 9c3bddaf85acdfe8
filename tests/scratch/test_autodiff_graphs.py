"""Random expression graphs, with broadcasting and reuse, against torch in float64."""

from types import SimpleNamespace

import hypothesis.extra.numpy as hnp
import numpy as np
import torch
from autodiff_against_torch import TOLERANCE, normal
from hypothesis import given, settings
from hypothesis import strategies as st

import phase2.scratch as scratch
from phase2.scratch import Tensor

OURS = SimpleNamespace(
    **{name: getattr(scratch, name) for name in ("exp", "log", "tanh", "relu", "maximum", "where", "log_softmax")},
    constant=lambda array: array,
    max=lambda x, axis, keepdims: x.max(axis, keepdims),
    transpose=lambda x, axes: x.transpose(*axes),
)
TORCH = SimpleNamespace(
    **{name: getattr(torch, name) for name in ("exp", "log", "tanh", "relu", "maximum", "where", "log_softmax")},
    constant=torch.as_tensor,
    max=torch.amax,
    transpose=torch.permute,
)


def apart(lib, x):
    """x plus constants that differ: near-ties would make the derivative of a maximum hang on the last bit."""
    return x + lib.constant(np.cos(1.7 * np.arange(np.prod(x.shape, dtype=int))).reshape(tuple(x.shape)))


def mask(x):
    return np.arange(np.prod(x.shape, dtype=int)).reshape(tuple(x.shape)) % 2 == 0


ELEMENTWISE = {
    "exp": lambda lib, x: lib.exp(lib.tanh(x)),
    "log": lambda lib, x: lib.log(x * x + 1),
    "tanh": lambda lib, x: lib.tanh(x),
    "relu": lambda lib, x: lib.relu(apart(lib, x)),
    "negative": lambda lib, x: 1 - (-x),
    "cube": lambda lib, x: lib.tanh(x) ** 3,
    "square root": lambda lib, x: (x * x + 1) ** 0.5,
}
PAIRWISE = {
    "add": lambda lib, a, b: a + b,
    "subtract": lambda lib, a, b: a - b,
    "multiply": lambda lib, a, b: lib.tanh(a) * b,
    "divide": lambda lib, a, b: a / (b * b + 1),
    "power": lambda lib, a, b: (lib.tanh(a) ** 2 + 1) ** lib.tanh(b),
    "maximum": lambda lib, a, b: lib.maximum(apart(lib, a), b),
    "where": lambda lib, a, b: lib.where(lib.constant(mask(a)), a, b),
}


def steps_of_shape(shape):
    """The operations on an array of this shape that turn it into another one."""
    ndim = len(shape)
    if not ndim:
        return st.just(lambda lib, x: x.reshape((1,)))
    axes = st.integers(-ndim, ndim - 1) | st.just(tuple(range(ndim)))
    last = st.lists(st.integers(0, shape[-1] - 1), min_size=1, max_size=4).map(np.array)
    return st.one_of(
        st.builds(lambda a, k: lambda lib, x: x.sum(a, k), axes, st.booleans()),
        st.builds(lambda a, k: lambda lib, x: x.mean(a, k), axes, st.booleans()),
        st.builds(lambda a, k: lambda lib, x: lib.max(apart(lib, x), a, k), axes, st.booleans()),
        st.permutations(range(ndim)).map(lambda order: lambda lib, x: lib.transpose(x, tuple(order))),
        st.sampled_from([(-1,), (-1, shape[0]), (1, *shape)]).map(lambda new: lambda lib, x: x.reshape(new)),
        last.map(lambda places: lambda lib, x: x[..., places]),
        st.integers(0, shape[0] - 1).map(lambda start: lambda lib, x: x[start:, None]),
        st.just(lambda lib, x: x[mask(x)]),
        st.integers(-ndim, ndim - 1).map(lambda axis: lambda lib, x: lib.log_softmax(x, axis)),
    )


def fit(operator, left, right):
    try:
        operator(np.ones(left), np.ones(right))
    except ValueError:
        return False
    return True


@st.composite
def graphs(draw):
    """Shapes of the leaves, and steps (operation, places of its operands among all values so far)."""
    leaves = list(draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3)).input_shapes)
    values = [Tensor(np.ones(shape)) for shape in leaves]
    steps = []
    for _ in range(draw(st.integers(1, 8))):
        i = draw(st.integers(0, len(values) - 1))
        shape = values[i].shape
        matching = [j for j, value in enumerate(values) if fit(np.add, shape, value.shape)]
        multiplying = [j for j, value in enumerate(values) if fit(np.matmul, shape, value.shape)]
        kinds = [
            st.tuples(st.sampled_from(list(ELEMENTWISE.values())), st.just((i,))),
            st.tuples(st.sampled_from(list(PAIRWISE.values())), st.sampled_from(matching).map(lambda j, i=i: (i, j))),
            st.tuples(steps_of_shape(shape), st.just((i,))),
        ]
        if multiplying:
            product = st.just(lambda lib, a, b: lib.tanh(a) @ b)
            kinds.append(st.tuples(product, st.sampled_from(multiplying).map(lambda j, i=i: (i, j))))
        operation, operands = draw(st.one_of(kinds))
        steps.append((operation, operands))
        values.append(operation(OURS, *(values[j] for j in operands)))
    return leaves, steps


def evaluate(lib, leaves, steps):
    """Every value of the graph, and a loss that uses each of them."""
    values = list(leaves)
    for operation, operands in steps:
        values.append(operation(lib, *(values[j] for j in operands)))
    return values, sum((apart(lib, lib.tanh(value)) ** 2).sum() for value in values)


@given(graphs(), st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_any_graph_has_torchs_values_and_gradients(graph, seed):
    shapes, steps = graph
    arrays = [normal(*shape, seed=seed + place) for place, shape in enumerate(shapes)]
    leaves = [Tensor(array, requires_grad=True) for array in arrays]
    references = [torch.tensor(array, requires_grad=True) for array in arrays]
    values, loss = evaluate(OURS, leaves, steps)
    expected, expected_loss = evaluate(TORCH, references, steps)
    for value, reference in zip(values, expected, strict=True):
        assert value.shape == tuple(reference.shape)
        np.testing.assert_allclose(value.data, reference.detach().numpy(), **TOLERANCE)
    loss.backward()
    expected_loss.backward()
    for leaf, reference in zip(leaves, references, strict=True):
        np.testing.assert_allclose(leaf.grad, reference.grad.numpy(), **TOLERANCE)
