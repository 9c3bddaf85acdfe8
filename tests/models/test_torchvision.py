"""Weights of torchvision's ResNets and VGG in ours: the same outputs, gradients and running statistics."""

from copy import deepcopy

import pytest
import torch
from torchvision import models

from phase2.models.resnet import ResNet
from phase2.models.vgg import VGG

SHAPE = (3, 64, 64)
SMALL = (3, 32, 32)  # what leaves VGG one place
CLASSES = 10
HUGE = 10**7  # numbers; the two hidden matrices of VGG's head, whose gradients in float64 would fill the memory


@pytest.fixture(scope="module", params=[18, 34])
def resnets(request):
    """Ours and torchvision's, with the same weights, in float64."""
    torch.manual_seed(0)
    theirs = getattr(models, f"resnet{request.param}")(weights=None, num_classes=CLASSES).double()
    ours = ResNet(SHAPE, CLASSES, request.param, stem="imagenet").double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.fixture
def vggs():
    """Ours and torchvision's on the same memory, in float64 and without dropout."""
    torch.manual_seed(0)
    with torch.device("meta"):
        theirs = models.vgg16_bn(weights=None, num_classes=CLASSES, dropout=0.0).double()
        ours = VGG(SMALL, CLASSES, 16, head="imagenet").double()
    theirs.to_empty(device="cpu")
    for module in theirs.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    ours.load_state_dict(theirs.state_dict(), assign=True)
    ours.classifier[2].p = ours.classifier[5].p = 0.0
    return ours, theirs


def outputs_and_gradients(model, x):
    x = x.clone().requires_grad_()
    y = model(x)
    wanted = {"input": x} | {name: p for name, p in model.named_parameters() if p.numel() < HUGE}
    gradients = torch.autograd.grad(y.square().sum(), list(wanted.values()))
    return y.detach(), dict(zip(wanted, gradients, strict=True))


def assert_same(ours, theirs, shape):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, *shape, dtype=torch.float64, generator=generator)
    own, expected = outputs_and_gradients(ours, x), outputs_and_gradients(theirs, x)
    torch.testing.assert_close(own[0], expected[0], rtol=0, atol=1e-9)
    largest = max(gradient.abs().max().item() for gradient in expected[1].values())
    for name, gradient in expected[1].items():
        torch.testing.assert_close(own[1][name], gradient, rtol=1e-7, atol=1e-10 * largest)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_resnets_with_torchvisions_weights_give_its_outputs_and_gradients(resnets, training):
    ours, theirs = (deepcopy(model).train(training) for model in resnets)
    assert_same(ours, theirs, SHAPE)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=1e-10, atol=1e-12)


def test_vgg16_with_torchvisions_weights_gives_its_outputs_and_gradients(vggs):
    ours, theirs = vggs
    for training in (False, True):
        assert_same(ours.train(training), theirs.train(training), SMALL)


def test_float32_outputs_are_torchvisions_to_1e_5(resnets):
    ours, theirs = (deepcopy(model).float().eval() for model in resnets)
    x = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_our_weights_load_into_torchvisions_resnet(resnets):
    ours, theirs = resnets
    result = deepcopy(theirs).load_state_dict(ours.state_dict())
    assert not result.missing_keys
    assert not result.unexpected_keys
