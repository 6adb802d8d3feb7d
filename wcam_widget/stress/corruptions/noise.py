"""Noise: of every value by itself."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.stress.corruptions.draws import Draws

_GAUSSIAN = (0.08, 0.12, 0.18, 0.26, 0.38)  # standard deviations
_SHOT = (60, 25, 12, 5, 3)  # photons of white
_IMPULSE = (0.03, 0.06, 0.09, 0.17, 0.27)  # shares of the values
_SPECKLE = (0.15, 0.2, 0.35, 0.45, 0.6)  # standard deviations, in units of the value


def gaussian_noise(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Normal noise, as of a sensor in low light."""
    return images + _GAUSSIAN[severity - 1] * draws.normal(*images.shape[1:])


def shot_noise(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Poisson noise of counted photons."""
    photons = _SHOT[severity - 1]
    return draws.poisson(images * photons) / photons


def impulse_noise(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Values set to 0 or to 1, each as often, channel by channel."""
    share, chance = _IMPULSE[severity - 1], draws.uniform(0.0, 1.0, *images.shape[1:])
    return torch.where(chance < share, (chance < share / 2).float(), images)


def speckle_noise(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Normal noise in proportion to the value."""
    return images * (1.0 + _SPECKLE[severity - 1] * draws.normal(*images.shape[1:]))
