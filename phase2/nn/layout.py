"""How images lie in memory."""

import torch
from torch import Tensor


def layout_of(*tensors: Tensor) -> torch.memory_format:
    """How torch would lay out a result of these: channels last if one of them is."""
    last = any(t.is_contiguous(memory_format=torch.channels_last) and not t.is_contiguous() for t in tensors)
    return torch.channels_last if last else torch.contiguous_format
