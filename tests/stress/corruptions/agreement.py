"""How far two implementations of the corruptions are apart."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wcam_widget import load_photos

EXACT = (
    "brightness",
    "contrast",
    "defocus_blur",
    "gaussian_blur",
    "jpeg_compression",
    "pixelate",
    "saturate",
    "zoom_blur",
)
"""Corruptions without random numbers: pictures can be compared pixel by pixel."""


def cat() -> Tensor:
    """The bundled cat, (3, 224, 224), in steps of 1/255."""
    photograph = load_photos()["cat"]
    side = min(photograph.size)
    left = (photograph.width - side) // 2
    small = photograph.crop((left, 0, left + side, side)).resize((224, 224), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255


def patch(pixels: np.ndarray) -> np.ndarray:
    """The cat's eye: (32, 32, 3) of (224, 224, 3)."""
    return pixels[60:92, 32:64]


def change_per_scale(change: np.ndarray) -> np.ndarray:
    """Root mean square of a change (h, w, 3), at three scales of Haar wavelets and in what is left, (4,)."""
    rest, sizes = change, []
    for _ in range(3):
        a, b, c, d = rest[::2, ::2], rest[1::2, ::2], rest[::2, 1::2], rest[1::2, 1::2]
        details = np.stack([a - b + c - d, a + b - c - d, a - b - c + d])
        sizes.append(np.sqrt((details**2).mean()) / 4)
        rest = (a + b + c + d) / 4
    return np.array([*sizes, np.sqrt((rest**2).mean())])
