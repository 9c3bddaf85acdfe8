"""Loggers, a file each: where the rows go that `phase2.train.recorder` takes down of a training."""
