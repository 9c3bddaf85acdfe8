"""Layers, activations, losses and initial values, from tensor operations; drop-in for `torch.nn`."""

from phase2.nn.activation.elu import ELU, elu
from phase2.nn.activation.gelu import GELU, gelu
from phase2.nn.activation.gelu_sigmoid import GELUSigmoid
from phase2.nn.activation.gelu_tanh import GELUTanh
from phase2.nn.activation.leaky_relu import LeakyReLU, leaky_relu
from phase2.nn.activation.mish import Mish, mish
from phase2.nn.activation.prelu import PReLU, prelu
from phase2.nn.activation.relu import ReLU, relu
from phase2.nn.activation.selu import SELU, selu
from phase2.nn.activation.sigmoid import Sigmoid, sigmoid
from phase2.nn.activation.silu import SiLU, silu
from phase2.nn.activation.softplus import Softplus, softplus
from phase2.nn.activation.swish import Swish, swish
from phase2.nn.activation.tanh import Tanh, tanh
from phase2.nn.convolution.conv import Conv1d, Conv2d
from phase2.nn.convolution.convolve import conv1d, conv2d
from phase2.nn.convolution.locally_connected import LocallyConnected2d
from phase2.nn.dropout import Dropout, Dropout2d, dropout, mc_dropout, predict_mc
from phase2.nn.linear import Linear, linear
from phase2.nn.loss.cross_entropy import CrossEntropyLoss, cross_entropy
from phase2.nn.loss.mse import MSELoss, mse_loss
from phase2.nn.normalization.batch import BatchNorm1d, BatchNorm2d
from phase2.nn.normalization.group import GroupNorm
from phase2.nn.normalization.layer import LayerNorm
from phase2.nn.normalization.rms import RMSNorm
from phase2.nn.pooling.adaptive import AdaptiveAvgPool1d, AdaptiveAvgPool2d
from phase2.nn.pooling.average import AvgPool1d, AvgPool2d
from phase2.nn.pooling.max import MaxPool1d, MaxPool2d

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
