"""The same computation on the tape and in torch, float64: values and gradients are compared."""

import numpy as np
import torch

from phase2.scratch import Tensor

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def assert_same_as_torch(ours, theirs, *arrays):
    """Both functions have the same value at the arrays, and the same gradients under a random upstream one."""
    tensors = [Tensor(array, requires_grad=True) for array in arrays]
    references = [torch.tensor(array, requires_grad=True) for array in arrays]
    value, expected = ours(*tensors), theirs(*references)
    assert value.shape == tuple(expected.shape)
    np.testing.assert_allclose(value.data, expected.detach().numpy(), **TOLERANCE)

    upstream = normal(*value.shape, seed=1)
    value.backward(upstream)
    expected.backward(torch.as_tensor(upstream))
    for tensor, reference in zip(tensors, references, strict=True):
        assert tensor.grad.shape == tensor.shape
        np.testing.assert_allclose(tensor.grad, reference.grad.numpy(), **TOLERANCE)
