"""Layers, activations, losses and initial values, from tensor operations; drop-in for `torch.nn`."""

from phase2.nn.activation_functions import (
    elu,
    gelu,
    leaky_relu,
    mish,
    prelu,
    relu,
    selu,
    sigmoid,
    silu,
    softplus,
    swish,
    tanh,
)
from phase2.nn.activations import (
    ELU,
    GELU,
    SELU,
    GELUSigmoid,
    GELUTanh,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Swish,
    Tanh,
)
from phase2.nn.batch_norm import BatchNorm1d, BatchNorm2d
from phase2.nn.conv import Conv1d, Conv2d
from phase2.nn.convolve import conv1d, conv2d
from phase2.nn.dropout import Dropout, Dropout2d, dropout, mc_dropout, predict_mc
from phase2.nn.layer_norm import GroupNorm, LayerNorm, RMSNorm
from phase2.nn.linear import Linear, linear
from phase2.nn.locally_connected import LocallyConnected2d
from phase2.nn.loss import CrossEntropyLoss, cross_entropy
from phase2.nn.mse import MSELoss, mse_loss
from phase2.nn.pool import AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "ELU",
    "GELU",
    "GELUSigmoid",
    "GELUTanh",
    "GroupNorm",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocallyConnected2d",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Swish",
    "Tanh",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "mc_dropout",
    "mish",
    "mse_loss",
    "predict_mc",
    "prelu",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "swish",
    "tanh",
]
