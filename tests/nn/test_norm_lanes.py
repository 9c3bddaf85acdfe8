"""A stack of networks with norms under vmap: each lane is the network alone, its running statistics too."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from phase2.nn import Linear
from phase2.nn.normalization.batch import BatchNorm1d, BatchNorm2d
from phase2.nn.normalization.group import GroupNorm
from phase2.nn.normalization.layer import LayerNorm
from phase2.nn.normalization.rms import RMSNorm

NETWORKS = {
    "batch": lambda: nn.Sequential(Linear(5, 6), BatchNorm1d(6), nn.Tanh(), Linear(6, 3)),
    "batch, plain average": lambda: nn.Sequential(Linear(5, 6), BatchNorm1d(6, momentum=None), nn.Tanh(), Linear(6, 3)),
    "batch without affine": lambda: nn.Sequential(Linear(5, 6), BatchNorm1d(6, affine=False), Linear(6, 3)),
    "batch first": lambda: nn.Sequential(BatchNorm1d(5), Linear(5, 3)),
    "batch 2d": lambda: nn.Sequential(
        Linear(5, 8), nn.Unflatten(1, (2, 2, 2)), BatchNorm2d(2), nn.Flatten(), nn.Tanh(), Linear(8, 3)
    ),
    "layer": lambda: nn.Sequential(Linear(5, 6), LayerNorm(6), nn.Tanh(), Linear(6, 3)),
    "layer first": lambda: nn.Sequential(LayerNorm(5), Linear(5, 3)),
    "layer without affine": lambda: nn.Sequential(Linear(5, 6), LayerNorm(6, elementwise_affine=False), Linear(6, 3)),
    "rms": lambda: nn.Sequential(Linear(5, 6), RMSNorm(6), nn.Tanh(), Linear(6, 3)),
    "group": lambda: nn.Sequential(Linear(5, 6), GroupNorm(2, 6), nn.Tanh(), Linear(6, 3)),
}
each = pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS.keys())


def networks(build, lanes=3):
    models = [build().double() for _ in range(lanes)]
    for model in models:
        for parameter in model.parameters():
            nn.init.normal_(parameter)
    return models


def train_alone(model, batches):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for x in batches:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


@each
def test_a_lane_equals_the_network_alone_after_several_steps_and_in_evaluation(build):
    models = networks(build)
    parameters, buffers = stack_module_state(models)
    base = models[0]
    batches = [torch.randn(8, 5, dtype=torch.float64) * 3 + 1 for _ in range(5)]

    def outputs(x):
        return vmap(lambda p, b: functional_call(base, (p, b), (x,)))(parameters, buffers)

    optimizer = torch.optim.SGD(parameters.values(), lr=0.05)
    for x in batches:
        optimizer.zero_grad()
        outputs(x).square().mean((1, 2)).sum().backward()
        optimizer.step()
    base.eval()
    evaluated = outputs(batches[0])
    base.train()
    for lane, model in enumerate(models):
        train_alone(model, batches)
        for name, value in model.state_dict().items():
            torch.testing.assert_close((parameters | buffers)[name][lane], value, rtol=0, atol=1e-10)
        torch.testing.assert_close(evaluated[lane], model.eval()(batches[0]), rtol=0, atol=1e-10)


@pytest.mark.parametrize("in_dims", [(0, 0, 0), (1, None, None), (0, None, 1), (None, 0, 1), (None, 1, None)])
@pytest.mark.parametrize("layer", [LayerNorm(4), GroupNorm(2, 4), BatchNorm1d(4, track_running_stats=False)])
def test_vmap_over_any_arguments_equals_a_loop_and_has_right_derivatives(layer, in_dims):
    shapes = [(3, 4), (4,), (4,)]
    arguments = [
        torch.randn(
            [2 if d == dim else shape[d - (dim is not None and d > dim)] for d in range(len(shape) + (dim is not None))]
        )
        .double()
        .requires_grad_()
        for dim, shape in zip(in_dims, shapes, strict=True)
    ]

    def call(x, weight, bias):
        return functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    def loop(*arguments):
        lanes = [
            [a if dim is None else a.select(dim, lane) for a, dim in zip(arguments, in_dims, strict=True)]
            for lane in range(2)
        ]
        return torch.stack([call(*lane) for lane in lanes])

    mapped = vmap(call, in_dims=in_dims)
    torch.testing.assert_close(mapped(*arguments), loop(*arguments), rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(mapped, arguments)
    assert torch.autograd.gradgradcheck(mapped, arguments)


def test_one_lanes_numbers_do_not_reach_another():
    models = networks(NETWORKS["batch"])
    with torch.no_grad():
        models[1][0].weight.fill_(torch.nan)
    parameters, buffers = stack_module_state(models)
    x = torch.randn(8, 5, dtype=torch.float64)
    y = vmap(lambda p, b: functional_call(models[0], (p, b), (x,)))(parameters, buffers)
    y.sum().backward()
    assert y.isfinite().flatten(1).all(1).tolist() == [True, False, True]
    for value in [*(p.grad for p in parameters.values()), *buffers.values()]:
        assert value[0].isfinite().all()
        assert value[2].isfinite().all()
    assert buffers["1.running_mean"][1].isnan().all()
