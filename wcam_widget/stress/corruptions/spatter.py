"""Drops of water or mud on the lens."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage
from torch import Tensor

from wcam_widget.stress.corruptions import filters
from wcam_widget.stress.corruptions.draws import Draws

# Mean, deviation, smoothness and threshold of the liquid; opacity of water, or softness of mud.
_WATER = ((0.65, 0.3, 4.0, 0.69, 0.6), (0.65, 0.3, 3.0, 0.68, 0.6), (0.65, 0.3, 2.0, 0.68, 0.5))
_MUD = ((0.65, 0.3, 1.0, 0.65, 1.5), (0.67, 0.4, 1.0, 0.65, 1.5))
_WATER_COLOUR = (175 / 255, 238 / 255, 238 / 255)
_MUD_COLOUR = (63 / 255, 42 / 255, 20 / 255)
_DEEPEST = 20  # pixels from the edge of a drop beyond which it gets no darker
_LIGHT = ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))  # an emboss: lit from the upper left


def spatter(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Water at severities 1 to 3, mud at 4 and 5."""
    if severity <= len(_WATER):
        return _water(images, severity, draws)
    mean, deviation, smoothness, threshold, softness = _MUD[severity - 1 - len(_WATER)]
    scale = filters.relative_scale(images)
    liquid = _liquid(images, (mean, deviation, smoothness), draws)
    cover = filters.gaussian_blur((liquid > threshold).float(), softness * scale)
    cover = torch.where(cover < 0.8, 0.0, cover)
    return images * (1.0 - cover) + cover * _colour(_MUD_COLOUR, images)


def _water(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    mean, deviation, smoothness, threshold, opacity = _WATER[severity - 1]
    liquid = _liquid(images, (mean, deviation, smoothness), draws)
    liquid = torch.where(liquid < threshold, 0.0, liquid)
    deepest = _DEEPEST * filters.relative_scale(images)
    lights = [_lit(drops.numpy() > 0, deepest) for drops in liquid[:, 0].cpu()]
    cover = liquid * torch.from_numpy(np.stack(lights))[:, None].to(images)
    cover = cover / cover.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return images + opacity * cover * _colour(_WATER_COLOUR, images)


def _liquid(
    images: Float[Tensor, "n c h w"], settings: tuple[float, float, float], draws: Draws
) -> Float[Tensor, "n 1 h w"]:
    mean, deviation, smoothness = settings
    field = mean + deviation * draws.normal(1, *images.shape[-2:])
    return filters.gaussian_blur(field, smoothness * filters.relative_scale(images))


def _lit(drops: Bool[np.ndarray, "h w"], deepest: float) -> Float[np.ndarray, "h w"]:
    """How bright drops are: an emboss of the distance from their edges, equalised, in 0 to 255."""
    edges = drops & ~ndimage.binary_erosion(drops, border_value=1)
    if not edges.any():
        return drops.astype(float)
    near = np.minimum(ndimage.distance_transform_edt(~edges), deepest)
    depths = ndimage.uniform_filter(near * (_DEEPEST / deepest), 3, mode="mirror").astype(np.uint8)
    embossed = ndimage.correlate(_equalised(depths), np.array(_LIGHT, float), mode="mirror")
    return np.asarray(ndimage.uniform_filter(embossed.clip(0, 255), 3, mode="mirror"))


def _equalised(levels: UInt8[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Grey levels 0 to 255 that are used about equally often."""
    below = np.bincount(levels.ravel(), minlength=256).cumsum()
    lowest = below[np.flatnonzero(below)[0]]
    return np.asarray(((below - lowest) * 255 / max(levels.size - lowest, 1)).round()[levels], float)


def _colour(colour: tuple[float, float, float], images: Float[Tensor, "n c h w"]) -> Tensor:
    """The colour where there are three channels, else its mean."""
    channels = images.shape[1]
    values = colour if channels == 3 else (sum(colour) / 3,) * channels
    return torch.tensor(values, device=images.device).reshape(1, channels, 1, 1)
