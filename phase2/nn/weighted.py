"""What linear maps and convolutions share: a weight and maybe a bias, which initializations fill."""

import math
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import Module

from phase2.nn.init import kaiming_uniform_, uniform_


class Weighted(Module):
    """A layer with a weight (out, in, *kernel) and a bias (out), or None."""

    weight: Tensor
    bias: Any  # a tensor or None
    lockstep: ClassVar[bool] = True  # whether many lanes at once are quicker than one after the other

    def reset_parameters(self) -> None:
        """Draws both anew from U(-k, k), k = 1/sqrt(fan in), by torch's global generator; from a seed, torch's bits."""
        fan_in = math.prod(self.weight.shape[1:])
        if self.weight.numel() > 0:
            kaiming_uniform_(self.weight, a=math.sqrt(5))  # the same k, rounded the way torch does
        if self.bias is not None:
            k = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            uniform_(self.bias, -k, k)
