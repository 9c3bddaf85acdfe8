"""No arithmetic of torch's layers runs inside ours: what they call is watched, forward, backward and twice backward.

Allowed are elementary operations of tensors: sums, products of matrices, exp, log, erf, tanh, sigmoid, comparisons,
draws, views and copies. Refused are all functions of `torch.nn.functional`, and by name what is fused: linear maps,
convolutions, norms, pools, dropout, losses, softmax, padding, and activations that have a formula here.
"""

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from phase2 import nn
from phase2.nn.linear import _Affine

ELEMENTARY = {"tanh", "sigmoid", "threshold_"}  # torch.nn.functional shows these functions of torch as its own too
FUNCTIONS = {name for name, one in vars(F).items() if callable(one) and name[0].islower()} - ELEMENTARY
KERNELS = re.compile(
    r"linear|conv|norm|pool|dropout|loss|entropy|softmax|_pad|.elu|elu_|selu|silu|mish|softplus|glu|attention|threshold_b"
)


class Functions(TorchFunctionMode):
    """Notes the functions of torch that are called, those of its layers by name."""

    def __init__(self, seen: set[str]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", str(func))
        if name in FUNCTIONS or getattr(func, "__module__", "") == "torch.nn.functional":
            self.seen.add(name)
        return func(*args, **(kwargs or {}))


class Kernels(TorchDispatchMode):
    """Notes the kernels that run in the end, whoever called them."""

    def __init__(self, seen: set[str]) -> None:
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        if KERNELS.search(name):
            self.seen.add(name)
        return func(*args, **(kwargs or {}))


@contextmanager
def watched() -> Iterator[set[str]]:
    """What is refused and runs inside. `Functions` ends where autograd begins, and so goes into each backward too."""

    def seeing(backward):
        def call(ctx, *gradients):
            with Functions(seen):
                return backward(ctx, *gradients)

        return staticmethod(call)

    seen: set[str] = set()
    with pytest.MonkeyPatch.context() as patch, Functions(seen), Kernels(seen):
        for function in of_ours(torch.autograd.Function):
            patch.setattr(function, "backward", seeing(function.backward))
        yield seen


def of_ours(kind: type) -> Iterator[type]:
    """The functions with a gradient by hand."""
    for each in kind.__subclasses__():
        yield from of_ours(each)
        if each.__module__.startswith("phase2.nn.") and "backward" in vars(each):
            yield each


IMAGES, SEQUENCES, VECTORS = (torch.randn(shape, dtype=torch.float64) for shape in ((2, 4, 7, 6), (2, 4, 7), (5, 4)))
LABELS = torch.tensor([0, 1, 2, 3, 0])
OPTIONS = {
    "Linear": [((4, 3), VECTORS), ((6, 3, False), IMAGES)],
    "Conv1d": [((4, 6, 3), SEQUENCES), ((4, 6, 3, 1, 1, 1, 2, True, "reflect"), SEQUENCES)],
    "Conv2d": [((4, 6, 3, 2, 1), IMAGES), ((4, 6, 3, 1, 1, 1, 1, True, "circular"), IMAGES)],
    "BatchNorm1d": [((4,), VECTORS), ((4,), SEQUENCES)],
    "BatchNorm2d": [((4,), IMAGES), ((4, 1e-5, None, False), IMAGES)],
    "GroupNorm": [((2, 4), IMAGES)],
    "LayerNorm": [((4,), VECTORS), (((7, 6),), IMAGES)],
    "RMSNorm": [((4,), VECTORS)],
    "MaxPool1d": [((3, 2, 1), SEQUENCES)],
    "MaxPool2d": [((2,), IMAGES), ((3, 2, 1, 1, False, True), IMAGES)],
    "AvgPool1d": [((3, 2, 1), SEQUENCES)],
    "AvgPool2d": [((2,), IMAGES), ((3, 2, 1, True, False), IMAGES)],
    "AdaptiveAvgPool1d": [((1,), SEQUENCES), ((4,), SEQUENCES)],
    "AdaptiveAvgPool2d": [((1,), IMAGES), (((4, 3),), IMAGES)],
    "Dropout": [((0.3,), IMAGES)],
    "Dropout2d": [((0.3,), IMAGES)],
    "CrossEntropyLoss": [
        ((), VECTORS, LABELS),
        ((torch.ones(4, dtype=torch.float64), None, 1, None, "none", 0.1), VECTORS, LABELS),
    ],
    "MSELoss": [((), VECTORS, VECTORS * 2), ((None, None, "sum"), VECTORS, VECTORS * 2)],
    "LocallyConnected2d": [((4, 3, (7, 6), 3, 2, 1), IMAGES)],
    "GELU": [((), VECTORS), (("tanh",), VECTORS)],
    "PReLU": [((), VECTORS), ((4,), VECTORS)],
    "Softplus": [((), VECTORS), ((2.0, 0.5), VECTORS)],
}
CASES = [
    (name, *case)
    for name in nn.__all__
    if inspect.isclass(getattr(nn, name))
    for case in OPTIONS.get(name, [((), VECTORS)])
]
each = pytest.mark.parametrize(
    ("name", "options", "inputs"), [(n, o, i) for n, o, *i in CASES], ids=lambda v: str(v)[:20]
)


def refused(layer, input, *others) -> set[str]:
    """What of torch's layers runs in a step of training, in its second derivative and in evaluation."""
    layer, input = layer.double(), input.clone().requires_grad_()
    wanted = [input, *layer.parameters()]
    with watched() as seen:
        y = layer(input, *others)
        G = torch.ones_like(y).requires_grad_()
        first = torch.autograd.grad(y, wanted, G, create_graph=True)
        torch.autograd.grad(sum((g * g).sum() for g in first), [G, *wanted], allow_unused=True)
        layer.eval()(input, *others)
    return seen


@each
def test_a_scratch_layer_calls_none_of_torchs_layers(name, options, inputs):
    assert not refused(getattr(nn, name)(*options), *inputs)


@each
def test_torchs_own_layers_would_be_seen(name, options, inputs):
    """Else the test above would claim nothing. Tanh and Sigmoid are elementary functions for torch too."""
    if hasattr(torch.nn, name) and name not in ("Tanh", "Sigmoid"):
        assert refused(getattr(torch.nn, name)(*options), *inputs)


@pytest.mark.parametrize("name", ["Conv2d", "BatchNorm2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"])
def test_the_fused_backend_is_torchs(name):
    options, input = OPTIONS[name][0]
    assert refused(getattr(nn, name)(*options, backend="fused"), input)


def test_what_a_backward_calls_would_be_seen(monkeypatch):
    def planted(ctx, G, backward=_Affine.backward):
        F.linear(G, G)
        return backward(ctx, G)

    monkeypatch.setattr(_Affine, "backward", staticmethod(planted))
    assert refused(nn.Linear(4, 3), VECTORS) == {"linear"}
