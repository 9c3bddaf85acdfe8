"""The multi-layer perceptron on torch tensors without autograd: `phase2.scratch.mlp`, operation by operation."""

from collections.abc import Iterable

import torch
from torch import Tensor

from phase2.errors import UserError
from phase2.scratch.mlp import check_input, check_targets


class ManualMLP:
    """The network whose parameters are [W_1, b_1, W_2, b_2, ...], with ReLU and softmax cross-entropy; it copies them.

    W has shape (fan_out, fan_in) and b (fan_out,): what `phase2.models.MLP(...).parameters()` and
    `phase2.scratch.mlp.MLP.parameters` hold. Raises `UserError` if they do not fit each other.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self.parameters = [p.detach().clone() for p in parameters]
        shapes = [tuple(p.shape) for p in self.parameters]
        weights, biases = shapes[::2], shapes[1::2]
        matrices = shapes and all(len(W) == 2 for W in weights)
        if not (matrices and [W[:1] for W in weights] == biases and [W[1:] for W in weights[1:]] == biases[:-1]):
            raise UserError(
                f"ManualMLP: parameters have shapes {shapes}, expected (out, in), (out,) of each layer in turn"
            )

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) of x (batch, in_features); raises `UserError` if x is anything else."""
        check_input(x, self.parameters[0].shape[1], self.parameters[0].dtype)
        return self._outputs(x)[-1]

    @torch.no_grad()
    def gradients(self, x: Tensor, targets: Tensor) -> tuple[float, list[Tensor]]:
        """The mean loss in nats over a batch, and its gradient for each of `parameters`.

        Shapes: x (batch, in_features), targets (batch,) of int64, class indices. Raises `UserError` for others.
        """
        check_input(x, self.parameters[0].shape[1], self.parameters[0].dtype)
        check_targets(targets, len(x), len(self.parameters[-1]), torch.int64)
        *h, z = self._outputs(x)
        loss, G = _softmax_cross_entropy(z, targets)
        gradients = []
        for layer in reversed(range(len(h))):
            gradients += [G.sum(0), G.T @ h[layer]]
            if layer:
                G = (G @ self.parameters[2 * layer]).mul_(h[layer] > 0)
        return loss, gradients[::-1]

    @torch.no_grad()
    def step(self, x: Tensor, targets: Tensor, lr: float) -> float:
        """One step of gradient descent, θ ← θ - lr ∂L/∂θ; returns the loss before it. Takes what `gradients` takes."""
        loss, gradients = self.gradients(x, targets)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.sub_(gradient, alpha=lr)
        return loss

    def _outputs(self, x: Tensor) -> list[Tensor]:
        """x, the output of every hidden layer, and the logits."""
        h = [x]
        for W, b in zip(self.parameters[::2], self.parameters[1::2], strict=True):
            if len(h) > 1:
                h[-1].clamp_(min=0)
            h.append(torch.addmm(b, h[-1], W.T))
        return h


def _softmax_cross_entropy(z: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """The mean loss, and ∂L/∂z = (softmax z - onehot t) / batch."""
    rows = torch.arange(len(z), device=z.device)
    shifted = z - z.amax(1, keepdim=True)
    p = shifted.exp()
    total = p.sum(1, keepdim=True)
    loss = (total[:, 0].log() - shifted[rows, targets]).mean()
    p /= total
    p[rows, targets] -= 1
    return loss.item(), p.div_(len(z))
