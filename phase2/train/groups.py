"""Parameter groups: weights, biases and what norms scale by, which may differ in rate and decay."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.normalization.normalize import Norm
from phase2.train.recipe import Lane, Recipe

NORMS = (
    Norm,
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
)


def make_optimizer(recipe: Recipe, lanes: list[Lane], base: nn.Module, stacked: dict[str, Tensor]) -> Optimizer:
    """The optimizer of the stacked parameters (lanes, ...) of networks such as `base`, at a rate of 0.

    Raises `UserError` for options that it refuses.
    """
    name, options = recipe.optimizer, dict(recipe.optimizer_options)
    groups = groups_of(recipe, lanes, base, stacked)
    usual = {of: groups[0][of] for of in ("lr", "weight_decay")}  # which refuses an optimizer that has none
    try:
        return registry.load("optimizer", name)(groups, **usual, **options)
    except (TypeError, ValueError) as error:
        raise UserError(f"the optimizer {name} refuses its options {options}: {error}") from error


def groups_of(recipe: Recipe, lanes: list[Lane], base: nn.Module, stacked: dict[str, Tensor]) -> list[dict]:
    """Groups of the trained parameters for an optimizer, each with its `weight_decay` and a `rate_factor`, (lanes,).

    They are as many as differ: one, unless biases have another rate or only weights are decayed.
    """
    like = next(iter(stacked.values()))
    decays = like.new_tensor([lane.weight_decay for lane in lanes])
    factors = like.new_tensor([lane.bias_lr for lane in lanes])
    ones, zeros = torch.ones_like(factors), torch.zeros_like(decays)
    apart = any(lane.bias_lr != 1.0 for lane in lanes)
    members: dict[tuple[bool, bool], list[Tensor]] = {}
    weights = weight_names(base)
    for name, parameter in stacked.items():
        if parameter.requires_grad:
            kind = (apart and is_bias(name), recipe.decay == "weights" and name not in weights)
            members.setdefault(kind, []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": torch.zeros_like(factors),
            "weight_decay": zeros if undecayed else decays,
            "rate_factor": factors if scaled else ones,
        }
        for (scaled, undecayed), parameters in members.items()
    ]


def set_rates(optimizer: Optimizer, rates: Tensor) -> None:
    """Gives every lane its learning rate (lanes,), and each group its factor of it."""
    for group in optimizer.param_groups:
        group["lr"].copy_(rates * group["rate_factor"])


def is_bias(name: str) -> bool:
    """Whether a parameter of this name is a bias, of a norm too."""
    return name.split(".")[-1].startswith("bias")


def weight_names(base: nn.Module) -> set[str]:
    """The names of what weight decay is meant for: neither biases, nor what norms or anything else scale by, unit by
    unit.
    """
    norms = {
        f"{place}.{name}" if place else name
        for place, module in base.named_modules()
        if isinstance(module, NORMS)
        for name, _ in module.named_parameters(recurse=False)
    }
    matrices = {name for name, parameter in base.named_parameters() if parameter.dim() >= 2}
    return {name for name in matrices - norms if not is_bias(name)}
