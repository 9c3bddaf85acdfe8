"""Layers and functions are drop-in for torch's: of its classes, with its arguments, so that its tools know them."""

import inspect
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim.swa_utils import update_bn

from phase2 import nn
from phase2.nn import init

PUBLIC = {name: getattr(nn, name) for name in nn.__all__}
LAYERS = [kind for name, kind in PUBLIC.items() if inspect.isclass(kind) and hasattr(torch.nn, name)]
FUNCTIONS = [
    *((one, getattr(F, name)) for name, one in PUBLIC.items() if not inspect.isclass(one) and hasattr(F, name)),
    *((one, getattr(torch.nn.init, name)) for name, one in vars(init).items() if name.endswith("_") and name[0] != "_"),
    (init.calculate_gain, torch.nn.init.calculate_gain),
]


def torchs(kind: type) -> type:
    return getattr(torch.nn, kind.__name__)


def arguments(function) -> list[tuple]:
    """Names, kinds and defaults, in order; of a function without a signature, those of the call that its text shows."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        scope: dict = {}
        exec(f"def {function.__doc__.strip().split(' -> ')[0]}: ...", scope)
        signature = inspect.signature(scope[function.__name__])
    return [(one.name, one.kind, one.default) for one in signature.parameters.values()]


def assert_same_arguments(ours, theirs):
    """Torch's, in its order; after them, ours may have more that go by keyword only."""
    mine, wanted = arguments(ours), arguments(theirs)
    assert mine[: len(wanted)] == wanted
    assert all(kind is inspect.Parameter.KEYWORD_ONLY for _, kind, _ in mine[len(wanted) :])


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_is_of_torchs_class_and_has_a_forward_of_its_own(kind):
    assert issubclass(kind, torchs(kind))
    assert kind.forward.__module__.startswith("phase2.nn.")


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("method", ["__init__", "forward"])
def test_a_layer_has_torchs_arguments(kind, method):
    assert_same_arguments(getattr(kind, method), getattr(torchs(kind), method))


@pytest.mark.parametrize(("ours", "theirs"), FUNCTIONS, ids=lambda function: function.__name__)
def test_a_function_has_torchs_arguments(ours, theirs):
    assert_same_arguments(ours, theirs)


def test_all_that_torch_has_by_name_is_compared():
    alone = {"GELUSigmoid", "GELUTanh", "LocallyConnected2d", "Swish", "mc_dropout", "predict_mc", "swish"}
    compared = {one.__name__ for one in LAYERS} | {one.__name__ for one, _ in FUNCTIONS}
    assert set(PUBLIC) - compared == alone


def network(kinds) -> torch.nn.Sequential:
    return torch.nn.Sequential(
        kinds.Conv2d(2, 4, 3), kinds.BatchNorm2d(4), kinds.ReLU(), torch.nn.Flatten(), kinds.Linear(36, 5),
        kinds.BatchNorm1d(5),
    ).double()  # fmt: skip


def test_averaging_of_weights_renews_the_statistics_of_our_batch_norms():
    ours, theirs = network(nn), network(torch.nn)
    ours.load_state_dict(theirs.state_dict())
    batches = torch.randn(4, 6, 2, 5, 5, dtype=torch.float64)
    for model in (ours, theirs):
        model(batches[0] * 10)
        update_bn(batches, model)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    assert ours[1].num_batches_tracked == 4
    assert ours[1].momentum == 0.1


def test_our_batch_norms_are_converted_to_synchronized_ones():
    model = network(nn)
    model(torch.randn(6, 2, 5, 5, dtype=torch.float64))
    before = deepcopy(model.state_dict())
    converted = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert [type(converted[n]) for n in (1, 5)] == [torch.nn.SyncBatchNorm] * 2
    torch.testing.assert_close(converted.state_dict(), before)


def test_a_convolution_and_its_norm_are_folded_into_one():
    model = network(nn)
    x = torch.randn(6, 2, 5, 5, dtype=torch.float64)
    model(x)
    model.eval()
    torch.testing.assert_close(fuse_conv_bn_eval(model[0], model[1])(x), model[1](model[0](x)))


def test_weight_decay_is_grouped_by_torchs_classes():
    decayed = [type(m).__name__ for m in network(nn) if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))]
    assert decayed == ["Conv2d", "Linear"]


@pytest.mark.parametrize(("kind", "sizes"), [(nn.BatchNorm1d, [4]), (nn.BatchNorm2d, [4]), (nn.GroupNorm, [2, 4])])
def test_a_norm_without_bias_has_a_weight_alone(kind, sizes):
    assert [name for name, _ in kind(*sizes, bias=False).named_parameters()] == ["weight"]
