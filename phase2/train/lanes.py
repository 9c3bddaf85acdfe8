"""Lanes: several networks of one shape as one stacked model, whose parameters have a leading lane dimension.

`torch.func.vmap` maps the base model over that dimension with the minibatch shared; ordinary autograd runs outside it.
The lanes' losses are summed, so each lane's gradient is the gradient of its own loss.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from phase2 import registry
from phase2.train.batches import Part, Parts
from phase2.train.objectives import Objective
from phase2.train.recipe import Lane, Recipe
from phase2.train.seeding import generator

INIT_EXAMPLES = 512  # that a data-dependent init sees


@dataclass
class Stack:
    """`parameters` and `buffers`, by the base model's names, each of shape (lanes, ...)."""

    base: nn.Module
    objective: Objective
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]

    def losses(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss (lanes,) and right answers (lanes,) on one minibatch (batch, ...) that all lanes share."""

        def of_one_lane(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            return self.objective(functional_call(self.base, (parameters, buffers), (inputs,)), targets)

        if self.lanes == 1:  # vmap would cost more than all else in a small step
            one = ({name: value[0] for name, value in state.items()} for state in (self.parameters, self.buffers))
            loss, right = of_one_lane(*one)
            return loss.unsqueeze(0), right.unsqueeze(0)
        # Lanes have one seed, so they share dropout's masks as they share the batch.
        return vmap(of_one_lane, randomness="same")(self.parameters, self.buffers)

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


def build(recipe: Recipe, lanes: list[Lane], parts: Parts, dtype: torch.dtype) -> Stack:
    """Initialises each lane by itself, under the same `init` stream of the pack's seed, and stacks them."""
    train = parts.train
    inputs, _ = train.batch(torch.arange(min(INIT_EXAMPLES, len(train))), dtype)
    models = []
    for lane in lanes:
        model = registry.load("model", recipe.model)(train.features, parts.outputs, **recipe.model_options).to(dtype)
        registry.load("init", lane.init)(model, generator=generator(recipe.seed, "init"), batch=inputs.cpu())
        models.append(model)
    base = models[0].to(inputs.device)
    parameters, buffers = stack_module_state(models)
    leaves = {name: p.detach().to(inputs.device).requires_grad_() for name, p in parameters.items()}
    return Stack(base, parts.objective, leaves, {name: b.to(inputs.device) for name, b in buffers.items()})


@torch.no_grad()
def evaluate(stack: Stack, part: Part, dtype: torch.dtype, batch_size: int = 1000) -> tuple[Tensor, Tensor]:
    """Mean loss (lanes,) and accuracy (lanes,) over a part, in evaluation mode."""
    stack.base.eval()
    loss, right = torch.zeros(2, stack.lanes, dtype=torch.float64)
    for inputs, targets in part.in_order(batch_size, dtype):
        mean, correct = stack.losses(inputs, targets)
        loss += mean.double().cpu() * len(targets)
        right += correct.double().cpu()
    return loss / len(part), right / len(part)
