"""Shared by all tests: one torch thread, so that bits repeat and parallel workers do not fight for cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

torch.set_num_threads(1)
