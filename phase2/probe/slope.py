"""The slope of an activation."""

import torch
from torch import Tensor
from torch.nn import Module


def slope(activation: Module, z: Tensor) -> Tensor:
    """f'(z) of an elementwise activation, by autograd; of z's shape."""
    z = z.detach().requires_grad_()
    return torch.autograd.grad(activation(z).sum(), z)[0]
