"""Lanes: several networks of one shape as one stacked model, whose parameters have a leading lane dimension.

`torch.func.vmap` maps the base model over that dimension with the minibatch shared; ordinary autograd runs outside it.
The lanes' losses are summed, so each lane's gradient is the gradient of its own loss. Lanes of a convolutional network
go one after the other within a step: each is large enough by itself, and grouped convolutions are slower than many.
"""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from phase2 import registry
from phase2.errors import UserError
from phase2.nn.weighted import Weighted
from phase2.task.seeding import generator, same_draws
from phase2.task.task import Split, Task
from phase2.task.tta.none import Views, none
from phase2.train.precision import Computing
from phase2.train.recipe import Lane, Recipe

State = dict[str, Tensor]  # parameters or buffers by name, of one lane or each (lanes, ...)
Measures = dict[str, Tensor]  # the loss and each metric by name, of every lane (lanes,)

Measured = Callable[[Tensor, Tensor], tuple[Tensor, Measures]]  # of outputs and targets
PLAIN = Computing()
INIT_EXAMPLES = 512  # that a data-dependent init sees
FITTED_EXAMPLES = 5000  # that a network sees which measures what it does not learn


def forward(base: nn.Module, parameters: State, buffers: State, inputs: Tensor) -> Tensor:
    """The outputs of one lane."""
    return functional_call(base, (parameters, buffers), (inputs,))


def compiled_forward() -> Callable[..., Tensor]:
    """The same, compiled when it is called; names of parameters have no prefix, since no module is wrapped."""
    program = torch.compile(forward)

    def call(*arguments: Any) -> Tensor:
        with warnings.catch_warnings():  # a lane's parameters are views, whose .grad the compiler looks at and leaves
            warnings.filterwarnings("ignore", message="The .grad attribute of a Tensor that is not a leaf")
            return program(*arguments)

    return call


@dataclass
class Stack:
    """`parameters` and `buffers`, by the base model's names, each of shape (lanes, ...)."""

    base: nn.Module
    measured: Measured  # `Task.measure`
    parameters: State
    buffers: State
    learned: Measured | None = None  # `Task.learn`: what is measured in training mode, if it is another loss
    computing: Computing = PLAIN
    forward: Callable[..., Tensor] = forward  # or the same, compiled

    def measure(self, inputs: Tensor, targets: Tensor, views: Views = none) -> tuple[Tensor, Measures]:
        """Mean loss (lanes,) and each metric's sum (lanes,) on one minibatch (batch, ...) that all lanes share, about
        which each network is asked by `views`.
        """
        measured = self.learned if self.learned and self.base.training else self.measured
        inputs = self.computing.inputs(inputs)

        def of_one_lane(parameters: State, buffers: State) -> tuple[Tensor, Measures]:
            def network(seen: Tensor) -> Tensor:
                return self.forward(self.base, parameters, buffers, self.computing.inputs(seen))

            return measured(views(network, inputs), targets)

        with self.computing.autocast(inputs.device):
            # Lanes have one seed, so they share dropout's masks as they share the batch.
            if self.lanes > 1 and self.lockstep:
                return vmap(of_one_lane, randomness="same")(self.parameters, self.buffers)
            measures = []
            for n in range(self.lanes):
                with same_draws() if self.lanes > 1 else nullcontext():
                    measures.append(of_one_lane(*self.lane(n)))
        losses, totals = zip(*measures, strict=True)
        return torch.stack(losses), {name: torch.stack([each[name] for each in totals]) for name in totals[0]}

    @property
    def lockstep(self) -> bool:
        """Whether vmap is quicker than one lane after the other: in small steps; a compiler takes each lane alone."""
        modules = [module for module in self.base.modules() if isinstance(module, Weighted)]
        return not self.computing.compile and all(module.lockstep for module in modules)

    def uncompiled(self) -> "Stack":
        """The same networks, run operation by operation."""
        return replace(self, forward=forward)

    def lane(self, n: int) -> tuple[State, State]:
        """Views of the parameters and of the buffers of one lane."""
        parameters, buffers = ({k: value[n] for k, value in s.items()} for s in (self.parameters, self.buffers))
        return parameters, buffers

    @property
    def lanes(self) -> int:
        return next(iter(self.parameters.values())).shape[0]

    def weights(self) -> dict[str, Tensor]:
        """A copy of the state of all lanes, on the CPU."""
        state, plain = self.parameters | self.buffers, torch.contiguous_format
        return {name: value.detach().cpu().clone(memory_format=plain) for name, value in state.items()}

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
    computing = Computing(recipe.precision, recipe.channels_last, recipe.compile)
    leaves = {
        name: computing.parameter(p.detach().to(device)).requires_grad_(p.requires_grad)
        for name, p in parameters.items()
    }
    stacked = {name: b.to(device) for name, b in buffers.items()}
    learned = task.learn if task.learned else None
    how = compiled_forward() if recipe.compile else forward
    return Stack(models[0].to(device), task.measure, leaves, stacked, learned, computing, how)


def initialized(recipe: Recipe, init: str, task: Task, dtype: torch.dtype) -> nn.Module:
    """The network of a recipe as a lane with this initialization begins, on the CPU."""
    train = task.train
    model = network(recipe, train.shape, task.outputs).to(dtype)
    examples, _ = train.batch(torch.arange(min(INIT_EXAMPLES, len(train))), dtype)
    registry.load("init", init)(model, generator=generator(recipe.seed, "init"), batch=examples.cpu())
    fit_to: Any = getattr(model, "fit_to", None)
    if fit_to is not None:  # it measures what it does not learn
        fit_to(_spread(train, FITTED_EXAMPLES, dtype).cpu())
    return model


def _spread(part: Split, count: int, dtype: torch.dtype) -> Tensor:
    """So many inputs of a part, or all, evenly spread: some data sets stand class by class."""
    count = min(count, len(part))
    inputs, _ = part.batch(torch.arange(count) * len(part) // count, dtype)
    return inputs


def network(recipe: Recipe, shape: tuple[int, ...], outputs: int) -> nn.Module:
    """The network of a recipe with arbitrary weights; raises `UserError` for options that its architecture refuses."""
    try:
        return registry.load("model", recipe.model)(shape, outputs, **recipe.model_options)
    except TypeError as error:
        given = dict(recipe.model_options)
        raise UserError(f"the model {recipe.model} refuses its options {given}: {error}") from error


@torch.no_grad()
def evaluate(stack: Stack, part: Split, dtype: torch.dtype, batch_size: int = 1000, views: Views = none) -> Measures:
    """Mean loss and metrics over a part, in evaluation mode; each network is asked by `views`."""
    stack.base.eval()
    sums: Measures = {}
    counted = 0
    for inputs, targets in part.in_order(batch_size, dtype):
        mean, totals = stack.measure(inputs, targets, views)
        here = part.counted(targets)
        for name, total in {"loss": mean.double() * here, **totals}.items():
            sums[name] = sums.get(name, 0.0) + total.double().cpu()
        counted += here
    return {name: total / counted for name, total in sums.items()}
