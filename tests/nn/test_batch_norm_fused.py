"""BatchNorm by torch's kernel and by this package are one layer."""

from itertools import product

import pytest
import torch

from phase2.errors import UserError
from phase2.nn import BatchNorm1d, BatchNorm2d

OPTIONS = [
    dict(zip(("momentum", "affine", "track_running_stats"), values, strict=True))
    for values in product((0.1, 0.0, None), (True, False), (True, False))
]


def both(kind: type, **options) -> list:
    layers = [kind(3, dtype=torch.float64, backend=backend, **options) for backend in ("scratch", "fused")]
    for layer in layers:
        torch.manual_seed(0)
        for parameter in layer.parameters():
            torch.nn.init.normal_(parameter)
    return layers


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("kind", "shape"), [(BatchNorm1d, (5, 3)), (BatchNorm2d, (2, 3, 4, 5))])
def test_backends_have_the_same_outputs_gradients_and_running_statistics(kind, shape, options):
    outcomes = []
    for layer in both(kind, **options):
        generator = torch.Generator().manual_seed(1)
        xs = [torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 2 for _ in range(3)]
        xs[1].requires_grad_()
        y = [layer(x) for x in xs]
        gradients = torch.autograd.grad((y[1] ** 3).sum(), [xs[1], *layer.parameters()])
        y.append(layer.eval()(xs[2]))
        outcomes.append([*y, *gradients, *layer.buffers()])
    for ours, theirs in zip(*outcomes, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_single_value_a_channel_is_the_same_error():
    for layer in both(BatchNorm2d):
        with pytest.raises(UserError, match="Expected more than 1 value per channel when training"):
            layer(torch.ones(1, 3, 1, 1, dtype=torch.float64))


def test_an_unknown_backend_is_named():
    with pytest.raises(UserError, match="unknown backend 'fusd'"):
        BatchNorm2d(3, backend="fusd")
