"""Lanes: several networks of one shape as one stacked model, whose parameters have a leading lane dimension.

`torch.func.vmap` maps the base model over that dimension with the minibatch shared; ordinary autograd runs outside it.
The lanes' losses are summed, so each lane's gradient is the gradient of its own loss.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from phase2 import registry
from phase2.nn import cross_entropy
from phase2.train.batches import Part
from phase2.train.recipe import Lane, Recipe
from phase2.train.seeding import generator

INIT_IMAGES = 512  # images that a data-dependent init sees


@dataclass
class Stack:
    """`parameters` and `buffers`, by the base model's names, each of shape (lanes, ...)."""

    base: nn.Module
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]

    def losses(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss (lanes,) and right answers (lanes,) on one minibatch (batch, ...) that all lanes share."""

        def of_one_lane(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            logits = functional_call(self.base, (parameters, buffers), (images,))
            return cross_entropy(logits, labels), (logits.argmax(-1) == labels).sum()

        return vmap(of_one_lane)(self.parameters, self.buffers)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the state of all lanes, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in (self.parameters | self.buffers).items()}

    def load(self, weights: dict[str, Tensor]) -> None:
        """Puts back what `weights` gave, in place, so that an optimizer keeps its hold on the parameters."""
        with torch.no_grad():
            for name, value in (self.parameters | self.buffers).items():
                value.copy_(weights[name])


def build(recipe: Recipe, lanes: list[Lane], train: Part, features: int, classes: int, dtype: torch.dtype) -> Stack:
    """Initialises each lane by itself, under the same `init` stream of the pack's seed, and stacks them."""
    images, _ = train.batch(torch.arange(min(INIT_IMAGES, len(train))), dtype)
    models = []
    for lane in lanes:
        model = registry.load("model", recipe.model)(features, classes, **recipe.model_options).to(dtype)
        registry.load("init", lane.init)(model, generator=generator(recipe.seed, "init"), batch=images.cpu())
        models.append(model)
    base = models[0].to(images.device)
    parameters, buffers = stack_module_state(models)
    leaves = {name: p.detach().to(images.device).requires_grad_() for name, p in parameters.items()}
    return Stack(base, leaves, {name: b.to(images.device) for name, b in buffers.items()})


@torch.no_grad()
def evaluate(stack: Stack, part: Part, dtype: torch.dtype, batch_size: int = 1000) -> tuple[Tensor, Tensor]:
    """Mean loss (lanes,) and accuracy (lanes,) over a part, in evaluation mode."""
    stack.base.eval()
    lanes = next(iter(stack.parameters.values())).shape[0]
    loss, right = torch.zeros(2, lanes, dtype=torch.float64)
    for images, labels in part.in_order(batch_size, dtype):
        mean, correct = stack.losses(images, labels)
        loss += mean.double().cpu() * len(labels)
        right += correct.double().cpu()
    return loss / len(part), right / len(part)
