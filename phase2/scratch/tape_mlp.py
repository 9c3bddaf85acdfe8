"""The multi-layer perceptron of `phase2.scratch.mlp` with gradients from the tape of `phase2.scratch.autodiff`."""

import numpy as np

from phase2.scratch.autodiff import Tensor, log_softmax, relu
from phase2.scratch.mlp import MLP, check_input, check_targets


class TapeMLP(MLP):
    """`MLP` with the same arguments, initial weights and errors; only the forward pass is written down."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Logits (batch, classes) of x (batch, in_features); raises `UserError` if x is anything else."""
        check_input(x, self.sizes[0], self.dtype)
        return self._logits(x, [Tensor(p) for p in self.parameters]).data

    def gradients(self, x: np.ndarray, targets: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """The mean loss in nats over a batch, and its gradient for each of `parameters`; see `MLP.gradients`."""
        check_input(x, self.sizes[0], self.dtype)
        check_targets(targets, len(x), self.sizes[-1], np.dtype(np.int64))
        parameters = [Tensor(p, requires_grad=True) for p in self.parameters]
        z = self._logits(x, parameters)
        loss = -log_softmax(z)[np.arange(len(x)), targets].mean()
        loss.backward()
        return loss.item(), [p.grad for p in parameters if p.grad is not None]  # all are leaves of the loss

    @staticmethod
    def _logits(x: np.ndarray, parameters: list[Tensor]) -> Tensor:
        h = Tensor(x)
        for layer, (W, b) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
            h = (relu(h) if layer else h) @ W.transpose() + b
        return h
