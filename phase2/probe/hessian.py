"""The Hessian of a loss without ever forming it: products with vectors, its largest eigenvalues, its trace.

H v is the gradient of (∇L)ᵀv (Pearlmutter 1994): a backward pass through a backward pass. From such products the
iteration of Lanczos (1950) finds the ends of the spectrum, and the estimate of Hutchinson (1990) the trace.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor

from phase2.errors import UserError

Matvec = Callable[[Tensor], Tensor]
STEPS = 200  # of Lanczos at most
TOLERANCE = 1e-3  # of a residual, relative; the eigenvalue's own error goes with its square
ROUNDING = 10  # in units of the last digit: what is left of a product below it is no direction


class Hessian:
    """∂²loss / ∂parameters² as a function of a vector; its coordinates are the parameters in order, flattened.

    `loss` is a scalar with its graph, which is kept for all products. `gradient` is (size,). Raises `UserError` for a
    loss that is not a scalar.
    """

    def __init__(self, loss: Tensor, parameters: Iterable[Tensor]) -> None:
        if loss.ndim:
            raise UserError(
                f"Hessian: the loss has shape {tuple(loss.shape)}, expected a scalar (): take its mean or its sum"
            )
        self._parameters = list(parameters)
        gradients = torch.autograd.grad(loss, self._parameters, create_graph=True, materialize_grads=True)
        self._gradient = _flat(gradients)
        self.gradient = self._gradient.detach()
        self.size = len(self.gradient)

    def __call__(self, vector: Tensor) -> Tensor:
        """H `vector`: (size,) from (size,)."""
        if not self._gradient.requires_grad:  # the loss is linear
            return torch.zeros_like(vector)
        return _flat(
            torch.autograd.grad(self._gradient, self._parameters, vector, retain_graph=True, materialize_grads=True)
        )


def top_eigenvalues(
    matvec: Matvec, start: Tensor, count: int, generator: Generator, tolerance: float = TOLERANCE
) -> tuple[Tensor, Tensor]:
    """The `count` largest eigenvalues of a symmetric matrix, in float64, descending, and the first's vector (size,).

    Lanczos from `start` (size,), until the residuals are below `tolerance` of the eigenvalue largest in size. A
    start near the first vector saves products; but nothing is found that is orthogonal to it.
    """
    values, vectors = lanczos(matvec, start, min(STEPS, len(start)), generator, count, tolerance)
    return values[:count], vectors[0]


def lanczos(
    matvec: Matvec, start: Tensor, steps: int, generator: Generator, count: int = 1, tolerance: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Ritz values (k,) in float64, descending, and Ritz vectors (k, size) of a symmetric matrix, k = `steps` at most.

    The basis is orthogonalized in full. Where it spans an invariant space it goes on with a random vector, so `steps`
    of size give every eigenvalue as often as it occurs. With a `tolerance` it ends when the residuals of the `count`
    largest are below that share of the largest in size. A product that is not finite ends it too, with values of NaN.
    """
    basis = start.new_empty(steps, len(start))
    T = torch.zeros(steps, steps, dtype=torch.float64)
    q = start / start.norm()
    for k in range(steps):
        basis[k] = q
        product = matvec(q)
        rest = _orthogonal(product, basis[: k + 1])
        T[k, k], beta = product @ q, rest.norm().double()
        if not (T[k, k].isfinite() and beta.isfinite()):
            return torch.full((k + 1,), torch.nan, dtype=torch.float64), basis[: k + 1]
        values, vectors = torch.linalg.eigh(T[: k + 1, : k + 1])
        scale = values.abs().max()
        converged = (beta * vectors[-1, -count:].abs() < tolerance * scale).all()
        if k + 1 == steps or (k + 1 >= count and converged):
            break
        if beta > ROUNDING * torch.finfo(q.dtype).eps * scale:
            T[k, k + 1] = T[k + 1, k] = beta
            q = rest / rest.norm()
        else:
            q = _orthogonal(torch.randn(len(q), dtype=q.dtype, generator=generator), basis[: k + 1])
            q /= q.norm()
    return values.flip(0), vectors.T.flip(0).to(q.dtype) @ basis[: len(values)]


def hutchinson(
    matvec: Matvec, size: int, draws: int, generator: Generator, dtype: torch.dtype = torch.float32
) -> tuple[float, float]:
    """An unbiased estimate of a symmetric matrix's trace, and its standard error.

    The mean of vᵀ H v over `draws` vectors v (size,) of independent signs, whose variance, 2 Σ_(i≠j) H_ij², is the
    least of all such v with independent entries. Raises `UserError` for fewer than 2 draws: they have no spread.
    """
    if draws < 2:
        raise UserError(f"hutchinson: draws={draws}, expected at least 2 for a standard error")
    signs = (torch.randint(2, (size,), generator=generator).to(dtype) * 2 - 1 for _ in range(draws))
    estimates = torch.stack([v @ matvec(v) for v in signs]).double()
    return float(estimates.mean()), float(estimates.std()) / draws**0.5


def _flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    """`vector` without its part in the span of `basis` (k, size); twice is enough (Parlett 1998, section 6.9)."""
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector
