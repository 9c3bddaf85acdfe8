"""Lanes: several networks of one shape as one stacked model, whose parameters have a leading lane dimension.

`torch.func.vmap` maps the base model over that dimension with the minibatch shared; ordinary autograd runs outside it.
The lanes' losses are summed, so each lane's gradient is the gradient of its own loss. Lanes of a convolutional network
go one after the other within a step: each is large enough by itself, and grouped convolutions are slower than many.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.weighted import Weighted
from phase2.task.seeding import generator
from phase2.task.task import Split, Task
from phase2.train.recipe import Lane, Recipe

Measures = dict[str, Tensor]  # the loss and each metric by name, of every lane (lanes,)

INIT_EXAMPLES = 512  # that a data-dependent init sees


@dataclass
class Stack:
    """`parameters` and `buffers`, by the base model's names, each of shape (lanes, ...)."""

    base: nn.Module
    measured: Callable[[Tensor, Tensor], tuple[Tensor, Measures]]  # `Task.measure`
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]

    def measure(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Measures]:
        """Mean loss (lanes,) and each metric's sum (lanes,) on one minibatch (batch, ...) that all lanes share."""

        def of_one_lane(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, Measures]:
            return self.measured(functional_call(self.base, (parameters, buffers), (inputs,)), targets)

        if self.lanes == 1 or not self.lockstep:  # vmap would cost more than all else in a small step
            losses, totals = zip(*(of_one_lane(*self.lane(n)) for n in range(self.lanes)), strict=True)
            return torch.stack(losses), {name: torch.stack([each[name] for each in totals]) for name in totals[0]}
        # Lanes have one seed, so they share dropout's masks as they share the batch.
        return vmap(of_one_lane, randomness="same")(self.parameters, self.buffers)

    @property
    def lockstep(self) -> bool:
        """Whether vmap is quicker than one lane after the other."""
        return all(module.lockstep for module in self.base.modules() if isinstance(module, Weighted))

    def lane(self, n: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Views of the parameters and of the buffers of one lane."""
        parameters, buffers = ({k: value[n] for k, value in s.items()} for s in (self.parameters, self.buffers))
        return parameters, buffers

    @property
    def lanes(self) -> int:
        return next(iter(self.parameters.values())).shape[0]

    def weights(self) -> dict[str, Tensor]:
        """A copy of the state of all lanes, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in (self.parameters | self.buffers).items()}

    def load(self, weights: dict[str, Tensor]) -> None:
        """Puts back what `weights` gave, in place, so that an optimizer keeps its hold on the parameters."""
        with torch.no_grad():
            for name, value in (self.parameters | self.buffers).items():
                value.copy_(weights[name])


def build(recipe: Recipe, lanes: list[Lane], task: Task, dtype: torch.dtype) -> Stack:
    """Initialises each lane by itself, under the same `init` stream of the pack's seed, and stacks them."""
    models = [initialized(recipe, lane.init, task, dtype) for lane in lanes]
    device = task.train.batch(torch.arange(1), dtype)[0].device
    parameters, buffers = stack_module_state(models)
    leaves = {name: p.detach().to(device).requires_grad_() for name, p in parameters.items()}
    stacked = {name: b.to(device) for name, b in buffers.items()}
    return Stack(models[0].to(device), task.measure, leaves, stacked)


def initialized(recipe: Recipe, init: str, task: Task, dtype: torch.dtype) -> nn.Module:
    """The network of a recipe as a lane with this initialization begins, on the CPU."""
    train = task.train
    model = network(recipe, train.shape, task.outputs).to(dtype)
    examples, _ = train.batch(torch.arange(min(INIT_EXAMPLES, len(train))), dtype)
    registry.load("init", init)(model, generator=generator(recipe.seed, "init"), batch=examples.cpu())
    return model


def network(recipe: Recipe, shape: tuple[int, ...], outputs: int) -> nn.Module:
    """The network of a recipe with arbitrary weights; raises `UserError` for options that its architecture refuses."""
    try:
        return registry.load("model", recipe.model)(shape, outputs, **recipe.model_options)
    except TypeError as error:
        given = dict(recipe.model_options)
        raise UserError(f"the model {recipe.model} refuses its options {given}: {error}") from error


@torch.no_grad()
def evaluate(stack: Stack, part: Split, dtype: torch.dtype, batch_size: int = 1000) -> Measures:
    """Mean loss and metrics over a part, in evaluation mode."""
    stack.base.eval()
    sums: Measures = {}
    counted = 0
    for inputs, targets in part.in_order(batch_size, dtype):
        mean, totals = stack.measure(inputs, targets)
        here = part.counted(targets)
        for name, total in {"loss": mean.double() * here, **totals}.items():
            sums[name] = sums.get(name, 0.0) + total.double().cpu()
        counted += here
    return {name: total / counted for name, total in sums.items()}
