"""What cameras, editors and files do: contrast, colour, compression, coarse pixels, warping."""

from __future__ import annotations

import io

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional

from wcam_widget.stress.corruptions import filters
from wcam_widget.stress.corruptions.draws import Draws

_CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)
_BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to the value of HSV
_SATURATE = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))  # factor, and what is added
_JPEG = (25, 18, 15, 10, 7)  # quality
_PIXELATE = (0.6, 0.5, 0.4, 0.3, 0.25)  # of the side
# Strength and smoothness of the displacement, and reach of the affine map, in units of 244/224 of the
# shorter side: the published code multiplies by 244 for images of 224.
_ELASTIC = ((2.0, 0.7, 0.1), (2.0, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02))
_ELASTIC_SIDE = 244.0


def contrast(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """Closer to the mean of each channel."""
    mean = images.mean((2, 3), keepdim=True)
    return mean + _CONTRAST[severity - 1] * (images - mean)


def brightness(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """A higher value in HSV, which is the largest channel: all channels grow by one factor."""
    value = images.amax(1, keepdim=True)
    brighter = (value + _BRIGHTNESS[severity - 1]).clamp(max=1.0)
    return torch.where(value > 0, images * brighter / value.clamp(min=1e-12), brighter)


def saturate(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """Another saturation in HSV, 1 - smallest / largest channel; one channel has none.

    What is added makes grey pixels of three channels red, whose hue is 0.
    """
    factor, added = _SATURATE[severity - 1]
    value = images.amax(1, keepdim=True)
    below = value - images
    spread = below.amax(1, keepdim=True)
    before = spread / value.clamp(min=1e-12)
    after = (before * factor + added).clamp(max=1.0)
    hue = below / spread.clamp(min=1e-12)  # 0 in the largest channel, 1 in the smallest
    if images.shape[1] == 3:
        red = torch.tensor([0.0, 1.0, 1.0], device=images.device).reshape(1, 3, 1, 1)
        hue = torch.where(spread > 0, hue, red)
    return value * (1.0 - after * hue)


def jpeg_compression(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """Through a JPEG of Pillow, on the CPU; other numbers of channels than 3 one by one, as grey."""
    pixels = (images * 255.0).round().clamp(0, 255).byte().cpu()
    colour = images.shape[1] == 3
    planes = pixels.permute(0, 2, 3, 1) if colour else pixels.flatten(0, 1)
    quality = _JPEG[severity - 1]
    read = torch.from_numpy(np.stack([_through_jpeg(each, quality) for each in planes.numpy()]))
    back = read.permute(0, 3, 1, 2) if colour else read.reshape(images.shape)
    return (back.float() / 255.0).to(images.device)


def _through_jpeg(pixels: UInt8[np.ndarray, "h w *c"], quality: int) -> UInt8[np.ndarray, "h w *c"]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.array(image)


def pixelate(
    images: Float[Tensor, "n c h w"],
    severity: int,
    draws: Draws,  # noqa: ARG001 one form for all
) -> Float[Tensor, "n c h w"]:
    """Fewer pixels, and back to the size before, both with a box filter."""
    down, across = (_coarse(size, _PIXELATE[severity - 1], images.device) for size in images.shape[-2:])
    return down @ images @ across.T


def _coarse(size: int, share: float, device: torch.device) -> Float[Tensor, "size size"]:
    few = max(1, int(size * share))
    return (_box(few, size) @ _box(size, few)).to(device)


def _box(before: int, after: int) -> Float[Tensor, "after before"]:
    """The means of pixels whose centres lie in each new pixel; the nearest one where pixels get more."""
    ratio = before / after
    centres = (torch.arange(after, dtype=torch.float64)[:, None] + 0.5) * ratio
    away = (torch.arange(before, dtype=torch.float64) + 0.5 - centres) / max(1.0, ratio)
    inside = ((away > -0.5) & (away <= 0.5)).double()
    return (inside / inside.sum(1, keepdim=True)).float()


def elastic_transform(
    images: Float[Tensor, "n c h w"], severity: int, draws: Draws
) -> Float[Tensor, "n c h w"]:
    """A random affine map, then smooth random displacements; the image is mirrored at its edges."""
    unit = _ELASTIC_SIDE * filters.relative_scale(images)
    strength, smoothness, reach = (unit * each for each in _ELASTIC[severity - 1])
    height, width = images.shape[-2:]
    straight = functional.grid_sample(
        images,
        _affine_grid(draws.uniform(-reach, reach, 3, 2), height, width),
        mode="bilinear",
        padding_mode="reflection",
        align_corners=True,
    )
    noise = draws.uniform(-1.0, 1.0, 2, height, width)
    moves = strength * filters.gaussian_blur(noise, smoothness, "symmetric", truncate=3.0)
    rows, columns = _pixels(height, width, images.device)
    places = torch.stack([columns + moves[:, 0], rows + moves[:, 1]], -1)
    sizes = torch.tensor([width, height], device=images.device)
    # -1 and 1 are the outer edges of the outer pixels here, about which the image is mirrored.
    grid = (2.0 * places + 1.0) / sizes - 1.0
    return functional.grid_sample(
        straight, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _affine_grid(moves: Float[Tensor, "n 3 2"], height: int, width: int) -> Float[Tensor, "n h w 2"]:
    """Where the affine map reads that moves three points, as (x, y) around the middle, by these lengths."""
    side = min(height, width) // 3
    # Half of each side, row before column, stands for (x, y), as published; the same for squares.
    middle = torch.tensor([height // 2, width // 2], dtype=torch.float64)
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]], dtype=torch.float64)
    source = middle + side * corners
    target = source + moves.cpu().double()
    ones = torch.ones(len(moves), 3, 1, dtype=torch.float64)
    inverse = torch.linalg.solve(torch.cat([target, ones], 2), source.expand(len(moves), 3, 2)).float()
    rows, columns = _pixels(height, width, moves.device)
    pixels = torch.stack([columns, rows, torch.ones_like(rows)], -1).reshape(1, -1, 3)
    places = (pixels @ inverse.to(moves.device)).reshape(len(moves), height, width, 2)
    last = torch.tensor([width - 1.0, height - 1.0], device=moves.device)
    grid: Tensor = places * (2.0 / last) - 1.0
    return grid


def _pixels(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    steps = [torch.arange(size, dtype=torch.float32, device=device) for size in (height, width)]
    rows, columns = torch.meshgrid(*steps, indexing="ij")
    return rows, columns
