"""Pooling, a family of layers a file: the maximum, the average and the adaptive average of windows."""
