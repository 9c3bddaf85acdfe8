"""Optimizers, learning-rate schedules and gradient clipping; drop-in for `torch.optim`."""

from phase2.optim.adam import Adam
from phase2.optim.clip import clip_grad_norm_, lane_norms
from phase2.optim.sgd import SGD

__all__ = ["Adam", "SGD", "clip_grad_norm_", "lane_norms"]
