"""The tiny network of the recorded references, and a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wcam_widget import BlackBox

REFERENCE = Path(__file__).parent.parent / "reference"


class TinyNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5, 2, 2)
        self.conv2 = nn.Conv2d(8, 16, 3, 2, 1)
        self.conv3 = nn.Conv2d(16, 24, 3, 2, 1)
        self.head = nn.Linear(24, 5)

    def forward(self, image: Tensor) -> Tensor:
        features = self.conv3(self.conv2(self.conv1(image).relu()).relu()).relu()
        return self.head(features.mean((2, 3)))


def recorded(name: str) -> dict[str, np.ndarray]:
    with np.load(REFERENCE / name, allow_pickle=False) as stored:
        return dict(stored)


@pytest.fixture(scope="session")
def tiny() -> TinyNet:
    stored = recorded("tinynet.npz")
    net = TinyNet()
    net.load_state_dict({key[2:]: torch.from_numpy(stored[key]) for key in stored if key.startswith("w.")})
    return net


@pytest.fixture(scope="session")
def image() -> Tensor:
    return torch.from_numpy(recorded("tinynet.npz")["image"])


@pytest.fixture
def model(tiny: TinyNet) -> BlackBox:
    return BlackBox(tiny, class_names=["ant", "bee", "cat", "dog", "eel"])


@pytest.fixture
def published_model(tiny: TinyNet) -> BlackBox:
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    return BlackBox(tiny, preprocess=lambda images: (images - mean) / deviation)
