"""What linear maps and convolutions share: a weight and maybe a bias, which initializations fill."""

from typing import ClassVar

from torch.nn import Module, Parameter


class Weighted(Module):
    """A layer with a weight (out, in, *kernel) and a bias (out), or None."""

    weight: Parameter
    bias: Parameter | None
    lockstep: ClassVar[bool] = True  # whether many lanes at once are quicker than one after the other
