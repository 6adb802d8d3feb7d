"""Blur: out of focus, through glass, of motion, of zooming in."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.stress.corruptions import filters
from wcam_widget.stress.corruptions.draws import Draws

_GAUSSIAN = (1, 2, 3, 4, 6)  # standard deviations in pixels
_DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))  # radius and softness of the disk
_GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # sigma, reach, rounds
_MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius and sigma
_ZOOM = ((0.01, 12), (0.01, 16), (0.02, 11), (0.02, 13), (0.03, 11))  # step of the factor, how many of them


def gaussian_blur(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """A Gaussian."""
    return filters.gaussian_blur(images, _GAUSSIAN[severity - 1] * filters.relative_scale(images))


def defocus_blur(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """A disk, as a lens out of focus makes of a point."""
    radius, softness = _DEFOCUS[severity - 1]
    scale = filters.relative_scale(images)
    return filters.convolved(images, filters.disk(radius * scale, softness * scale, images.device))


def motion_blur(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """A smear at an angle of up to 45 degrees to the horizontal."""
    radius, sigma = (length * filters.relative_scale(images) for length in _MOTION[severity - 1])
    return filters.motion_blurred(images, radius, sigma, draws.uniform(-45.0, 45.0))


def zoom_blur(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """The mean of the image, itself once more, and of ever larger ones."""
    step, count = _ZOOM[severity - 1]
    factors = (1.0 + step * number for number in range(1, count))
    return (2.0 * images + sum(filters.zoomed(images, factor) for factor in factors)) / (count + 1)


def glass_blur(images: Float[Tensor, "n c h w"], severity: int, draws: Draws) -> Float[Tensor, "n c h w"]:
    """Pixels become copies of close ones, between two slight Gaussian blurs.

    The publication speaks of shuffling; its code, run, copies, and so are the published images.
    """
    sigma, reach, rounds = _GLASS[severity - 1]
    scale = filters.relative_scale(images)
    sigma, reach = sigma * scale, max(1, round(reach * scale))
    height, width = images.shape[-2:]
    inner = (height - 2 * reach, width - 2 * reach)
    moves = torch.floor(draws.uniform(-float(reach), float(reach), rounds, *inner, 2)).long().cpu().numpy()
    orders = torch.from_numpy(np.stack([_copied(each, height, width, reach) for each in moves]))
    blurred = filters.gaussian_blur(images, sigma).flatten(2)
    places = orders.to(images.device)[:, None].expand(-1, images.shape[1], -1)
    return filters.gaussian_blur(blurred.gather(2, places).reshape(images.shape), sigma)


def _copied(
    moves: Int[np.ndarray, "rounds rows columns 2"], height: int, width: int, reach: int
) -> Int[np.ndarray, " pixels"]:
    """Which pixel stands where, after every inner pixel was replaced, from the last one to the first.

    The order matters, since a pixel may be a copy by the time it is copied.
    """
    order = list(range(height * width))
    places = np.arange(height * width).reshape(height, width)
    places = places[reach : height - reach, reach : width - reach]
    for down, right in zip(moves[..., 0], moves[..., 1], strict=True):
        partners = places + down * width + right
        for here, there in zip(places.ravel()[::-1].tolist(), partners.ravel()[::-1].tolist(), strict=True):
            order[here] = order[there]
    return np.array(order)
