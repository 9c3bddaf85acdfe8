"""Optimizers and gradient clipping; drop-in for `torch.optim` and `torch.nn.utils`."""

from phase2.optim.adagrad import Adagrad
from phase2.optim.adam import Adam
from phase2.optim.adamw import AdamW
from phase2.optim.clip import clip_grad_norm_, clip_grad_value_, lane_norms
from phase2.optim.momentum import momentum
from phase2.optim.nesterov import nesterov
from phase2.optim.rmsprop import RMSprop
from phase2.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "lane_norms",
    "momentum",
    "nesterov",
]
