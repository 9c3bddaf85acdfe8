"""The names a config may use, and where each one's code lives. Configs are checked without importing torch.

A component is found by name and imported only by the job that needs it, so the code fingerprint of a cell
(`phase2.study.fingerprint`) covers the optimizer it used and not the ones it did not.
"""

from importlib import import_module
from typing import Any

from phase2.errors import unknown

COMPONENTS: dict[str, dict[str, str]] = {
    "activation": {
        "relu": "phase2.nn.activations:ReLU",
        "leaky_relu": "phase2.nn.activations:LeakyReLU",
        "prelu": "phase2.nn.activations:PReLU",
        "elu": "phase2.nn.activations:ELU",
        "selu": "phase2.nn.activations:SELU",
        "gelu": "phase2.nn.activations:GELU",
        "gelu_tanh": "phase2.nn.activations:GELUTanh",
        "gelu_sigmoid": "phase2.nn.activations:GELUSigmoid",
        "silu": "phase2.nn.activations:SiLU",
        "mish": "phase2.nn.activations:Mish",
        "softplus": "phase2.nn.activations:Softplus",
        "tanh": "phase2.nn.activations:Tanh",
        "sigmoid": "phase2.nn.activations:Sigmoid",
    },
    "norm": {
        "batch": "phase2.nn.batch_norm:BatchNorm1d",
        "layer": "phase2.nn.layer_norm:LayerNorm",
        "group": "phase2.nn.layer_norm:group_norm",
        "rms": "phase2.nn.layer_norm:RMSNorm",
    },
    "init": {
        "xavier": "phase2.nn.init:xavier",
        "kaiming": "phase2.nn.init:kaiming",
        "orthogonal": "phase2.nn.init:orthogonal",
        "truncated_normal": "phase2.nn.init:truncated_normal",
        "lsuv": "phase2.nn.lsuv:lsuv",
        "normal_small": "phase2.nn.init:normal_small",
        "normal_large": "phase2.nn.init:normal_large",
    },
    "schedule": {
        "constant": "phase2.schedules.decay:constant",
        "step": "phase2.schedules.decay:step",
        "multi_step": "phase2.schedules.decay:multi_step",
        "exponential": "phase2.schedules.decay:exponential",
        "linear": "phase2.schedules.decay:linear",
        "polynomial": "phase2.schedules.decay:polynomial",
        "cosine": "phase2.schedules.cosine:cosine",
        "warm_restarts": "phase2.schedules.cosine:warm_restarts",
        "equal_restarts": "phase2.schedules.cosine:equal_restarts",
        "one_cycle": "phase2.schedules.cosine:one_cycle",
        "one_cycle_momentum": "phase2.schedules.cosine:one_cycle_momentum",
        "linear_warmup": "phase2.schedules.warmup:linear_warmup",
        "cosine_warmup": "phase2.schedules.warmup:cosine_warmup",
        "warmup_cosine": "phase2.schedules.warmup:warmup_cosine",
        "inverse_sqrt": "phase2.schedules.warmup:inverse_sqrt",
        "warmup_stable_decay": "phase2.schedules.warmup:warmup_stable_decay",
    },
    "optimizer": {
        "sgd": "phase2.optim.sgd:SGD",
        "momentum": "phase2.optim.sgd:momentum",
        "nesterov": "phase2.optim.sgd:nesterov",
        "rmsprop": "phase2.optim.rmsprop:RMSprop",
        "adagrad": "phase2.optim.adagrad:Adagrad",
        "adam": "phase2.optim.adam:Adam",
        "adamw": "phase2.optim.adam:AdamW",
    },
    "model": {
        "mlp": "phase2.models.mlp:mlp",
        "lenet": "phase2.models.lenet:lenet",
        "vgg": "phase2.models.vgg:vgg",
        "resnet": "phase2.models.resnet:resnet",
        "cifar_resnet": "phase2.models.cifar_resnet:cifar_resnet",
        "plain": "phase2.models.cifar_resnet:plain",
        "preact_resnet": "phase2.models.preact_resnet:preact_resnet",
        "convolutional": "phase2.models.sharing:convolutional",
        "locally_connected": "phase2.models.sharing:locally_connected",
        "dense": "phase2.models.sharing:dense",
    },
    "dataset": {
        "digits": "phase2.data.vision:prepare_digits",
        "fashion_mnist": "phase2.data.vision:prepare_fashion_mnist",
        "cifar10": "phase2.data.vision:prepare_cifar10",
        "cifar10_jpeg": "phase2.data.vision:prepare_cifar10_jpeg",
        "tinyshakespeare": "phase2.data.text:prepare_tinyshakespeare",
    },
}


def names(kind: str) -> list[str]:
    """The known names of one kind of component, in the order of the table."""
    return list(COMPONENTS[kind])


def module_of(kind: str, name: str) -> str:
    """The module that defines a component; raises `UserError` with the nearest name if there is none."""
    if name not in COMPONENTS[kind]:
        raise unknown(kind, name, COMPONENTS[kind])
    return COMPONENTS[kind][name].split(":")[0]


def load(kind: str, name: str) -> Any:
    """The component itself: its module is imported now."""
    module = module_of(kind, name)
    return getattr(import_module(module), COMPONENTS[kind][name].split(":")[1])
