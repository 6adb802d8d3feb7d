"""Zoomed views of a photograph, with two controls: the background removed, and the object enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    BoxLike: TypeAlias = tuple[float, float, float, float] | None
else:
    BoxLike = Any  # whole numbers will do

FRAME = 7 / 8  # of the shorter side, as photographs of ImageNet are usually cropped: 224 of 256


class Region(NamedTuple):
    """A square of a photograph, in its pixels."""

    top: int
    left: int
    side: int

    def of(self, photo: Float[Tensor, "c h w"]) -> Float[Tensor, "c s s"]:
        """What a photograph shows there."""
        return photo[:, self.top : self.top + self.side, self.left : self.left + self.side]


@final
@dataclass(frozen=True, eq=False)
class Zoomed:
    """One photograph at one factor, as a network takes it, (C, n, n) in [0, 1] each.

    Attributes:
        factor: How many times larger things are than in ``original``.
        original: The frame at factor 1.
        cropped: ``original`` with its mean colour outside what ``zoomed`` shows: the background is gone, the
            object as large and as sharp as before.
        enlarged: What ``zoomed`` shows, enlarged from ``original``: no detail that was not there before.
        zoomed: The photograph itself, closer: as sharp as it is.
        resolution: Pixels of the photograph for each pixel of ``zoomed``; below 1 there is no detail to fill
            the finest scales.
    """

    factor: float
    original: Float[Tensor, "c n n"]
    cropped: Float[Tensor, "c n n"]
    enlarged: Float[Tensor, "c n n"]
    zoomed: Float[Tensor, "c n n"]
    resolution: float


def zoom_views(
    photo: Float[Tensor, "c h w"],
    size: int,
    factor: float,
    box: BoxLike = None,
) -> Zoomed:
    """A photograph at a factor, around an object, beside its two controls.

    The frame at factor 1 is a square of 7/8 of the shorter side, its centre as near to that of the box as the
    photograph allows. Views are resampled by bicubic interpolation, without aliasing.

    Args:
        photo: (C, H, W) in [0, 1], larger than ``size`` where zooming is to show finer detail.
        size: n, pixels along each side of a view, at least 1.
        factor: At least 1.
        box: The object: top, left, bottom, right in pixels of the photograph; None for the middle.

    Raises:
        ValueError: Naming ``factors`` below 1, or a ``box`` outside the photograph or larger than the view.

    >>> import torch
    >>> views = zoom_views(torch.rand(3, 64, 80), 28, 2.0)
    >>> views.zoomed.shape, views.resolution
    (torch.Size([3, 28, 28]), 1.0)
    """
    if not factor >= 1:
        raise ValueError(f"factors: found {factor}; accepted are numbers of at least 1")
    height, width = photo.shape[1:]
    middle = _middle(box, height, width)
    side = round(FRAME * min(height, width))
    frame = _placed(middle, side, Region(0, 0, 0), (height, width))
    near = _placed(middle, max(1, round(side / factor)), frame, (side, side))
    if box is not None and near.side < max(box[2] - box[0], box[3] - box[1]):
        longest = max(box[2] - box[0], box[3] - box[1])
        raise ValueError(
            f"box: found {longest:g} pixels along its longer side; factor {factor:g} shows {near.side} alone"
        )
    original = resized(frame.of(photo), size)
    inner = Region(
        round((near.top - frame.top) * size / side),
        round((near.left - frame.left) * size / side),
        max(1, round(near.side * size / side)),
    )
    cropped = original.mean((1, 2), keepdim=True).expand_as(original).clone()
    inner.of(cropped).copy_(inner.of(original))
    return Zoomed(
        factor=factor,
        original=original,
        cropped=cropped,
        enlarged=resized(inner.of(original), size),
        zoomed=resized(near.of(photo), size),
        resolution=near.side / size,
    )


def resized(image: Float[Tensor, "c h w"], size: int) -> Float[Tensor, "c n n"]:
    """An image at another size, bicubic, without aliasing, in [0, 1]."""
    if image.shape[1:] == (size, size):
        return image.clone()
    made = functional.interpolate(
        image[None], (size, size), mode="bicubic", antialias=True, align_corners=False
    )
    return made[0].clamp(0.0, 1.0)


def _middle(box: BoxLike, height: int, width: int) -> tuple[float, float]:
    if box is None:
        return height / 2, width / 2
    sides: Sequence[float] = box
    top, left, bottom, right = sides if len(sides) == 4 else (-1, -1, -1, -1)
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(
            f"box: found {tuple(box)}; accepted are top, left, bottom, right inside {height} x {width} pixels"
        )
    return (top + bottom) / 2, (left + right) / 2


def _placed(middle: tuple[float, float], side: int, start: Region, room: tuple[int, int]) -> Region:
    """The square of a side whose centre is as near to ``middle`` as the room from ``start`` on allows."""
    corner = [
        min(max(round(centre - side / 2), first), first + length - side)
        for centre, first, length in zip(middle, start[:2], room, strict=True)
    ]
    return Region(corner[0], corner[1], side)
