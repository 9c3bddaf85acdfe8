"""The operations of the tape, on plain arrays: each value beside its local derivatives.

An operation returns its value y and, for each operand x in order, a pullback: the function that takes G = dL/dy to
dL/dx = (dy/dx)ᵀ G. A pullback may return the shape that x was broadcast to; the tape sums it back (`unbroadcast`).
"""

from collections.abc import Callable

import numpy as np

from phase2.errors import UserError

Pullback = Callable[[np.ndarray], np.ndarray]
Recorded = tuple[np.ndarray, tuple[Pullback, ...]]
Axis = int | tuple[int, ...] | None


def unbroadcast(G: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sums G over the axes along which `shape` was broadcast: a value used n times has the sum of n gradients."""
    new = G.ndim - len(shape)
    stretched = tuple(axis for axis in range(G.ndim) if axis < new or (shape[axis - new] == 1 != G.shape[axis]))
    return G.sum(axis=stretched).reshape(shape)


def add(a: np.ndarray, b: np.ndarray) -> Recorded:
    """y = a + b;  dy/da = 1,  dy/db = 1."""
    return a + b, (lambda G: G, lambda G: G)


def subtract(a: np.ndarray, b: np.ndarray) -> Recorded:
    """y = a - b;  dy/da = 1,  dy/db = -1."""
    return a - b, (lambda G: G, lambda G: -G)


def negative(x: np.ndarray) -> Recorded:
    """y = -x;  dy/dx = -1."""
    return -x, (lambda G: -G,)


def multiply(a: np.ndarray, b: np.ndarray) -> Recorded:
    """y = a b;  dy/da = b,  dy/db = a."""
    return a * b, (lambda G: G * b, lambda G: G * a)


def divide(a: np.ndarray, b: np.ndarray) -> Recorded:
    """y = a / b;  dy/da = 1 / b,  dy/db = -y / b."""
    y = a / b
    return y, (lambda G: G / b, lambda G: -G * y / b)


def power(x: np.ndarray, n: np.ndarray) -> Recorded:
    """y = xⁿ;  dy/dx = n xⁿ⁻¹ (0 where n = 0),  dy/dn = y log x (0 where x = 0 and n >= 0)."""
    y = x**n

    def wrt_base(G: np.ndarray) -> np.ndarray:
        if np.ndim(n) == 0:
            return G * (n * x ** (n - 1)) if n != 0 else np.zeros_like(G)
        return G * (n * x ** np.where(n == 0, 1, n - 1))

    def wrt_exponent(G: np.ndarray) -> np.ndarray:
        flat = (x == 0) & (n >= 0)
        return G * np.where(flat, 0, y * np.log(np.where(flat, 1, x)))

    return y, (wrt_base, wrt_exponent)


def exp(x: np.ndarray) -> Recorded:
    """y = eˣ;  dy/dx = y."""
    y = np.exp(x)
    return y, (lambda G: G * y,)


def log(x: np.ndarray) -> Recorded:
    """y = log x;  dy/dx = 1 / x."""
    return np.log(x), (lambda G: G / x,)


def tanh(x: np.ndarray) -> Recorded:
    """y = tanh x;  dy/dx = 1 - y²."""
    y = np.tanh(x)
    return y, (lambda G: G * (1 - y * y),)


def relu(x: np.ndarray) -> Recorded:
    """y = max(x, 0);  dy/dx = 1 if x > 0 else 0."""
    y = np.maximum(x, 0)
    return y, (lambda G: G * (y > 0),)


def maximum(a: np.ndarray, b: np.ndarray) -> Recorded:
    """y = max(a, b);  dy/da = 1 if a > b, ½ if a = b, else 0;  dy/db = 1 - dy/da."""
    return np.maximum(a, b), (
        lambda G: np.where(a == b, G / 2, np.where(a > b, G, 0)),
        lambda G: np.where(a == b, G / 2, np.where(a < b, G, 0)),
    )


def where(a: np.ndarray, b: np.ndarray, condition: np.ndarray) -> Recorded:
    """y = a where the condition holds, else b;  dy/da = 1 there, else 0;  dy/db = 1 - dy/da."""
    return np.where(condition, a, b), (lambda G: np.where(condition, G, 0), lambda G: np.where(condition, 0, G))


def matmul(a: np.ndarray, b: np.ndarray) -> Recorded:
    """Y = A B over the last two axes;  dL/dA = G Bᵀ,  dL/dB = Aᵀ G.

    As in NumPy a 1-D `a` is a row and a 1-D `b` a column, and their axis of size 1 is dropped from the value.
    """
    if not np.ndim(a) or not np.ndim(b) or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise UserError(f"matmul of shape {np.shape(a)} and {np.shape(b)}: expected (..., n, k) and (..., k, m)")
    Y = np.matmul(a, b)
    A = a[None, :] if a.ndim == 1 else a
    B = b[:, None] if b.ndim == 1 else b

    def matrix(G: np.ndarray) -> np.ndarray:
        return np.reshape(G, (*Y.shape[: Y.ndim - (a.ndim > 1) - (b.ndim > 1)], A.shape[-2], B.shape[-1]))

    def wrt_right(G: np.ndarray) -> np.ndarray:
        gradient = np.matmul(A.swapaxes(-1, -2), matrix(G))
        return gradient[..., 0] if b.ndim == 1 else gradient

    return Y, (lambda G: np.matmul(matrix(G), B.swapaxes(-1, -2)), wrt_right)


def sum(x: np.ndarray, axis: Axis, keepdims: bool) -> Recorded:
    """y = Σ x;  dy/dx = 1."""
    kept = np.sum(x, axis=axis, keepdims=True)
    y = kept if keepdims else np.squeeze(kept, axis)
    return y, (lambda G: np.broadcast_to(G.reshape(kept.shape), x.shape),)


def mean(x: np.ndarray, axis: Axis, keepdims: bool) -> Recorded:
    """y = Σ x / n;  dy/dx = 1 / n."""
    y, (spread,) = sum(x, axis, keepdims)
    n = x.size // y.size if y.size else 1
    if n == 0:
        raise UserError(f"mean over axis {axis} of shape {x.shape} is of no elements: expected at least one")
    return y / n, (lambda G: spread(G / n),)


def max(x: np.ndarray, axis: Axis, keepdims: bool) -> Recorded:
    """y = max x;  dy/dx = 1 / (number of maxima) at each maximum, else 0."""
    kept = np.max(x, axis=axis, keepdims=True)

    def share(G: np.ndarray) -> np.ndarray:
        largest = x == kept
        return np.where(largest, G.reshape(kept.shape) / largest.sum(axis=axis, keepdims=True, dtype=x.dtype), 0)

    return kept if keepdims else np.squeeze(kept, axis), (share,)


def log_softmax(x: np.ndarray, axis: int) -> Recorded:
    """y = x - log Σ eˣ, with the largest x taken out of the sum so that nothing overflows;  dL/dx = G - eʸ Σ G."""
    z = x - np.max(x, axis=axis, keepdims=True)
    y = z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))
    return y, (lambda G: G - np.exp(y) * G.sum(axis=axis, keepdims=True),)


def index(x: np.ndarray, at: tuple) -> Recorded:
    """y = x[at];  dL/dx adds G up at the places read: an element read twice has both gradients."""
    may_repeat = any(isinstance(part, np.ndarray) and part.dtype != bool for part in at)

    def scatter(G: np.ndarray) -> np.ndarray:
        gradient = np.zeros(x.shape, G.dtype)
        if may_repeat:
            np.add.at(gradient, at, G)
        else:
            gradient[at] = G
        return gradient

    return x[at], (scatter,)


def reshape(x: np.ndarray, shape: tuple) -> Recorded:
    """The same elements in another shape;  dL/dx is G in the old one."""
    return x.reshape(*shape), (lambda G: G.reshape(x.shape),)


def transpose(x: np.ndarray, axes: tuple) -> Recorded:
    """The axes in another order, reversed if none is given;  dL/dx is G with the order undone."""
    back = np.argsort(np.ravel(axes) % x.ndim) if axes else None
    return x.transpose(*axes), (lambda G: G.transpose(back),)
