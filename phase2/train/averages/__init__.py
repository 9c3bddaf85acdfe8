"""Averages of the weights, a file each."""
