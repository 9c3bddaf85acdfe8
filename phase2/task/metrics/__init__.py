"""Metrics, a file each: what is told of a network's answers besides the loss."""
