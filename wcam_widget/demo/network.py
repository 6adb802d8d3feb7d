"""The demo's network: a small residual CNN."""

from itertools import pairwise
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

_WIDTHS = (16, 32, 64, 96)


@final
class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut; halves the sides (after He et al., 2016, basic block)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, stride=2, bias=False)

    def forward(self, features: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o h2 w2"]:
        """Halve the sides and change the channels."""
        changed = torch.relu(self.first_norm(self.first(features)))
        return torch.relu(self.second_norm(self.second(changed)) + self.shortcut(features))


@final
class ResidualNet(nn.Module):
    """Scores `classes` classes for normalised images (n, 3, h, w); about 0.23 million parameters.

    >>> ResidualNet(9).eval()(torch.zeros(2, 3, 128, 128)).shape
    torch.Size([2, 9])
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _WIDTHS[0], 5, stride=2, padding=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(_WIDTHS[0])
        self.blocks = nn.Sequential(*(ResidualBlock(into, out) for into, out in pairwise(_WIDTHS)))
        self.head = nn.Linear(_WIDTHS[-1], classes)

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
        """Score each image by the mean over its last features."""
        features = self.blocks(torch.relu(self.stem_norm(self.stem(images))))
        scores: Tensor = self.head(features.mean(dim=(2, 3)))
        return scores


def normalise(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Turn images in [0, 1] into the network's input.

    >>> normalise(torch.tensor([[[[0.5, 1.0]]]])).flatten()
    tensor([0., 2.])
    """
    return (images - 0.5) / 0.25
