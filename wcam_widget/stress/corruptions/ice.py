"""Frozen windows: generated pictures of ice, for frost without photographs."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import KDTree
from torch import Tensor

from wcam_widget.stress.corruptions.draws import Draws
from wcam_widget.stress.corruptions.fractal import plasma

_CRYSTALS = (30, 120, 480)  # in a square image, at three scales
_NEEDLES = 14.0  # radians of a crystal's stripes, over its own size
_DARK, _BRIGHT = 0.48, 0.80  # mean brightness of a picture, as of photographs of frozen windows
_FLAT, _ROUGH = 0.08, 0.17  # the standard deviation of its brightness
_TINTS = (-0.10, 0.01, 0.06)  # red, green and blue of the bluest, less its brightness


def ice(draws: Draws, channels: int, height: int, width: int) -> Float[Tensor, "n c h w"]:
    """Pictures of ice in [0, 1]: crystals with needles at three scales, each picture of its own brightness.

    Bluish in three channels, and grey in any other number.
    """
    cloud = plasma(draws, height, width, 1.9)[:, 0]
    bends = [0.06 * (plasma(draws, height, width, 2.2)[:, 0] - 0.5) for _ in range(2)]
    texture = cloud - 0.5
    for count in _CRYSTALS:
        number = max(4, round(count * height * width / max(height, width) ** 2))
        drawn = draws.uniform(0.0, 1.0, number, 4).cpu().double().numpy()
        layers = [
            _crystals(some, np.stack([bend[i].cpu().double().numpy() for bend in bends]))
            for i, some in enumerate(drawn)
        ]
        texture = texture + 0.35 * torch.from_numpy(np.stack(layers)).float().to(draws.device)
    texture = texture - texture.mean((1, 2), keepdim=True)
    texture = texture / texture.std((1, 2), keepdim=True).clamp(min=1e-6)
    mean, deviation, blue = draws.uniform(0.0, 1.0, 3).T[..., None, None]
    grey = _DARK + (_BRIGHT - _DARK) * mean + (_FLAT + (_ROUGH - _FLAT) * deviation) * texture
    picture: Tensor = grey[:, None].expand(-1, channels, -1, -1)
    if channels == 3:
        picture = picture + blue[:, None] * torch.tensor(_TINTS, device=draws.device).reshape(1, 3, 1, 1)
    return picture.clamp(0.0, 1.0)


def _crystals(drawn: Float[np.ndarray, "k 4"], bends: Float[np.ndarray, "2 h w"]) -> Float[np.ndarray, "h w"]:
    """Cells around random points, each of one tone and with needles in one direction; edges are bent."""
    height, width = bends.shape[1:]
    across = max(height, width)
    places = np.indices((height, width)) / across + bends
    centres = drawn[:, :2] * (height / across, width / across)
    _, nearest = KDTree(centres).query(places.reshape(2, -1).T)
    nearest = nearest.reshape(height, width)
    angle, tone = math.pi * drawn[nearest, 2], drawn[nearest, 3]
    away = (places - centres[nearest].transpose(2, 0, 1)) * math.sqrt(len(drawn))
    stripes = np.abs(np.sin(_NEEDLES * (np.cos(angle) * away[0] - np.sin(angle) * away[1])))
    return np.asarray(tone - 0.5 + 0.7 * (stripes - 2 / math.pi) * (0.4 + tone))
