"""Blurs and zooms that corruptions are made of, over the last two axes of (n, c, h, w)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

REFERENCE_SIDE = 224
"""The side of the images that the published lengths in pixels are for."""


def relative_scale(images: Float[Tensor, "n c h w"]) -> float:
    """The shorter side in units of the published 224 pixels: lengths are multiplied by it."""
    return min(images.shape[-2:]) / REFERENCE_SIDE


def gaussian_blur(
    images: Float[Tensor, "n c h w"], sigma: float, padding: str = "replicate", truncate: float = 4.0
) -> Float[Tensor, "n c h w"]:
    """Blur with a Gaussian of ``sigma`` pixels, cut off at ``truncate`` sigmas.

    padding: "replicate" repeats the edge, "symmetric" reflects with the edge repeated.
    """
    down, across = (_blurring(size, sigma, padding, truncate).to(images.device) for size in images.shape[-2:])
    return down @ images @ across.T


def _blurring(size: int, sigma: float, padding: str, truncate: float) -> Float[Tensor, "size size"]:
    """The blur of one axis as a matrix: cheap for any width, also beyond the image."""
    reach = int(truncate * sigma + 0.5)
    steps = torch.arange(-reach, reach + 1)
    taps = torch.exp(-0.5 * (steps.double() / max(sigma, 1e-12)) ** 2)
    places = torch.arange(size)[:, None] + steps
    if padding == "replicate":
        places = places.clamp(0, size - 1)
    else:
        places = places.remainder(2 * size)
        places = torch.where(places < size, places, 2 * size - 1 - places)
    rows = torch.zeros(size, size, dtype=torch.float64)
    return rows.scatter_add_(1, places, (taps / taps.sum()).expand(size, -1)).float()


def convolved(images: Float[Tensor, "n c h w"], kernel: Float[Tensor, "k k"]) -> Float[Tensor, "n c h w"]:
    """Every channel with one symmetric kernel of odd side; the image is mirrored at its edges."""
    reach = kernel.shape[0] // 2
    planes = functional.pad(images.flatten(0, 1)[:, None], (reach,) * 4, mode="reflect")
    return functional.conv2d(planes, kernel[None, None]).reshape(images.shape)


def disk(radius: float, softness: float, device: torch.device) -> Float[Tensor, "k k"]:
    """A disk of ``radius`` pixels, its edge softened by a Gaussian of ``softness`` pixels; sums to 1."""
    reach = 1 if radius <= 8 else 2
    side = math.floor(radius) + reach
    steps = torch.arange(-side, side + 1, dtype=torch.float32, device=device)
    inside = (steps[:, None] ** 2 + steps**2 <= radius**2).float()
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=device) / softness) ** 2)
    taps = taps / taps.sum()
    padded = functional.pad((inside / inside.sum())[None, None], (reach,) * 4)
    return functional.conv2d(padded, (taps[:, None] * taps)[None, None])[0, 0]


def motion_blurred(
    images: Float[Tensor, "n c h w"], radius: float, sigma: float, degrees: Float[Tensor, " n"]
) -> Float[Tensor, "n c h w"]:
    """Smear each image along its own angle: half a Gaussian of ``sigma`` over 2 ``radius`` + 1 pixels.

    The edge is repeated. Steps are rounded to pixels, as ImageMagick does.
    """
    count = 2 * math.ceil(radius) + 1
    steps = torch.arange(count, dtype=torch.float32)
    taps = torch.exp(-0.5 * (steps / sigma) ** 2)
    taps = taps / taps.sum()
    across = torch.deg2rad(degrees.cpu())[:, None]
    # Half steps round down.
    down, right = (torch.ceil(steps * part - 0.5).int() for part in (torch.sin(across), torch.cos(across)))
    height, width = images.shape[-2:]
    padded = functional.pad(images, (count,) * 4, mode="replicate")
    smeared = torch.zeros_like(images)
    for number, image in enumerate(padded):
        for tap, dy, dx in zip(taps.tolist(), down[number].tolist(), right[number].tolist(), strict=True):
            top, left = count + dy, count + dx
            smeared[number] += tap * image[:, top : top + height, left : left + width]
    return smeared


def zoomed(images: Float[Tensor, "n c h w"], factor: float) -> Float[Tensor, "n c h w"]:
    """The middle of each image, enlarged ``factor`` times by linear interpolation to the same size."""
    sizes = images.shape[-2:]
    kept = [math.ceil(size / factor) for size in sizes]
    top, left = ((size - keep) // 2 for size, keep in zip(sizes, kept, strict=True))
    middle = images[..., top : top + kept[0], left : left + kept[1]]
    enlarged = [max(round(keep * factor), size) for keep, size in zip(kept, sizes, strict=True)]
    large = functional.interpolate(middle, size=enlarged, mode="bilinear", align_corners=True)
    top, left = ((each - size) // 2 for each, size in zip(enlarged, sizes, strict=True))
    return large[..., top : top + sizes[0], left : left + sizes[1]]
