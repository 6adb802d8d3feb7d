"""Weather: snow, frost and fog."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.stress.corruptions import filters
from wcam_widget.stress.corruptions.draws import Draws
from wcam_widget.stress.corruptions.fractal import plasma
from wcam_widget.stress.corruptions.ice import ice

_FOG = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))  # amount, decay over scales
_FROST = ((1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))  # shares of image and of ice
# Mean, deviation, size and threshold of flakes; radius and sigma of their motion; share of the image.
_SNOW = (
    (0.1, 0.3, 3.0, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2.0, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4.0, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def fog(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """A plasma field laid over the image, whose brightest value stays."""
    amount, decay = _FOG[severity - 1]
    height, width = images.shape[-2:]
    field = plasma(draws, height, width, decay)
    brightest = images.amax((1, 2, 3), keepdim=True)
    return (images + amount * field) * brightest / (brightest + amount)


def frost(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Ice laid over the image: generated, where the publication has photographs of frozen windows."""
    share, amount = _FROST[severity - 1]
    channels, height, width = images.shape[1:]
    return share * images + amount * ice(draws, channels, height, width)


def snow(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Flakes that fall, over a whitened image; every second one turned half round."""
    mean, deviation, size, threshold, radius, sigma, share = _SNOW[severity - 1]
    scale = filters.relative_scale(images)
    layer = mean + deviation * draws.normal(1, *images.shape[-2:])
    layer = filters.zoomed(layer, max(1.0, size * scale))
    layer = torch.where(layer < threshold, 0.0, layer.clamp(0.0, 1.0))
    falling = draws.uniform(-135.0, -45.0)
    layer = filters.motion_blurred(layer, radius * scale, sigma * scale, falling)
    white = torch.maximum(images, _grey(images) * 1.5 + 0.5)
    return share * images + (1.0 - share) * white + layer + layer.flip((2, 3))


def _grey(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 h w"]:
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    weights = torch.tensor(_LUMA, device=images.device).reshape(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)
