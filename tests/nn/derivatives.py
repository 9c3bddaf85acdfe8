"""The written formulas of every activation that has some, by name."""

from importlib import import_module

from phase2 import registry
from phase2.nn.activation import swish, tanh_gelu
from phase2.nn.activation.formulas import Formulas

MODULES = {name: import_module(part.module) for name, part in registry.parts("activation").items()}
DERIVATIVES: dict[str, Formulas] = {
    **{name: module.FORMULAS for name, module in MODULES.items() if hasattr(module, "FORMULAS")},
    "gelu_tanh": tanh_gelu.FORMULAS,
    "swish": swish.FORMULAS,
}
