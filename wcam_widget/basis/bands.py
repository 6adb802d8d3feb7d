"""A basis writes an image as one packed picture and a table of band rectangles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

APPROXIMATION = "A"


@dataclass(frozen=True)
class Band:
    """One rectangle of the packed picture: a level and an orientation.

    Along y coefficient ``k`` stands for the image pixels ``offset[0] + scale * k`` to ``offset[0] + scale *
    (k + 1)`` (pixel edges, so pixel 0 spans 0 to 1), along x likewise with ``offset[1]``.

    Args:
        name: Level and orientation in one word, for a reader.
        level: 1 for the finest scale.
        orientation: The filter: "A" approximation, "LH" high along rows (y), "HL" high along columns (x),
            "HH" both.
        top: First row in the packed picture.
        left: First column in the packed picture.
        height: Rows of coefficients.
        width: Columns of coefficients.
        scale: Side of a coefficient's tile in image pixels; as large as the image where it has no place.
        offset: Where the first tile begins, in image pixels along y and x.
        part: The part of the colour the band holds; empty where bands hold all of it.

    Examples:
        >>> Band("HL1", 1, "HL", top=0, left=4, height=4, width=4, scale=2).rectangle
        (0, 4, 4, 4)
    """

    name: str
    level: int
    orientation: str
    top: int
    left: int
    height: int
    width: int
    scale: int
    offset: tuple[float, float] = (0.0, 0.0)
    part: str = ""

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """Top, left, height and width in the packed picture."""
        return self.top, self.left, self.height, self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of the packed picture."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


class AbstractBasis(ABC):
    """A linear, invertible map between images (..., C, H, W) and packed pictures (..., C, Hp, Wp).

    Laws, which ``tests/contracts/test_bases.py`` holds every basis to:

    1. ``unpack(pack(x)) = x`` to 1e-5 in float32, for every size, channel count and leading axes.
    2. Every coefficient lies in exactly one band and, however bands are cut into ``Cells``, in exactly one
       cell; gaps between bands are 0 and are not read.
    3. Mass is conserved: ``Cells.spatial(values)`` and sums over bands add up to ``values.sum()``.
    4. ``pack`` and ``unpack`` are linear and differentiable; half precision and autocast do not reach them.
    5. A constant image has approximations only.
    6. ``basis_from(settings()) == self``, also through JSON.

    Attributes:
        size: Height and width of the images in pixels.
    """

    size: tuple[int, int]

    @property
    @abstractmethod
    def bands(self) -> tuple[Band, ...]:
        """The bands, coarse to fine; the approximation first. They do not overlap."""

    @property
    @abstractmethod
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the packed picture, which may have gaps between its bands."""

    @abstractmethod
    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        """The coefficients of images whose sides are ``size``; 0 in the gaps.

        Args:
            image: (..., C, H, W), of any floating type.

        Returns:
            (..., C, H', W') in the packed layout, of ``picture_size``.

        Raises:
            ValueError: Naming ``image`` where its sides are not ``size``.
        """

    @abstractmethod
    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """The images with these coefficients: ``unpack(pack(x)) = x``.

        Args:
            picture: (..., C, H', W'), packed; gaps are not read.

        Returns:
            (..., C, H, W).
        """

    @abstractmethod
    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, each only as large as its support.

        Args:
            coefficients: (n, C, h, w), the coefficients of n blocks.
            band: The band they are of.
            corners: (n, 2), the row and column of each block inside its band.

        Returns:
            The patches (n, C, h', w'), and the image row and column of their first pixel, which may lie
            outside the image; all else is exactly 0.
        """

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """The name and parameters from which ``basis_from`` makes the same basis again."""

    @property
    def explorable(self) -> bool:
        """Whether the front end can invert the transform in the page; plots show every basis."""
        return False

    def arranged(self, picture: Float[np.ndarray, "hp wp"]) -> Float[np.ndarray, "h w"]:
        """A packed picture as it is best looked at: most are shown as they are packed.

        Args:
            picture: (H', W'), packed values.

        Returns:
            A picture of the same values, for the eye alone.
        """
        return picture

    def shifted(self, dy: int, dx: int) -> AbstractBasis:
        """The same basis with tiles that begin elsewhere.

        Maps averaged over shifts do not depend on where tiles begin.

        Args:
            dy: Pixels above the image at which tiles begin, 0 or more.
            dx: Pixels to its left, 0 or more.

        Returns:
            A basis of images of the same size.

        Raises:
            ValueError: Where a basis has no tiles.

        References:
            Coifman and Donoho (1995), "Translation-invariant de-noising".
        """
        del dy, dx
        raise ValueError(f"{self!r} has no tiles that could be shifted: only wavelets and packets have")


def as_image_patches(
    basis: AbstractBasis,
    coefficients: Float[Tensor, "n c h w"],
    band: Band,
    corners: Sequence[tuple[int, int]],
) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
    """Patches as large as the image, by the inverse transform: for blocks that reach over all of it."""
    picture = coefficients.new_zeros(*coefficients.shape[:2], *basis.picture_size)
    for place, block, (row, column) in zip(picture, coefficients, corners, strict=True):
        inside = place[(..., *band.slices)][:, row:, column:]
        height, width = min(inside.shape[1], block.shape[1]), min(inside.shape[2], block.shape[2])
        inside[:, :height, :width] = block[:, :height, :width]
    return basis.unpack(picture), [(0, 0)] * len(picture)


def ensure_size(size: Sequence[float | int], argument: str = "size") -> tuple[int, int]:
    """Height and width as two positive integers, or a ValueError naming ``argument``.

    >>> ensure_size([32, 48])
    (32, 48)
    """
    sides = tuple(size)
    if len(sides) != 2 or any(int(side) != side or side < 1 for side in sides):
        raise ValueError(f"{argument} must be (height, width), two positive integers; found {size!r}")
    return int(sides[0]), int(sides[1])


def ensure_sides(image: Tensor, size: tuple[int, int], argument: str) -> None:
    """Raise ValueError unless the last two axes of ``image`` are ``size`` and it has a channel axis."""
    if image.ndim < 3 or tuple(image.shape[-2:]) != size:
        raise ValueError(
            f"{argument} must have shape (…, channels, {size[0]}, {size[1]}); found {tuple(image.shape)}"
        )


def approximations(bands: Sequence[Band]) -> tuple[Band, ...]:
    """The approximations among bands, one for each part of the colour: what a baseline is put into."""
    return tuple(band for band in bands if band.orientation == APPROXIMATION)


def overlap(start: np.ndarray, stop: np.ndarray, length: int) -> np.ndarray:
    """How much of each unit pixel 0 … length-1 lies between ``start`` and ``stop``: shape (d, length)."""
    edges = np.arange(length, dtype=np.float64)
    covered = np.minimum(stop[:, None], edges + 1) - np.maximum(start[:, None], edges)
    return np.asarray(np.clip(covered, 0.0, 1.0))


class DeviceCopies:
    """A constant tensor, brought to each device at most once: copies make the host wait for the device.

    >>> DeviceCopies(torch.arange(3)).on(torch.device("cpu"))
    tensor([0, 1, 2])
    """

    def __init__(self, constant: Tensor) -> None:
        self._copies = {constant.device: constant}
        self._constant = constant

    def on(self, device: torch.device) -> Tensor:
        """The tensor on ``device``."""
        if device not in self._copies:
            self._copies[device] = self._constant.to(device)
        return self._copies[device]


def as_float32(image: Tensor) -> Tensor:
    """Basis arithmetic is float32 at least: half precision would lose 4e-2 of the picture silently."""
    return image if image.dtype in (torch.float32, torch.float64) else image.to(torch.float32)
