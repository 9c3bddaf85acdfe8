"""The MLP whose scale stands in its function."""

import math

import pytest
import torch

from phase2.errors import UserError
from phase2.models import MLP
from phase2.models.ntk_mlp import NTKMLP


def drawn(seed=0, **options):
    model = NTKMLP(6, 3, **{"width": 8, "depth": 2} | options).double()
    model.reset(torch.Generator().manual_seed(seed))
    return model


@pytest.mark.parametrize("depth", [1, 3])
def test_it_is_the_mlp_with_weights_scaled_by_their_fan_in(depth):
    model, x = drawn(depth=depth), torch.randn(5, 2, 3, dtype=torch.float64)
    mlp = MLP(6, 3, width=8, depth=depth).double()
    linears = [layer for layer in mlp.layers if hasattr(layer, "weight")]
    with torch.no_grad():
        for i, (layer, W, b) in enumerate(zip(linears, model.weights, model.biases, strict=True)):
            layer.weight.copy_(W * math.sqrt((2 if i else 1) / W.shape[1]))
            layer.bias.copy_(0.1 * b)
    torch.testing.assert_close(model(x), mlp(x))


def test_erf_is_the_other_activation():
    model, x = drawn(activation="erf", depth=1, bias=0.5), torch.randn(4, 6, dtype=torch.float64)
    (W1, W2), (b1, b2) = model.weights, model.biases
    hidden = torch.erf(x @ W1.mT / math.sqrt(6) + 0.5 * b1)
    torch.testing.assert_close(model(x), hidden @ W2.mT / math.sqrt(8) + 0.5 * b2)


def test_reset_draws_standard_normals_that_the_generator_decides():
    model = drawn(width=400)
    values = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01
    for p, q in zip(model.parameters(), drawn(width=400).parameters(), strict=True):
        assert torch.equal(p, q)
    assert not torch.equal(model.weights[0], drawn(seed=1, width=400).weights[0])


def test_outputs_keep_their_variance_at_any_width():
    x = torch.ones(1, 6)
    for width in (10, 300):
        with torch.no_grad():
            y = torch.cat([drawn(seed, width=width).float()(x) for seed in range(200)])
        assert float(y.square().mean()) == pytest.approx(1.03, rel=0.25)


@pytest.mark.parametrize("name", ["features", "outputs", "width", "depth"])
def test_sizes_below_one_are_named(name):
    sizes = {"features": 3, "outputs": 2, "width": 4, "depth": 1, name: 0}
    with pytest.raises(UserError, match=f"NTKMLP: {name}=0, expected at least 1"):
        NTKMLP(**sizes)


def test_an_activation_without_a_known_kernel_is_refused():
    with pytest.raises(UserError, match="unknown activation of NTKMLP 'tanh': Known: erf, relu"):
        NTKMLP(3, 2, 4, 1, "tanh")
