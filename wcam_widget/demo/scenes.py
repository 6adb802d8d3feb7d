"""The demo's images: a texture cut out as a shape, on smooth noise, and the same made harder."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

TEXTURES = ("brick", "grass", "gravel")
SHAPES = ("disc", "square", "triangle")
CLASS_NAMES = tuple(f"{texture}-{shape}" for texture in TEXTURES for shape in SHAPES)
SIZE = 128
PHOTOGRAPH_SIZE = 360
"""Side of a photograph after resizing: bricks, blades and stones then span about 4 to 20 pixels."""

TRAIN_COLUMNS = (0, 256)
HELD_OUT_COLUMNS = (256, 360)
_RADIUS = (32.0, 42.0)
_TILT = math.radians(20.0)


@dataclass(frozen=True, eq=False)
class Scenes:
    """Images with what was drawn in them.

    images: (n, 3, 128, 128) in [0, 1]. labels: (n,) class ids, texture-major as in `CLASS_NAMES`.
    """

    images: Float[Tensor, "n 3 h w"]
    labels: Int[Tensor, " n"]


def flatten_photograph(photograph: Float[Tensor, "h w"]) -> Float[Tensor, "s s"]:
    """Resize a grey photograph and give it the mean .5 and the spread .17, so that only structure tells.

    >>> flat = flatten_photograph(torch.rand(512, 512))
    >>> flat.shape, round(float(flat.std()), 2)
    (torch.Size([360, 360]), 0.17)
    """
    resized = functional.interpolate(
        photograph[None, None], size=(PHOTOGRAPH_SIZE, PHOTOGRAPH_SIZE), mode="bilinear", antialias=True
    )[0, 0]
    return (resized - resized.mean()) / resized.std() * 0.17 + 0.5


def draw_scenes(
    photographs: Float[Tensor, "3 s s"],
    labels: Int[Tensor, " n"],
    columns: tuple[int, int],
    generator: torch.Generator,
) -> Scenes:
    """Draw one image for each label, textures cut from the given columns of the photographs.

    photographs: flattened, in the order of `TEXTURES`. columns: first and one past the last column that may
    be cut from; training and held-out images use disjoint ones. Place, size, tilt, crop, brightness and tint
    come from `generator`.

    >>> drawn = draw_scenes(torch.rand(3, 360, 360), torch.tensor([0, 8]), TRAIN_COLUMNS, torch.Generator())
    >>> drawn.images.shape
    torch.Size([2, 3, 128, 128])
    """
    count = len(labels)
    inside = _shape_masks(labels % 3, generator)
    texture = _tinted(_texture_crops(photographs, labels // 3, columns, generator), generator)
    background = _tinted(_smooth_noise(count, generator), generator)
    return Scenes((background + inside * (texture - background)).clamp(0.0, 1.0), labels)


def add_noise(
    images: Float[Tensor, "n c h w"], sigma: float | Float[Tensor, " n"], generator: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """Add Gaussian noise of standard deviation `sigma` (one, or one per image) and clip to [0, 1].

    >>> images = torch.full((1, 3, 32, 32), 0.5)
    >>> round(float(add_noise(images, 0.1, torch.Generator().manual_seed(0)).std()), 1)
    0.1
    """
    spread = torch.as_tensor(sigma).reshape(-1, 1, 1, 1)
    return (images + spread * torch.randn(images.shape, generator=generator)).clamp(0.0, 1.0)


def blur(images: Float[Tensor, "n c h w"], sigma: float) -> Float[Tensor, "n c h w"]:
    """Blur with a Gaussian of standard deviation `sigma` in pixels, edges reflected.

    >>> torch.allclose(blur(torch.ones(1, 1, 16, 16), 2.0), torch.ones(1, 1, 16, 16))
    True
    """
    reach = math.ceil(3.0 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (weights / weights.sum()).expand(images.shape[1], 1, 1, -1)
    padded = functional.pad(images, (reach, reach, reach, reach), mode="reflect")
    rows = functional.conv2d(padded, kernel, groups=images.shape[1])
    return functional.conv2d(rows, kernel.transpose(2, 3), groups=images.shape[1])


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _shape_masks(shapes: Tensor, generator: torch.Generator) -> Tensor:
    """Coverage of each pixel in [0, 1], (n, 1, 128, 128), with edges one pixel soft; areas are alike."""
    count = len(shapes)
    radius = _uniform(count, *_RADIUS, generator)
    room = SIZE / 2 - 1.12 * radius
    centre = SIZE / 2 + (2 * torch.rand(2, count, generator=generator) - 1) * room
    tilt = _uniform(count, -_TILT, _TILT, generator)
    pixel = torch.arange(SIZE) + 0.5
    y = pixel[None, :, None] - centre[0, :, None, None]
    x = pixel[None, None, :] - centre[1, :, None, None]
    cos, sin = (part[:, None, None] for part in (tilt.cos(), tilt.sin()))
    across, down = cos * x + sin * y, cos * y - sin * x
    radius = radius[:, None, None]
    disc = torch.hypot(across, down) - 0.85 * radius
    square = torch.maximum(across.abs(), down.abs()) - 0.76 * radius
    slanted = math.sqrt(0.75) * across.abs() - 0.5 * down
    triangle = torch.maximum(slanted, down) - 0.55 * radius
    distance = torch.stack((disc, square, triangle)).gather(
        0, shapes[None, :, None, None].expand(1, -1, SIZE, SIZE)
    )
    return (0.5 - distance[0]).clamp(0.0, 1.0)[:, None]


def _texture_crops(
    photographs: Tensor, textures: Tensor, columns: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Crops (n, 1, 128, 128). A crop narrower than the image repeats, mirrored, beyond its own edges."""
    width = columns[1] - columns[0]
    side = min(SIZE, width)
    tops = torch.randint(0, photographs.shape[1] - SIZE + 1, (len(textures),), generator=generator)
    lefts = torch.randint(0, width - side + 1, (len(textures),), generator=generator) + columns[0]
    mirrored = torch.rand(len(textures), generator=generator) < 0.5
    crops = []
    for texture, top, left, flip in zip(textures, tops, lefts, mirrored, strict=True):
        crop = photographs[texture, top : top + SIZE, left : left + side][None]
        crop = functional.pad(crop, (0, SIZE - side), mode="reflect") if side < SIZE else crop
        crops.append(crop.flip(-1) if flip else crop)
    return torch.stack(crops)


def _smooth_noise(count: int, generator: torch.Generator) -> Tensor:
    coarse = 0.5 + 0.14 * torch.randn(count, 1, 7, 7, generator=generator)
    return functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic", align_corners=False)


def _tinted(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Three channels of a grey image, each a little brighter or darker, all a little shifted."""
    tint = 0.06 * torch.randn(len(grey), 3, 1, 1, generator=generator)
    shift = 0.06 * torch.randn(len(grey), 1, 1, 1, generator=generator)
    return grey + tint + shift
