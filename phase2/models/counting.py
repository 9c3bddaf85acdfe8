"""How large a network is: its parameters, and the arithmetic of one forward pass."""

from copy import deepcopy

import torch
from torch import Tensor
from torch.nn import Module

from phase2.nn.weighted import Weighted


def parameters(model: Module) -> int:
    """How many numbers are learnt.

    >>> from phase2.models.lenet import LeNet
    >>> parameters(LeNet((3, 32, 32), 10))
    62006
    """
    return sum(p.numel() for p in model.parameters())


@torch.no_grad()
def operations(model: Module, shape: tuple[int, ...]) -> int:
    """Floating-point operations of the forward pass of one input of `shape`: 2 x multiply-adds.

    Those of convolutions and linear layers; biases, norms, activations and pooling are left out, as is customary.
    The model is left as it is.
    """
    count = 0

    def add(layer: Weighted, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal count
        count += 2 * output.numel() * layer.weight[0].numel()  # a row of the weight makes one output

    copy = deepcopy(model).eval()
    for layer in copy.modules():
        if isinstance(layer, Weighted):
            layer.register_forward_hook(add)
    parameter = next(copy.parameters())
    copy(parameter.new_zeros(1, *shape))
    return count
