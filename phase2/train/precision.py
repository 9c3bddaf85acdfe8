"""How networks compute: in float32, or partly in a half of it by autocast, with a loss scaler where that is float16.

Weights, gradients' sums and the optimizer stay in float32. bfloat16 has float32's range and needs no more. float16 does
not: gradients below 6e-8 are zero in it, so the loss is multiplied before the gradients are taken, and they are divided
after (Micikevicius et al. 2018, section 3.2).
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
LEAST_SCALE = 2.0**-16  # a gradient that overflows even so is of no network that will recover


@dataclass(frozen=True)
class Computing:
    """The numbers a network computes in, the layout of its images, and whether it is compiled: in training, and where
    it is judged.
    """

    precision: str = "fp32"
    channels_last: bool = False
    compile: bool = False

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """In which the forward pass is taken."""
        half = HALF.get(self.precision)
        return torch.autocast(device.type, half) if half else nullcontext()

    def inputs(self, inputs: Tensor) -> Tensor:
        """A batch in the layout that the network computes in."""
        images = self.channels_last and inputs.dim() == 4
        return inputs.contiguous(memory_format=torch.channels_last) if images else inputs

    def parameter(self, stacked: Tensor) -> Tensor:
        """A stacked parameter (lanes, ...) in that layout: kernels of every lane have their channels last."""
        kernels = self.channels_last and stacked.dim() == 5
        return stacked.movedim(2, -1).contiguous().movedim(-1, 2) if kernels else stacked


def computes_in_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16 itself."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@cache  # once a process
def warn_if_slow(precision: str, device_type: str) -> None:
    """Says so where a precision is slower than float32."""
    if device_type != "cpu":
        return
    if precision == "fp16":
        print(
            "phase2: float16 on a CPU is many times slower than float32, and convolutions in it seem to hang: "
            "set precision to bf16 or fp32, or train on a GPU",
            file=sys.stderr,
        )
    if precision == "bf16" and not computes_in_bfloat16():
        print(
            "phase2: this processor does not compute in bfloat16, which is slower on it than float32: set precision to "
            "fp32, or train elsewhere",
            file=sys.stderr,
        )


class LossScaler:
    """The factor of each lane's loss, (lanes,): it grows while gradients are finite, and halves when they are not.

    Lane by lane it is `torch.amp.GradScaler`, with its growth, backoff and start.
    """

    def __init__(
        self,
        lanes: int,
        device: torch.device | str = "cpu",
        *,
        start: float = 2.0**16,
        growth: float = 2.0,
        backoff: float = 0.5,
        interval: int = 2000,
    ) -> None:
        self.growth, self.backoff, self.interval = growth, backoff, interval
        self.scale = torch.full((lanes,), start, device=device)
        self.good_steps = torch.zeros(lanes, dtype=torch.int32, device=device)  # since the scale last changed

    @torch.no_grad()
    def unscale_(self, parameters: list[Tensor]) -> None:
        """Divides the gradients of stacked parameters (lanes, ...) by their lane's scale, in place."""
        inverse = self.scale.double().reciprocal()
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(inverse.to(parameter.grad).reshape(-1, *[1] * (parameter.dim() - 1)))

    def update(self, finite: Tensor) -> None:
        """Grows or halves the scale of each lane, after a step in which its gradients were `finite` (lanes,) or not."""
        grown = self.scale * self.growth
        self.good_steps = torch.where(finite, self.good_steps + 1, 0)
        due = self.good_steps == self.interval
        self.good_steps.masked_fill_(due, 0)
        self.scale = torch.where(
            finite, torch.where(due & grown.isfinite(), grown, self.scale), self.scale * self.backoff
        )

    def hopeless(self) -> Tensor:
        """The lanes (lanes,) that have halved their scale to almost nothing: their gradients are not finite at any."""
        return self.scale < LEAST_SCALE

    def state_dict(self) -> dict[str, Tensor]:
        """What `load_state_dict` goes on from."""
        return {"scale": self.scale.cpu(), "good_steps": self.good_steps.cpu()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Goes on from what `state_dict` gave."""
        self.scale, self.good_steps = (state[name].to(self.scale.device) for name in ("scale", "good_steps"))
