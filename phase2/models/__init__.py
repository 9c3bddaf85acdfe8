"""Networks, built from `phase2.nn`."""

from phase2.models.mlp import MLP

__all__ = ["MLP"]
