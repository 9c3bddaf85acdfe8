"""Activations, a file each: value, both derivatives, function and layer side by side."""
