"""Convolutions by windows and a matrix product, and the layer that shares no weights."""
