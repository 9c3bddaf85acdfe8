"""Initializations of a whole network, a file each."""
