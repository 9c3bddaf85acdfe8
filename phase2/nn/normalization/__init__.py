"""Normalizations, a file each. As parts of a network they are made by features, of images or not, and backend."""
