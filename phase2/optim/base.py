"""What all optimizers share: checked options, a step over lists of parameters, state dicts that torch reads."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from phase2.errors import UserError
from phase2.optim.lanes import Coefficient, Tensors

UNSUPPORTED = ("fused", "capturable", "differentiable")
LARGE = 2**17  # elements; on a CPU, operation by operation over all of them would go through memory each time
ONE = torch.tensor(1.0)


def require(valid: bool | Tensor, what: str, value: object) -> None:
    """Raises torch's message for a bad option unless `valid` holds, for every lane."""
    if not (valid.all() if isinstance(valid, Tensor) else valid):
        raise UserError(f"Invalid {what}: {value}")


def _uncompiled(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of torch's optimizer without the decorator that keeps compilers out of it.

    The decorator imports the compiler to do so: a second at the start of every training job.
    """
    return getattr(method, "__wrapped__", method)


def in_dtype(coefficient: Coefficient, params: Tensors) -> Coefficient:
    """A coefficient that may be computed with: a tensor in the dtype and on the device of the parameters."""
    return coefficient.to(params[0]) if isinstance(coefficient, Tensor) else coefficient


def column(states: list[dict[str, Any]], name: str) -> list[Tensor]:
    """One entry of every parameter's state."""
    return [state[name] for state in states]


def count_step(states: list[dict[str, Any]]) -> float:
    """Counts one more step for parameters that have taken equally many, and returns the number."""
    steps = column(states, "step")
    torch._foreach_add_(steps, ONE, alpha=1.0)
    return steps[0].item()


class LaneOptimizer(Optimizer, ABC):
    """A `torch.optim.Optimizer` whose rule, `update`, is written once, for lists of parameters.

    Coefficients of a group that a subclass names may be tensors (lanes,) for parameters (lanes, ...).
    `foreach=True` hands all parameters that can go together to one update, `False` each alone; by default they go
    together, but for the ones too large for a CPU's cache. The results are the same. `flags` are torch's other choices
    of implementation; any that is set raises `UserError`.
    """

    def __init__(self, params: ParamsT, defaults: dict[str, Any], **flags: bool | None) -> None:
        self._without_flags(flags)
        super().__init__(params, defaults)

    @abstractmethod
    def check(self, options: dict[str, Any]) -> None:
        """Raises `UserError` if a group's options are out of range."""

    @abstractmethod
    def start(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """The state of a parameter before its first step, under torch's names."""

    @abstractmethod
    def update(self, params: Tensors, grads: Tensors, states: list[dict[str, Any]], group: dict[str, Any]) -> None:
        """Moves `params` in place against `grads`, which it must not write to.

        The parameters have one dtype, one device and equally many steps behind them.
        """

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
        self.param_groups = [{**self.defaults, **self._without_flags(group)} for group in self.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step from the gradients in `.grad`; `closure`, if given, computes them and returns the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for params in self._together(group):
                grads = [param.grad for param in params if param.grad is not None]
                self.update(
                    params,
                    torch._foreach_neg(grads) if group["maximize"] else grads,
                    [self.state[param] for param in params],
                    group,
                )
        return loss

    def _together(self, group: dict[str, Any]) -> Iterable[list[Tensor]]:
        """The parameters of a group that have gradients, in lists that one update takes."""
        foreach, lists = group["foreach"], dict[Any, list[Tensor]]()
        for param in group["params"]:
            if param.grad is None:
                continue
            self._reject_sparse_or_complex(param.grad)
            state = self.state[param]
            if not state:
                state.update(self.start(param, group))
            if foreach or (foreach is None and (param.numel() < LARGE or not param.is_cpu)):
                steps = state["step"].item() if "step" in state else len(state)
                lists.setdefault((steps, param.dtype, param.device), []).append(param)
            else:
                lists[id(param)] = [param]
        return lists.values()

    def _reject_sparse_or_complex(self, grad: Tensor) -> None:
        if grad.layout != torch.strided or grad.is_complex():
            kind = "complex" if grad.is_complex() else "sparse"
            raise UserError(
                f"{type(self).__name__} does not support {kind} gradients, got one of shape {tuple(grad.shape)}, "
                f"{grad.layout}, {grad.dtype}: use dense real parameters"
            )
