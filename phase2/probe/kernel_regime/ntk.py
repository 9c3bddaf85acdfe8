"""The empirical neural tangent kernel Θ(x, x') = ∂f(x)/∂θ (∂f(x')/∂θ)ᵀ of any network, and its linearization.

For networks whose samples do not interact and whose randomness is off: call `eval()` first where there is dropout or
BatchNorm. θ are the parameters that require a gradient.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, jacrev, vjp, vmap
from torch.nn import Module
from torch.nn.functional import one_hot
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from phase2.errors import UserError, unknown

Parameters = dict[str, Tensor]
Block = tuple[int, int, Tensor]  # its first row and column, and itself

MB = 10**6
COPIES = 2  # of Jacobians and activations that are alive at once
STORING = 300  # operations in the time that computing one more number of a Jacobian takes: memory's speed, not F's
ROWS = 128  # of a Jacobian in a batch of vector products: more are no faster


def empirical_ntk(
    model: Module,
    x1: Tensor,
    x2: Tensor | None = None,
    method: str = "auto",
    memory_mb: float = 500,
    full: bool = False,
) -> Tensor:
    """The kernel between x1 (n1, *) and x2 (n2, *; x1 if None): (n1, n2), averaged over outputs, tr Θ(x, x') / outputs.

    With `full`, (n1, n2, outputs, outputs): of every output with every other. `method` is one of two ways (Novak et
    al. 2022, section 3), with F the operations of a forward pass and P the number of parameters:

    - `jacobian`: the Jacobians at x1 and at x2, and their product, parameter by parameter: 2 P operations for every
      pair of samples and pair of outputs (of equal outputs if averaged). Jacobians that do not fit into memory are
      computed again for every block of the other side.
    - `vector_products`: one row of the Jacobian at x2, and the derivative of f(x1) along it: 2 F for every pair of
      samples and every output, full or averaged. As custom functions have no forward mode, that derivative is the
      vector-Jacobian product of a vector-Jacobian product.

    `auto` takes the cheaper of those that fit into `memory_mb`: products as above, and `STORING` operations for every
    number of a Jacobian. In a fully connected network F = 2 P: Jacobians are cheaper for the average while they fit
    into memory, vector products for a full kernel of many outputs. Where weights are shared F is far above 2 P.

    `memory_mb`, in 10⁶ bytes, is for the result and all that is computed on the way; batches are made to fit. If the
    smallest would not, `UserError` names the estimate. With x2 None only half of the pairs are computed.
    """
    if method != "auto" and method not in WAYS:
        raise unknown("method of empirical_ntk", method, ["auto", *WAYS])
    job = _Job(_Network.of(model, x1), x1, x1 if x2 is None else x2, x2 is None, full)
    ways = [WAYS[name](job, memory_mb * MB) for name in (WAYS if method == "auto" else [method])]
    fitting = [way for way in ways if way.smallest <= memory_mb * MB]
    if not fitting:
        raise UserError(
            f"empirical_ntk: a kernel of {len(job.x1)} x {len(job.x2)} samples of a network of {job.network.P} "
            f"parameters and {job.network.O} outputs needs {min(way.smallest for way in ways) / MB:.3g} MB in the "
            f"smallest batch, more than memory_mb={memory_mb:g}: raise it, or take fewer samples or a smaller network"
        )
    return job.assembled(min(fitting, key=lambda way: way.cost).blocks())


def linearize(model: Module) -> Callable[[Parameters, Tensor], Tensor]:
    """f_lin(δ, x) = f(x; θ) + ∂f(x; θ)/∂θ δ for the θ that the model has now: the network that its kernel describes.

    Shapes: δ has those of the parameters, by name; x (batch, *) as the model's, and so the result, which is
    differentiable by δ. Lee et al. 2019, eq. 5.
    """
    start = _trained(model, copy=True)

    def linear_model(change: Parameters, x: Tensor) -> Tensor:
        def f(parameters: Parameters) -> Tensor:
            return functional_call(model, parameters, (x,))

        value, push, _ = derivative(f, start)
        return value + push(change)

    return linear_model


def _trained(model: Module, copy: bool = False) -> Parameters:
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    return {name: p.clone() for name, p in parameters.items()} if copy else parameters


def derivative(
    f: Callable[[Parameters], Tensor], parameters: Parameters
) -> tuple[Tensor, Callable[[Parameters], Tensor], Callable[[Tensor], Parameters]]:
    """The value of f, and its derivative there as two linear maps: J of a change of the parameters, and Jᵀ of a change
    of the value. J is the transpose of Jᵀ, which is linear: custom Functions have no forward mode.
    """
    value, transposed = vjp(f, parameters)[:2]
    _, twice = vjp(lambda u: transposed(u)[0], torch.zeros_like(value))[:2]
    return value.detach(), lambda change: twice(change)[0], lambda direction: transposed(direction)[0]


@dataclass(frozen=True)
class _Network:
    """A function of parameters and a batch to (batch, O), and what a sample costs."""

    model: Module
    parameters: Parameters
    dtype: torch.dtype
    P: int
    O: int
    F: int  # operations of a forward pass
    A: int  # numbers that a forward pass computes

    @classmethod
    def of(cls, model: Module, x: Tensor) -> "_Network":
        parameters = _trained(model)
        with torch.no_grad(), FlopCounterMode(display=False) as flops, _Numbers() as numbers:
            y = model(x[:1])
        P = sum(p.numel() for p in parameters.values())
        return cls(model, parameters, y.dtype, P, y.numel(), flops.get_total_flops(), numbers.computed)

    def __call__(self, parameters: Parameters, x: Tensor) -> Tensor:
        return functional_call(self.model, parameters, (x,)).reshape(len(x), -1)

    def one(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Outputs (O) of one sample."""
        return self(parameters, x[None])[0]


class _Numbers(TorchDispatchMode):
    """Counts the numbers that operations compute; views compute none."""

    computed = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not func.is_view:
            self.computed += result.numel()
        return result


@dataclass(frozen=True)
class _Job:
    """A kernel to compute. Its matrix has a row for every sample of x1, or with `full` for every output of each."""

    network: _Network
    x1: Tensor
    x2: Tensor
    symmetric: bool
    full: bool

    @property
    def side(self) -> int:
        """Rows, and columns, of a pair of samples."""
        return self.network.O if self.full else 1

    @property
    def pairs(self) -> float:
        """Pairs of samples to compute."""
        return len(self.x1) * len(self.x2) / (2 if self.symmetric else 1)

    @property
    def bytes(self) -> int:
        """Of the kernel, and of the copy by which half of it is mirrored."""
        entries = len(self.x1) * len(self.x2) * self.side**2
        return entries * self.network.dtype.itemsize * (2 if self.symmetric else 1)

    def assembled(self, blocks: Iterator[Block]) -> Tensor:
        """The kernel as the sum of blocks; of a symmetric one those on and below the diagonal are enough."""
        n1, n2, side = len(self.x1), len(self.x2), self.side
        Theta = self.x1.new_zeros(n1 * side, n2 * side, dtype=self.network.dtype)
        for i, j, block in blocks:
            Theta[i : i + block.shape[0], j : j + block.shape[1]] += block
        if self.symmetric:
            Theta.tril_().add_(Theta.tril(-1).mT)
        return Theta.view(n1, side, n2, side).transpose(1, 2) if self.full else Theta.div_(self.network.O)


class _Jacobians:
    """The Jacobians (samples, O, P) of a large block of x1 and, against it, of small blocks of x2; their products."""

    def __init__(self, job: _Job, budget: float) -> None:
        self.job, network = job, job.network
        sample = COPIES * network.O * network.P * network.dtype.itemsize
        self.smallest = job.bytes + 2 * sample
        room = max(2, int((budget - job.bytes) // sample))
        self.columns = min(max(1, room // 8), len(job.x2))
        self.rows = min(room - self.columns, len(job.x1))
        jacobians = len(job.x1) / (2 if job.symmetric else 1) + job.pairs / self.rows
        self.cost = network.O * network.P * (STORING * jacobians + 2 * job.pairs * job.side)

    def blocks(self) -> Iterator[Block]:
        for i in range(0, len(self.job.x1), self.rows):
            yield from self._rows_from(i)

    def _rows_from(self, i: int) -> Iterator[Block]:
        x2, side, J1 = self.job.x2, self.job.side, self._jacobian(self.job.x1[i : i + self.rows])
        if self.job.symmetric:
            yield i * side, i * side, _product(J1, J1)
            x2 = x2[:i]
        for j in range(0, len(x2), self.columns):
            yield i * side, j * side, _product(J1, self._jacobian(x2[j : j + self.columns]))

    def _jacobian(self, x: Tensor) -> list[Tensor]:
        """A matrix by parameter, with a row for every row of the kernel."""
        network = self.job.network
        by_name = vmap(jacrev(network.one), (None, 0))(network.parameters, x)
        rows = len(x) * self.job.side
        return [by_name.pop(name).reshape(rows, -1) for name in list(by_name)]  # a reshape may copy: free what it read


def _product(J1: list[Tensor], J2: list[Tensor]) -> Tensor:
    return sum((a @ b.mT for a, b in zip(J1, J2, strict=True)), start=J1[0].new_zeros(()))


class _VectorProducts:
    """Rows of the Jacobian, one for every sample and output of x2; the derivative of a block of x1 along each."""

    def __init__(self, job: _Job, budget: float) -> None:
        self.job, network = job, job.network
        self.samples = len(job.x1)
        while self._bytes(1) > budget and self.samples > 1:
            self.samples = -(-self.samples // 2)
        self.smallest = self._bytes(1)
        room = (budget - self._bytes(0)) // (self._bytes(1) - self._bytes(0))
        self.rows = max(1, min(int(room), ROWS))
        self.cost = network.O * (STORING * network.P * len(job.x2) + 2 * network.F * job.pairs)

    def _bytes(self, rows: int) -> int:
        """Held while `rows` directions meet `samples` samples, whose gradients are kept."""
        P, activations = self.job.network.P, self.samples * self.job.network.A
        return self.job.bytes + COPIES * (rows * (P + activations) + activations) * self.job.network.dtype.itemsize

    def blocks(self) -> Iterator[Block]:
        x2 = self.job.x2
        for pairs in torch.arange(len(x2) * self.job.network.O, device=x2.device).split(self.rows):
            yield from self._columns(pairs // self.job.network.O, pairs % self.job.network.O)

    def _columns(self, sample: Tensor, output: Tensor) -> Iterator[Block]:
        """Every row of the kernel, in the columns of some outputs of some samples of x2."""
        x1, network, start = self.job.x1, self.job.network, int(sample[0])
        directions = self._jacobian_rows(self.job.x2[sample], output)
        for i in range(start if self.job.symmetric else 0, len(x1), self.samples):
            x = x1[i : i + self.samples]
            changes = vmap(derivative(partial(network, x=x), network.parameters)[1])(
                directions
            )  # (columns, samples, O)
            if self.job.full:
                yield i * network.O, start * network.O + int(output[0]), changes.flatten(1).mT
            else:
                own = changes[torch.arange(len(output)), :, output]  # f's own output: (columns, samples)
                block = own.new_zeros(len(x), int(sample[-1]) - start + 1)
                yield i, start, block.index_add_(1, sample - start, own.mT)

    def _jacobian_rows(self, x: Tensor, output: Tensor) -> Parameters:
        """The gradient of one output of each sample: by parameter, (rows, *)."""
        network, u = self.job.network, one_hot(output, self.job.network.O).to(self.job.network.dtype)
        return vmap(lambda x, u: vjp(lambda p: network.one(p, x), network.parameters)[1](u)[0])(x, u)


WAYS: dict[str, type[_Jacobians] | type[_VectorProducts]] = {
    "jacobian": _Jacobians,
    "vector_products": _VectorProducts,
}
