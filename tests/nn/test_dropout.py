"""Dropout against torch's draws, its moments, lanes, and Monte-Carlo dropout."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import vmap

from phase2.errors import UserError
from phase2.nn import Linear
from phase2.nn.dropout import Dropout, Dropout2d, dropout, mc_dropout, predict_mc
from phase2.nn.normalization.batch import BatchNorm1d


def drawn(layer, x, seed=0):
    """Output and gradient under a seed."""
    x = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    torch.manual_seed(seed)
    y = layer(x)
    y.backward(torch.ones_like(y))
    return y, x.grad


LAYOUTS = {
    "vector": torch.randn(7),
    "matrix": torch.randn(33, 17),
    "transposed": torch.randn(33, 17).T,
    "images": torch.randn(2, 3, 4, 5),
    "channels last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    "permuted": torch.randn(2, 3, 4, 5).permute(2, 0, 3, 1),
    "empty": torch.randn(0, 3),
    "scalar": torch.randn(()),
}


@pytest.mark.parametrize("x", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dropout_is_torchs_bit_for_bit(x, dtype):
    x = x.to(dtype)
    for p in (0.0, 0.1, 0.5, 0.9, 1.0):
        ours, theirs = drawn(Dropout(p), x), drawn(nn.Dropout(p), x)
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


@given(st.floats(0, 1), st.integers(0, 2**31), st.lists(st.integers(1, 5), max_size=4))
@settings(max_examples=30, deadline=None)
def test_any_probability_seed_and_shape_gives_torchs_draws(p, seed, shape):
    x = torch.randn(shape)
    assert torch.equal(drawn(Dropout(p), x, seed)[0], drawn(nn.Dropout(p), x, seed)[0])


@pytest.mark.parametrize("layout", ["images", "channels last"])
def test_dropout2d_is_torchs_bit_for_bit_and_drops_whole_channels(layout):
    for p in (0.0, 0.3, 0.5, 1.0):
        ours, theirs = drawn(Dropout2d(p), LAYOUTS[layout]), drawn(nn.Dropout2d(p), LAYOUTS[layout])
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])
        assert (ours[1] == ours[1][..., :1, :1]).all()


@pytest.mark.filterwarnings("ignore:dropout2d. Received a 3D input")
def test_dropout2d_reads_three_dimensions_as_torch_does():
    x = torch.randn(4, 3, 5)
    assert torch.equal(drawn(Dropout2d(0.5), x)[0], drawn(nn.Dropout2d(0.5), x)[0])


def test_evaluation_and_p_zero_return_the_input_itself():
    x = torch.randn(3)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert dropout(x, 0.5, training=False) is x


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_expectation_is_the_input_and_variance_is_p_over_1_minus_p_times_its_square(p):
    draws = 200_000
    x = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64)
    torch.manual_seed(0)
    y = dropout(x.expand(draws, 3).contiguous(), p)
    variance = p / (1 - p) * x.square()
    # Five standard errors; that of a variance of a two-valued draw has the fourth moment in it.
    fourth = x**4 * ((1 - p) * (p / (1 - p)) ** 4 + p)
    assert ((y.mean(0) - x).abs() < 5 * (variance / draws).sqrt()).all()
    assert ((y.var(0) - variance).abs() < 5 * ((fourth - variance**2) / draws).sqrt() + 1e-4).all()


@pytest.mark.parametrize("in_dim", [0, 1])
def test_lanes_share_one_mask_with_randomness_same(in_dim):
    x = torch.randn(4, 6)
    torch.manual_seed(0)
    y = vmap(dropout, in_dims=0, randomness="same")(x.expand(5, 4, 6))
    torch.manual_seed(0)
    assert torch.equal(y, dropout(x).expand(5, 4, 6))
    lanes = torch.ones(5, 40) if in_dim == 0 else torch.ones(40, 5)
    masks = vmap(dropout, in_dims=in_dim, randomness="same")(lanes)
    assert masks.unique(dim=0).shape == (1, 40)


@pytest.mark.parametrize("in_dim", [0, 1, None])
def test_lanes_draw_their_own_masks_with_randomness_different(in_dim):
    x = {0: torch.ones(5, 40), 1: torch.ones(40, 5), None: torch.ones(40)}[in_dim]
    masks = vmap(lambda lane, x: dropout(x), in_dims=(0, in_dim), randomness="different")(torch.zeros(5), x)
    assert masks.shape == (5, 40)
    assert masks.unique(dim=0).shape == (5, 40)


def test_dropout2d_works_in_lanes():
    x = torch.ones(3, 2, 8, 4, 4)
    same, different = (vmap(Dropout2d(0.5), randomness=kind)(x) for kind in ("same", "different"))
    assert same.unique(dim=0).shape[0] == 1
    assert different.unique(dim=0).shape[0] == 3
    assert (different == different[..., :1, :1]).all()


def network():
    return nn.Sequential(
        Linear(4, 16), BatchNorm1d(16), Dropout(0.5), nn.Sequential(nn.Tanh(), Dropout(0.2)), Linear(16, 3)
    )


def test_mc_dropout_turns_on_only_dropout_and_restores_every_mode():
    model = network()
    model[1].eval()
    model[3].eval()
    before = [module.training for module in model.modules()]
    with mc_dropout(model) as inside:
        assert inside is model
        assert [type(m).__name__ for m in model.modules() if m.training] == ["Dropout", "Dropout"]
    assert [module.training for module in model.modules()] == before


def test_modes_are_restored_after_an_exception():
    model = network().eval()
    model[1].train()
    before = [module.training for module in model.modules()]
    with pytest.raises(RuntimeError, match="interrupted"), mc_dropout(model):
        raise RuntimeError("interrupted")
    assert [module.training for module in model.modules()] == before


def test_predictions_are_probabilities_that_differ_by_sample_and_leave_batch_norm_alone():
    model = network().train()
    model(torch.randn(10, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    probabilities = predict_mc(model, torch.randn(6, 4), samples=8)
    assert probabilities.shape == (8, 6, 3)
    assert not probabilities.requires_grad
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(8, 6))
    assert probabilities.unique(dim=0).shape[0] == 8
    torch.testing.assert_close(dict(model.state_dict()), before, rtol=0, atol=0)
    assert all(module.training for module in model.modules())


def test_a_row_is_predicted_the_same_whatever_batch_it_is_in():
    """BatchNorm stays in evaluation mode: other rows have no say. Without dropping, samples equal the evaluation."""
    model = network()
    model(torch.randn(10, 4))
    model[2].p = model[3][1].p = 0.0
    x = torch.randn(6, 4)
    expected = model.eval()(x).softmax(-1).detach()
    torch.testing.assert_close(predict_mc(model, x, 2), expected.expand(2, 6, 3))
    torch.testing.assert_close(predict_mc(model, x[:1], 1)[0], expected[:1])


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("build", [Dropout, Dropout2d, lambda p: dropout(torch.ones(2), p)])
def test_a_probability_outside_0_1_is_named(build, p):
    with pytest.raises(UserError, match=rf"p={p}, expected a probability in \[0, 1\]"):
        build(p)


@pytest.mark.parametrize("kind", [Dropout, Dropout2d])
def test_inplace_is_rejected_by_name_and_repr_is_torchs(kind):
    with pytest.raises(UserError, match="inplace=True is not supported"):
        kind(inplace=True)
    assert repr(kind(0.3)) == repr(getattr(nn, kind.__name__)(0.3))


def test_integer_input_is_named_in_training_and_passes_in_evaluation():
    x = torch.ones(2, 3, dtype=torch.int64)
    with pytest.raises(UserError, match=r"shape \(2, 3\) is torch.int64, expected floating point"):
        Dropout()(x)
    assert Dropout().eval()(x) is x


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 3, 4, 5)])
def test_dropout2d_names_a_wrong_shape(shape):
    with pytest.raises(UserError, match=r"expected \(batch, channels, height, width\) or"):
        Dropout2d()(torch.randn(shape))


def test_a_model_without_dropout_and_no_samples_are_named():
    with pytest.raises(UserError, match="Sequential has no Dropout"), mc_dropout(nn.Sequential(Linear(2, 2))):
        pass
    with pytest.raises(UserError, match="samples=0, expected at least 1"):
        predict_mc(network(), torch.randn(2, 4), 0)
