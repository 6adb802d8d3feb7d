"""A network whose maps and scores are known in closed form, and a picture for it."""

from __future__ import annotations

import torch
from torch import nn

PICTURE = torch.rand(3, 6, 8, generator=torch.Generator().manual_seed(3))


def linear(slopes: tuple[tuple[float, float], ...] = ((1.0, 2.0),)) -> nn.Module:
    """Two channels, the image's red and green, and scores linear in their means."""
    conv, head = nn.Conv2d(3, 2, 1, bias=False), nn.Linear(2, len(slopes), bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.eye(3)[:2, :, None, None])
        head.weight.copy_(torch.tensor(slopes))
    return nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).requires_grad_(
        requires_grad=False
    )


def small() -> nn.Module:
    """Two blocks of convolutions in eval mode, always with the same weights, and three classes."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    ).eval()
