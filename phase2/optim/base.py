"""What all optimizers share: checked options, a step over the parameters, state dicts that torch reads."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from phase2.errors import UserError

UNSUPPORTED = ("foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay")


def require(valid: bool | Tensor, what: str, value: object) -> None:
    """Raises torch's message for a bad option unless `valid` holds, for every lane."""
    if not (valid.all() if isinstance(valid, Tensor) else valid):
        raise UserError(f"Invalid {what}: {value}")


def _uncompiled(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of torch's optimizer without the decorator that keeps compilers out of it.

    The decorator imports the compiler to do so: a second at the start of every training job.
    """
    return getattr(method, "__wrapped__", method)


class LaneOptimizer(Optimizer, ABC):
    """A `torch.optim.Optimizer` that updates one parameter at a time by `update`.

    `lr` and `weight_decay` of a group may be tensors of shape (lanes,) for parameters of shape (lanes, ...).
    `flags` are torch's choices of implementation; there is one here, so any that is set raises `UserError`.
    """

    def __init__(self, params: ParamsT, defaults: dict[str, Any], **flags: bool | None) -> None:
        self._without_flags(flags)
        super().__init__(params, defaults)

    @abstractmethod
    def check(self, options: dict[str, Any]) -> None:
        """Raises `UserError` if a group's options are out of range."""

    @abstractmethod
    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Moves `param` in place against `grad`, which it must not write to."""

    def _without_flags(self, options: dict[str, Any]) -> dict[str, Any]:
        for flag in UNSUPPORTED:
            if options.get(flag):
                raise UserError(f"{type(self).__name__}: {flag}={options[flag]} is not supported: leave it out")
        return {name: value for name, value in options.items() if name not in UNSUPPORTED}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group of parameters, after its options are checked."""
        self.check({**self.defaults, **param_group})
        _uncompiled(Optimizer.add_param_group)(self, self._without_flags(param_group))

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients, or sets them to zero."""
        _uncompiled(Optimizer.zero_grad)(self, set_to_none)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # of torch's optimizer too: its groups name the flags
        self.param_groups = [self._without_flags(group) for group in self.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step from the gradients in `.grad`; `closure`, if given, computes them and returns the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    self._reject_sparse_or_complex(param.grad)
                    grad = -param.grad if group["maximize"] else param.grad
                    self.update(param, grad, self.state[param], group)
        return loss

    def _reject_sparse_or_complex(self, grad: Tensor) -> None:
        if grad.layout != torch.strided or grad.is_complex():
            raise UserError(
                f"{type(self).__name__} does not support sparse or complex gradients, got one of shape "
                f"{tuple(grad.shape)}, {grad.layout}, {grad.dtype}: use dense real parameters"
            )
