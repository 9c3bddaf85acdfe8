"""Where a smooth function of one variable is largest, to 50 digits: for the constants that a derivation prints."""

from functools import cache

import mpmath
import numpy as np
import sympy

from phase2.derive.derivation import DIGITS

SCAN = 2001  # points that single out the peak before it is refined


@cache
def maximum(f: sympy.Expr, x: sympy.Symbol, low: float, high: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """(x*, f(x*)) of the largest value of f inside [low, high], from a root of f' beside the best point of a scan."""
    grid = np.linspace(low, high, SCAN)
    best = int(np.argmax(sympy.lambdify(x, f, ["scipy", "numpy"])(grid)))
    slope, value = (sympy.lambdify(x, expression, "mpmath") for expression in (sympy.diff(f, x), f))
    with mpmath.workdps(DIGITS):
        around = tuple(mpmath.mpf(float(grid[i])) for i in (best - 1, best + 1))
        where = mpmath.findroot(slope, around, solver="anderson", verify=False)
        return where, value(where)
