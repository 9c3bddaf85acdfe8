"""LSUV: unit variance at every Linear layer, whatever stands between, and an account of how it got there."""

import pytest
import torch

from phase2 import registry
from phase2.errors import UserError
from phase2.models import MLP
from phase2.nn.init import constant_, orthogonal_
from phase2.nn.initial.lsuv import TOLERANCE, lsuv, scale_to_unit_variance
from phase2.nn.initial.orthogonal import orthogonal
from phase2.nn.initial.recipe import weighted_layers
from phase2.nn.linear import Linear


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(rows=256):
    return 3 * torch.randn(rows, 20, generator=seeded(5)) + 1


def output_variances(model, batch):
    seen = {}
    hooks = [
        layer.register_forward_hook(lambda m, x, y, name=name: seen.update({name: y.var(correction=0).item()}))
        for name, layer in weighted_layers(model)
    ]
    model(batch)
    for hook in hooks:
        hook.remove()
    return seen


def normed(norm, activation=torch.nn.PReLU):
    blocks = [(Linear(fan_in, 16), norm(16), activation(), torch.nn.Dropout(0.5)) for fan_in in (20, 16, 16)]
    return torch.nn.Sequential(*(layer for block in blocks for layer in block), Linear(16, 10))


@pytest.mark.parametrize("activation", registry.names("activation"))
def test_every_layer_is_left_with_unit_output_variance(activation):
    model = MLP(20, 10, 32, 6, activation)
    measured = lsuv(model, generator=seeded(), batch=images())
    assert measured.pop("unconverged") == 0
    assert list(measured) == [f"variance.{name}" for name, _ in weighted_layers(model)]
    for name, variance in output_variances(model, images()).items():
        assert variance == pytest.approx(measured[f"variance.{name}"], rel=1e-4)
        assert abs(variance - 1) < TOLERANCE
    assert not any(layer._forward_hooks for _, layer in weighted_layers(model))


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm1d, torch.nn.LayerNorm, lambda units: torch.nn.GroupNorm(4, units)])
def test_a_layer_before_a_norm_is_scaled_at_its_own_output(norm):
    model = normed(norm)
    assert lsuv(model, generator=seeded(), batch=images())["unconverged"] == 0
    variances = output_variances(model.eval(), images())
    assert len(variances) == 4
    assert all(abs(variance - 1) < TOLERANCE for variance in variances.values())


@pytest.mark.parametrize("training", [True, False])
def test_running_statistics_modes_and_dropouts_randomness_are_left_alone(training):
    model = normed(torch.nn.BatchNorm1d).train(training)
    model[1].train(not training)
    before = {key: value.clone() for key, value in model.named_buffers()}
    modes, state = [module.training for module in model.modules()], torch.get_rng_state()
    lsuv(model, generator=seeded(), batch=images())
    assert all(torch.equal(value, before[key]) for key, value in model.named_buffers())
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(state, torch.get_rng_state())


def test_modes_are_put_back_after_an_error_too():
    model = normed(torch.nn.BatchNorm1d)
    with pytest.raises(UserError):
        lsuv(model, generator=seeded(), batch=torch.zeros(8, 20))
    assert all(module.training for module in model.modules())


def test_the_result_does_not_depend_on_the_mode():
    models = [normed(torch.nn.BatchNorm1d).train(training) for training in (True, False)]
    one, other = (lsuv(model, generator=seeded(), batch=images()) for model in models)
    assert one == other


def test_the_orthogonal_start_is_scaled():
    start, model = MLP(20, 10, 32, 3), MLP(20, 10, 32, 3)
    orthogonal(start, generator=seeded(), batch=images())
    lsuv(model, generator=seeded(), batch=images())
    for (_, layer), (_, W) in zip(weighted_layers(model), weighted_layers(start), strict=True):
        ratio = layer.weight / W.weight
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=1e-4, atol=0)


def test_measurements_go_layer_by_layer_from_the_start_to_what_the_recipe_reports():
    model, twin = MLP(20, 10, 32, 4, "tanh"), MLP(20, 10, 32, 4, "tanh")
    for each in (model, twin):
        orthogonal(each, generator=seeded(), batch=images())
    measurements = scale_to_unit_variance(model, images())
    names = [name for name, _ in weighted_layers(model)]
    assert list(dict.fromkeys(m.layer for m in measurements)) == names
    for name, layer in weighted_layers(twin):
        own = [m for m in measurements if m.layer == name]
        assert [m.iteration for m in own] == list(range(len(own)))
        assert [m.converged for m in own] == [False] * (len(own) - 1) + [True]
        for m in own:  # redone by hand on the twin, layer after layer
            assert output_variances(twin, images())[name] == pytest.approx(m.variance, rel=1e-4)
            if not m.converged:
                layer.weight.data /= m.variance**0.5
    reported = lsuv(MLP(20, 10, 32, 4, "tanh"), generator=seeded(), batch=images())
    left = {f"variance.{m.layer}": m.variance for m in measurements}
    assert reported == {**left, "unconverged": 0.0}


def test_without_biases_one_scaling_is_enough():
    model = MLP(20, 10, 32, 6)
    orthogonal(model, generator=seeded(), batch=images())
    assert max(m.iteration for m in scale_to_unit_variance(model, images())) == 1


def test_with_a_bias_it_takes_several():
    layer = Linear(20, 16)
    orthogonal_(layer.weight, gain=5.0, generator=seeded())
    constant_(layer.bias[:8], 1.5)  # a variance that no scaling of the weights takes away
    constant_(layer.bias[8:], 0.0)
    measurements = scale_to_unit_variance(torch.nn.Sequential(layer), images())
    assert len(measurements) > 3
    assert measurements[-1].converged


def test_layers_that_do_not_converge_are_counted(monkeypatch):
    monkeypatch.setattr("phase2.nn.initial.lsuv.MAX_ITERATIONS", 0)
    assert lsuv(MLP(20, 10, 32, 3), generator=seeded(), batch=100 * torch.randn(64, 20))["unconverged"] >= 1


@pytest.mark.parametrize("batch", [torch.zeros(8, 20), torch.full((8, 20), torch.nan)])
def test_a_layer_whose_variance_no_scale_can_mend_is_named(batch):
    with pytest.raises(UserError, match=r"layer 'layers.0' has variance (0.0|nan) on a batch of shape \(8, 20\)"):
        lsuv(MLP(20, 10, 32, 3), generator=seeded(), batch=batch)
