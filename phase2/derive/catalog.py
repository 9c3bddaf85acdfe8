"""Every derivation by name, in the order in which the report prints them. Imports neither SymPy nor torch."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from phase2.errors import unknown

DERIVATIONS: dict[str, str] = {
    "two_layer_backprop": "phase2.derive.backprop:two_layer_backprop",
    "softmax_cross_entropy": "phase2.derive.softmax:softmax_cross_entropy",
    "relu": "phase2.derive.relu:relu",
    "gelu": "phase2.derive.gelu:gelu",
    "swish": "phase2.derive.swish:swish",
    "saturation": "phase2.derive.saturation:saturation",
    "smoothness": "phase2.derive.smoothness:smoothness",
    "layer_norm": "phase2.derive.layer_norm:layer_norm",
    "batch_norm": "phase2.derive.batch_norm:batch_norm",
    "batch_noise": "phase2.derive.batch_noise:batch_noise",
    "weight_variance": "phase2.derive.weight_variance:weight_variance",
    "mean_field": "phase2.derive.mean_field:mean_field",
    "dropout": "phase2.derive.dropout:dropout",
    "mc_dropout": "phase2.derive.mc_dropout:mc_dropout",
    "cybenko": "phase2.derive.cybenko:cybenko",
    "momentum": "phase2.derive.momentum:momentum",
    "quadratic_momentum": "phase2.derive.quadratic:quadratic_momentum",
    "nesterov": "phase2.derive.nesterov:nesterov",
    "schedules": "phase2.derive.schedules:schedules",
    "rmsprop": "phase2.derive.rmsprop:rmsprop",
    "adam": "phase2.derive.adam:adam",
    "weight_decay": "phase2.derive.weight_decay:weight_decay",
    "tangent_kernel": "phase2.derive.tangent_kernel:tangent_kernel",
    "convolution": "phase2.derive.convolution:convolution",
    "receptive_field": "phase2.derive.receptive_field:receptive_field",
    "convolution_init": "phase2.derive.convolution_init:convolution_init",
    "residual_gradients": "phase2.derive.residual_gradients:residual_gradients",
    "residual_variance": "phase2.derive.residual_variance:residual_variance",
    "effective_field": "phase2.derive.effective_field:effective_field",
}

USED: dict[str, tuple[str, ...]] = {  # the modules and probes of phase2 that rest on it, or show what it says
    "two_layer_backprop": ("nn.linear", "scratch.mlp"),
    "softmax_cross_entropy": ("nn.loss.cross_entropy",),
    "relu": ("nn.activation.relu", "nn.initial.kaiming"),
    "gelu": ("nn.activation.gelu", "nn.activation.gelu_tanh", "nn.activation.gelu_sigmoid"),
    "swish": ("nn.activation.swish", "nn.activation.silu"),
    "saturation": ("nn.activation.sigmoid", "nn.activation.tanh", "probe.gradient_flow"),
    "smoothness": ("nn.activation",),  # all of the room
    "layer_norm": ("nn.normalization.layer",),
    "batch_norm": ("nn.normalization.batch",),
    "batch_noise": ("nn.normalization.batch", "probe.batch_noise"),
    "weight_variance": ("nn.initial",),
    "mean_field": ("probe.mean_field",),
    "dropout": ("nn.dropout",),
    "mc_dropout": ("nn.dropout", "probe.uncertainty"),
    "cybenko": ("probe.approximation",),
    "momentum": ("optim.momentum",),
    "quadratic_momentum": ("optim.momentum", "probe.trajectories"),
    "nesterov": ("optim.nesterov",),
    "schedules": ("schedules",),
    "rmsprop": ("optim.rmsprop", "optim.adagrad"),
    "adam": ("optim.adam",),
    "weight_decay": ("optim.adamw",),
    "tangent_kernel": ("models.ntk_mlp", "probe.kernel_regime"),
    "convolution": ("nn.convolution", "scratch.conv"),
    "receptive_field": ("probe.receptive_field",),
    "convolution_init": ("nn.initial.kaiming", "nn.initial.xavier"),
    "residual_gradients": ("models.preact_resnet", "models.residual", "models.resnet", "models.cifar_resnet"),
    "residual_variance": ("models.preact_resnet", "models.residual", "models.resnet", "models.cifar_resnet"),
    "effective_field": ("probe.receptive_field",),
}


def load(name: str) -> Callable[[], Any]:
    """The function that makes a derivation, imported now; raises `UserError` for an unknown name."""
    if name not in DERIVATIONS:
        raise unknown("derivation", name, DERIVATIONS)
    module, function = DERIVATIONS[name].split(":")
    return getattr(import_module(module), function)
