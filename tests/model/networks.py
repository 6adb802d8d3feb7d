"""Networks and images the tests of this folder share."""

import torch
from torch import nn


class Counting(nn.Module):
    """A network with dropout and batch norm that counts images and runs out of memory above `capacity`."""

    def __init__(self, capacity=10**9, error=None):
        super().__init__()
        torch.manual_seed(0)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3, 4)
        self.capacity, self.error, self.batches = capacity, error or MemoryError(), []

    def forward(self, images):
        if len(images) > self.capacity:
            raise self.error
        self.batches.append(len(images))
        return self.head(self.drop(self.norm(images).square().mean(dim=(2, 3))))


def images_of(count, seed=0):
    return torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))


def numbered(start, stop):
    """A `make` for `logits_of`: images whose mean is their own number."""
    return torch.arange(start, stop).float().reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)
