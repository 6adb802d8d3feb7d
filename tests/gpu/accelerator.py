"""What the tests of this folder share: the accelerator, a network and an image on both sides."""

from contextlib import contextmanager

import pytest
import torch
from torch import nn
from transformers import ResNetConfig, ResNetForImageClassification

DEVICE = torch.device("cuda", 0)
needs_cuda = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(),
        reason="no CUDA device here; on a machine with one, `python -m pytest -m gpu tests` runs it",
    ),
]


def network(device: torch.device | str) -> nn.Module:
    """A small residual network with the same weights on every device."""
    torch.manual_seed(0)
    configuration = ResNetConfig(embedding_size=16, hidden_sizes=[32, 64], depths=[2, 2], num_labels=7)
    return ResNetForImageClassification(configuration).eval().to(device)


def image(channels: int = 3, size: tuple[int, int] = (64, 72)) -> torch.Tensor:
    return torch.rand(channels, *size, generator=torch.Generator().manual_seed(1))


@contextmanager
def exact_float32():
    """Convolutions and products in float32, not in the TensorFloat-32 that CUDA takes instead."""
    convolutions, products = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = convolutions, products


@contextmanager
def no_waiting():
    """Raise where the host waits for the device."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")
