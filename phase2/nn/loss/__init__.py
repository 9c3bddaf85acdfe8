"""Losses, a file each: the function with its gradient, and the layer."""
