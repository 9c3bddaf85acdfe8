"""An activation's value and first two derivatives, as plain functions of a tensor.

They take any shape and return it, in x's floating dtype; `phase2.nn.activation.elementwise` builds the layers' autograd
from them. f and f1 work in place on tensors of their own (a fresh tensor costs more than arithmetic), so to
differentiate further go through the layers, or through f2, which does not. Sides are chosen by clamp, sign and
threshold where possible: they are vectorised, `where` is not.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Formulas(NamedTuple):
    """f(x, *constants) with f' and f'' by x; or, if `of_output`, with f' = g(y) and g' by y = f(x): f'' = g' g.

    The second form is for functions that keep y for the backward pass, which the next layer keeps anyway.
    """

    f: Callable[..., Tensor]
    f1: Callable[..., Tensor]
    f2: Callable[..., Tensor]
    of_output: bool = False

    def at(self, x: Tensor, *constants: float) -> tuple[Tensor, Tensor, Tensor]:
        """f, f' and f'' at x."""
        y = self.f(x, *constants)
        if self.of_output:
            return y, self.f1(y), self.f2(y) * self.f1(y)
        return y, self.f1(x, *constants), self.f2(x, *constants)


def step(x: Tensor) -> Tensor:
    """1 where x > 0, else 0."""
    return x.clamp(min=0).sign_()


def zero(x: Tensor, *constants: float) -> Tensor:
    """0 everywhere."""
    return torch.zeros_like(x)
