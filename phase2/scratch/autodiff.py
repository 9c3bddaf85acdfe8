"""A reverse-mode autodiff tape over NumPy arrays.

Every operation on a `Tensor` that needs a gradient records its operands and pullbacks (`operations`), and `backward`
walks them from the result to the leaves. Values have the dtype that NumPy gives them; constants record nothing.

The arrays on the tape are read-only, so an in-place edit of one that `backward` needs raises where it is made. A
Tensor made from an array copies it, so no array or view outside the tape can change it. New values are bound, not
written: `p.data = p.data - lr * p.grad`. (Not caught: setting an array's
`flags.writeable` by hand, and writing to the `.base` of a result.)
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from phase2.errors import UserError
from phase2.scratch import conv, operations
from phase2.scratch.operations import Axis, Pullback, Recorded, unbroadcast


class Tensor:
    """An array with a gradient.

    data: the values, copied; read-only. grad: dL/d(data), an array, or None before `backward`; leaves only.
    requires_grad: whether `backward` fills `grad` in; the dtype must then be a float.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.])
    """

    __slots__ = ("_array", "_edges", "grad", "requires_grad")
    __array_ufunc__ = None  # array * tensor is then ours, not an array of objects

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        array = np.array(data)
        if array.dtype.kind not in "biuf":
            raise UserError(f"data has dtype {array.dtype}: expected an array of bool, int or float")
        if requires_grad and array.dtype.kind != "f":
            raise UserError(f"requires_grad=True with dtype {array.dtype}: expected floats; pass data.astype(float)")
        self._array = _read_only(array)
        self._edges: tuple[tuple[Tensor, Pullback], ...] = ()
        self.grad: np.ndarray | None = None
        self.requires_grad = requires_grad

    @property
    def data(self) -> np.ndarray:
        return self._array

    @data.setter
    def data(self, value: np.ndarray) -> None:
        array = np.array(value, dtype=self.dtype)
        if array.shape != self.shape:
            raise UserError(f"data has shape {array.shape}: expected {self.shape}, the shape it had")
        self._array = _read_only(array)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> np.dtype:
        return self._array.dtype

    def __repr__(self) -> str:
        return f"Tensor({self._array}, requires_grad={self.requires_grad})"

    def item(self) -> float:
        """The value of a tensor of one element, as a Python number."""
        return self._array.item()

    def detach(self) -> "Tensor":
        """The same values as a constant: nothing flows back through it."""
        return _tensor(self._array, ())

    def zero_grad(self) -> None:
        """Forgets the gradient; without it, the next `backward` adds to it."""
        self.grad = None

    def backward(self, grad: Any = None) -> None:
        """Adds d(self)/d(leaf)ᵀ grad to the `grad` of every leaf that requires one.

        grad: dL/d(self), of self's shape; 1 for a tensor of one element. Gradients of inner nodes belong to the call
        and are not kept, so a second call adds the same again to the leaves. A node is visited when all its users
        have been (Kahn's algorithm); nothing recurses, so the depth of a graph is limited by memory alone.
        """
        uses = Counter({self: 0})
        stack = [self]
        while stack:
            for parent, _ in stack.pop()._edges:
                if parent not in uses:
                    stack.append(parent)
                uses[parent] += 1

        gradients, ready = {self: self._seed(grad)}, [self]
        while ready:
            node = ready.pop()
            G = gradients.pop(node)
            if not node._edges:
                node.grad = np.array(G) if node.grad is None else node.grad + G
            for parent, pullback in node._edges:
                contribution = _like(pullback(G), parent._array)
                gradients[parent] = gradients[parent] + contribution if parent in gradients else contribution
                uses[parent] -= 1
                if not uses[parent]:
                    ready.append(parent)

    def _seed(self, grad: Any) -> np.ndarray:
        """The gradient that `backward` starts from."""
        if not self.requires_grad:
            raise UserError("backward of a constant: expected a result of a Tensor made with requires_grad=True")
        if grad is None and self._array.size != 1:
            raise UserError(f"backward of shape {self.shape} needs grad of that shape: pass it, or reduce to a scalar")
        seed = np.ones_like(self._array) if grad is None else np.asarray(grad, dtype=self.dtype)
        if seed.shape != self.shape:
            raise UserError(f"grad has shape {seed.shape}: expected {self.shape}, the shape of the tensor")
        return seed

    def __add__(self, other: "Operand") -> "Tensor":
        return _apply(operations.add, self, other)

    def __radd__(self, other: "Operand") -> "Tensor":
        return _apply(operations.add, other, self)

    def __sub__(self, other: "Operand") -> "Tensor":
        return _apply(operations.subtract, self, other)

    def __rsub__(self, other: "Operand") -> "Tensor":
        return _apply(operations.subtract, other, self)

    def __mul__(self, other: "Operand") -> "Tensor":
        return _apply(operations.multiply, self, other)

    def __rmul__(self, other: "Operand") -> "Tensor":
        return _apply(operations.multiply, other, self)

    def __truediv__(self, other: "Operand") -> "Tensor":
        return _apply(operations.divide, self, other)

    def __rtruediv__(self, other: "Operand") -> "Tensor":
        return _apply(operations.divide, other, self)

    def __pow__(self, other: "Operand") -> "Tensor":
        return _apply(operations.power, self, other)

    def __rpow__(self, other: "Operand") -> "Tensor":
        return _apply(operations.power, other, self)

    def __matmul__(self, other: "Operand") -> "Tensor":
        return _apply(operations.matmul, self, other)

    def __rmatmul__(self, other: "Operand") -> "Tensor":
        return _apply(operations.matmul, other, self)

    def __neg__(self) -> "Tensor":
        return _apply(operations.negative, self)

    def __getitem__(self, at: Any) -> "Tensor":
        """`self[at]` with NumPy's indices: integers, slices, None, ..., integer and boolean arrays."""
        parts = at if isinstance(at, tuple) else (at,)
        copied = tuple(np.array(part) if isinstance(part, np.ndarray | list) else part for part in parts)
        return _apply(operations.index, self, at=copied)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> "Tensor":
        return _apply(operations.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> "Tensor":
        return _apply(operations.mean, self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> "Tensor":
        """The largest element; elements that tie share the gradient equally, as in `torch.amax`."""
        return _apply(operations.max, self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: int | tuple[int, ...]) -> "Tensor":
        return _apply(operations.reshape, self, shape=shape)

    def transpose(self, *axes: int | tuple[int, ...]) -> "Tensor":
        """The axes in the order given, reversed if none is."""
        return _apply(operations.transpose, self, axes=axes)

    @property
    def T(self) -> "Tensor":
        return self.transpose()


Operand = Tensor | np.ndarray | Sequence | float


def exp(x: Operand) -> Tensor:
    """eˣ."""
    return _apply(operations.exp, x)


def log(x: Operand) -> Tensor:
    """The natural logarithm."""
    return _apply(operations.log, x)


def tanh(x: Operand) -> Tensor:
    """The hyperbolic tangent."""
    return _apply(operations.tanh, x)


def relu(x: Operand) -> Tensor:
    """max(x, 0); the derivative at 0 is 0."""
    return _apply(operations.relu, x)


def maximum(a: Operand, b: Operand) -> Tensor:
    """The larger of a and b, elementwise; where they tie each has half the gradient, as in `torch.maximum`."""
    return _apply(operations.maximum, a, b)


def where(condition: Any, a: Operand, b: Operand) -> Tensor:
    """a where the condition (a boolean array) holds, else b."""
    return _apply(operations.where, a, b, condition=np.array(condition, dtype=bool))


def log_softmax(x: Operand, axis: int = -1) -> Tensor:
    """log(eˣ / Σ eˣ) along an axis, stable for logits of any size."""
    return _apply(operations.log_softmax, x, axis=axis)


def conv2d(x: Operand, weight: Operand, stride: conv.Sides = 1, padding: conv.Sides = 0) -> Tensor:
    """Two-dimensional cross-correlation with zero padding.

    x: (batch, channels, height, width); weight: (out, channels, kernel height, kernel width). Returns
    (batch, out, 1 + (height + 2 padding - kernel height) // stride, ...). A bias is `+ bias[:, None, None]`.
    """
    return _apply(conv.conv2d, x, weight, stride=stride, padding=padding)


def _apply(operation: Callable[..., Recorded], *operands: Any, **options: Any) -> Tensor:
    """The operation's value, with an edge to each operand that needs a gradient."""
    arrays = [_array(operand) for operand in operands]
    try:
        value, pullbacks = operation(*arrays, **options)
    except UserError:
        raise
    except ValueError as error:
        shapes = " and ".join(str(np.shape(array)) for array in arrays)
        given = "".join(f", {name}={option}" for name, option in options.items())
        rule = "; expected sizes that are equal or 1, from the last axis" if len(arrays) > 1 else ""
        raise UserError(f"{operation.__name__} of shape {shapes}{given}: {error}{rule}") from error
    needed = [isinstance(operand, Tensor) and operand.requires_grad for operand in operands]
    edges = zip(operands, pullbacks, strict=True)
    return _tensor(value, tuple(edge for edge, need in zip(edges, needed, strict=True) if need))


def _array(operand: Any) -> Any:
    """What an operation computes with: an array that nobody can edit, or a number, which does not set the dtype."""
    if isinstance(operand, Tensor):
        return operand._array
    return operand if isinstance(operand, int | float | np.generic) else Tensor(operand)._array


def _tensor(value: np.ndarray, edges: tuple[tuple[Tensor, Pullback], ...]) -> Tensor:
    """A node of the tape around a fresh array, which is not copied."""
    tensor = object.__new__(Tensor)
    tensor._array = _read_only(np.asarray(value))
    tensor._edges = edges
    tensor.grad = None
    tensor.requires_grad = bool(edges)
    return tensor


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _like(G: np.ndarray, x: np.ndarray) -> np.ndarray:
    """G in the shape and dtype of x, the operand it is the gradient of."""
    if G.shape != x.shape:
        G = unbroadcast(G, x.shape)
    return G if G.dtype == x.dtype else G.astype(x.dtype)
