"""Gradient clipping in training: each lane by its own limits, of its gradient's norm and of its entries."""

import math
from dataclasses import dataclass

from torch import Tensor

from phase2.optim import clip_grad_norm_, clip_grad_value_
from phase2.train.recipe import Lane


@dataclass(frozen=True)
class LaneLimits:
    """The limits of every lane, (lanes,); infinite where a lane has none."""

    norm: Tensor
    value: Tensor

    @classmethod
    def of(cls, lanes: list[Lane], like: Tensor) -> "LaneLimits":
        """The limits of `lanes`, on the device and of the type of `like`."""
        return cls(like.new_tensor([lane.clip for lane in lanes]), like.new_tensor([lane.clip_value for lane in lanes]))

    def clip(self, parameters: list[Tensor]) -> Tensor:
        """Clips the gradients of stacked parameters (lanes, ...) in place; the norms (lanes,) before that."""
        norms = clip_grad_norm_(parameters, self.norm, lanes=len(self.norm))
        if bool((self.value < math.inf).any()):
            clip_grad_value_(parameters, self.value, lanes=len(self.value))
        return norms
