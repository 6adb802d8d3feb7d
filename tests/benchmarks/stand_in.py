"""An untrained classifier for images of any size: where a benchmark is about pages and not about networks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from skimage import data, transform
from torch import Tensor, nn

NAME = "an untrained convolution with 8 filters, pooled, 10 classes"


def classifier() -> nn.Module:
    """The network that ``NAME`` names, the same every time."""
    torch.manual_seed(0)
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(nn.Conv2d(3, 8, 7, stride=4), nn.ReLU(), *pooled, nn.Linear(8, 10)).eval()


def photograph(side: int) -> Float[Tensor, "3 side side"]:
    """The astronaut, as a file of this size has it: in steps of 8 bits."""
    pixels = transform.resize(data.astronaut(), (side, side), anti_aliasing=True)
    return torch.from_numpy(pixels).mul(255).round().div(255).float().permute(2, 0, 1).contiguous()
