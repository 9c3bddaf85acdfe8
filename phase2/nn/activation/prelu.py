"""PReLU: the one activation with a parameter that learns. He et al. 2015."""

from typing import Any

import torch
from torch import Tensor

from phase2.card import Card
from phase2.errors import UserError
from phase2.nn.activation.elementwise import check, wide
from phase2.nn.activation.formulas import step
from phase2.nn.lanes import InLanes

CARD = Card(
    "activation",
    "PReLU",
    label="PReLU",
    definition=r"$\max(x, 0) + a \min(x, 0)$, $a$ learnt from $1/4$",
    cites="he2015",
    order=3,
)

# y = x if x > 0 else a x, with the slope a learnt.


class _PReLU(InLanes):
    """y = x if x > 0 else a x, with a of x's shape;  ∂L/∂x = G (1 if x > 0 else a),  ∂L/∂a = G min(x, 0)."""

    @staticmethod
    def forward(x: Tensor, a: Tensor) -> Tensor:
        x_, dtype = wide(x), x.dtype
        return x_.clamp(max=0).mul_(a).add_(x_.clamp(min=0)).to(dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, Tensor]:
        return _PReLUDerivative.apply(G, *ctx.saved_tensors)


class _PReLUDerivative(InLanes):
    """D_x = G (1 if x > 0 else a), D_a = G min(x, 0);  their only curvature is ∂²y/∂x∂a = 1 where x < 0."""

    @staticmethod
    def forward(G: Tensor, x: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        right, left_x = step(wide(x)), wide(x).clamp(max=0)
        return (1 - right).mul_(a).add_(right).mul_(G).to(x.dtype), left_x.mul_(G).to(a.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, H_x: Tensor, H_a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        G, x, a = ctx.saved_tensors
        left = step(-x)
        return _PReLUDerivative.apply(H_x, x, a)[0] + H_a * x.clamp(max=0), H_a * G * left, H_x * G * left


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight x. He et al. 2015, eq. 1.

    Shapes: weight (1), or (channels) for x (batch, channels, *); raises `UserError` if they do not fit. Under
    autocast x and weight are lowered, as in torch.
    """
    check("prelu", input)
    if weight.ndim != 1 or (len(weight) != 1 and (input.ndim < 2 or input.shape[1] != len(weight))):
        raise UserError(
            f"prelu: input has shape {tuple(input.shape)} and weight {tuple(weight.shape)}, "
            "expected (batch, channels, *) and weight (channels) or (1)"
        )
    x = input
    if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
        lower = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(lower), weight.to(lower)
    per_channel = weight if len(weight) == 1 else weight.view(-1, *(1 for _ in x.shape[2:]))
    return _PReLU.apply(x, per_channel.expand_as(x) if x.ndim else weight.squeeze(0))


class PReLU(torch.nn.PReLU):
    """`prelu` with a slope that learns, one for all channels or one for each; drop-in for `torch.nn.PReLU`.

    Shapes: input (batch, num_parameters, *), or any for num_parameters=1. Raises `UserError` for
    num_parameters below 1.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if num_parameters < 1:
            raise UserError(f"PReLU: num_parameters={num_parameters}, expected 1 or the number of channels")
        super().__init__(num_parameters, init, device, dtype)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Sets every slope to `init`."""
        self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return prelu(input, self.weight)
