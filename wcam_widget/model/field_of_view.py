"""Where the network's input lies over the image, and maps over the one laid over the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Size = tuple[int, int]

EXACT = 0.02  # pixels within which a line is taken for that of no change at all


@final
@dataclass(frozen=True)
class Line:
    """Along one axis, where the input lies over the image: edge ``i`` of the input at ``start + step * i``.

    ``inner`` pixels of the network's input, ``outer`` of the image. A negative ``step`` is a flip.

    >>> Line(start=8.0, step=0.5, inner=4, outer=16).weights(2).sum(1).tolist()[7:11]
    [0.0, 1.0, 1.0, 0.0]
    """

    start: float
    step: float
    inner: int
    outer: int

    @property
    def is_all(self) -> bool:
        """Whether the input shows all of the image and nothing else."""
        ends = sorted((self.start, self.start + self.step * self.inner))
        return abs(ends[0]) < EXACT and abs(ends[1] - self.outer) < EXACT and self.step > 0

    def for_side(self, outer: int) -> Line:
        """The same over an image that is resized to ``outer`` pixels."""
        scale = outer / self.outer
        return replace(self, start=self.start * scale, step=self.step * scale, outer=outer)

    def inside(self) -> Bool[Tensor, " outer"]:
        """Which pixels of the image the network sees."""
        places = self._places()
        return (places > 0) & (places < self.inner)

    def positions(self, cells: int) -> Float[Tensor, " cells"]:
        """The places in the image of the centres of ``cells`` equal parts of the input."""
        return self.start + self.step * (torch.arange(cells) + 0.5) * (self.inner / cells)

    def weights(self, cells: int) -> Float[Tensor, "outer cells"]:
        """What each of ``cells`` equal parts of the input gives to each pixel of the image.

        Linear between their centres, averaged where a pixel holds several, 0 where the network does not look.
        """
        fine = cells / self.inner
        centres = (self._places() * fine - 0.5).clamp(0, cells - 1)
        reach = max(1.0, fine / abs(self.step))
        near = (1 - (centres[:, None] - torch.arange(cells)).abs() / reach).clamp(min=0)
        return near / near.sum(1, keepdim=True) * self.inside()[:, None]

    def _places(self) -> Float[Tensor, " outer"]:
        """The centres of the image's pixels, in pixels of the input."""
        return (torch.arange(self.outer) + 0.5 - self.start) / self.step


@final
@dataclass(frozen=True)
class FieldOfView:
    """How the network's input lies over the image.

    ``turned``: rows of the input are columns of the image.

    >>> view = FieldOfView(Line(2.0, 1.0, 4, 8), Line(0.0, 1.0, 8, 8))
    >>> view.over(torch.ones(1, 2, 4))[0, :, 0].tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """

    rows: Line
    columns: Line
    turned: bool = False

    @classmethod
    def full(cls, size: Size) -> FieldOfView:
        """The network sees the image as it is."""
        return cls(Line(0.0, 1.0, size[0], size[0]), Line(0.0, 1.0, size[1], size[1]))

    @property
    def size(self) -> Size:
        """Height and width of the image."""
        return self.rows.outer, self.columns.outer

    @property
    def input_size(self) -> Size:
        """Height and width of the network's input."""
        down, along = self.rows.inner, self.columns.inner
        return (along, down) if self.turned else (down, along)

    @property
    def is_all(self) -> bool:
        """Whether the input shows all of the image, upright and nothing else, at whatever resolution."""
        return self.rows.is_all and self.columns.is_all and not self.turned

    @cached_property
    def seen(self) -> Bool[Tensor, "h w"]:
        """Which pixels of the image the network sees."""
        return self.rows.inside()[:, None] & self.columns.inside()

    def over(self, maps: Float[Tensor, "n _ _"]) -> Float[Tensor, "n h w"]:
        """Maps over the network's input, laid over the image: bilinear, and 0 where the network is blind."""
        if self.is_all:
            stretched = torch.nn.functional.interpolate(
                maps[:, None], self.size, mode="bilinear", align_corners=False
            )
            return stretched[:, 0]
        upright = maps.transpose(1, 2) if self.turned else maps
        down, along = (
            line.weights(cells).to(maps)
            for line, cells in zip((self.rows, self.columns), upright.shape[1:], strict=True)
        )
        return down @ upright @ along.T

    def for_size(self, size: Size) -> FieldOfView:
        """The same for the image at another size, of which this is a resized copy."""
        rows, columns = (
            line.for_side(side) for line, side in zip((self.rows, self.columns), size, strict=True)
        )
        return FieldOfView(rows, columns, self.turned)
