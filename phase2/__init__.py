"""phase2: a deep-learning core written from scratch, and the factory that proves it."""

__version__ = "0.1.0"
