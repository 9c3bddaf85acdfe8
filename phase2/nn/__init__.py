"""Layers, activations, losses and initial values, from tensor operations; drop-in for `torch.nn`."""

from phase2.nn.activations import (
    ELU,
    GELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Tanh,
    elu,
    gelu,
    leaky_relu,
    relu,
    sigmoid,
    silu,
    tanh,
)
from phase2.nn.linear import Linear, linear
from phase2.nn.loss import CrossEntropyLoss, cross_entropy

__all__ = [
    "CrossEntropyLoss",
    "ELU",
    "GELU",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Tanh",
    "cross_entropy",
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "relu",
    "sigmoid",
    "silu",
    "tanh",
]
