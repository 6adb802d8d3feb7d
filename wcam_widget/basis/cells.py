"""Cells: the rectangles of coefficients that share one weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis.bands import AbstractBasis, Band, overlap

CHUNK = 2048  # cells whose support is held as dense rows and columns at one time


@dataclass(frozen=True, eq=False)
class Cells:
    """A partition of every band into rectangles; a cell never straddles two bands.

    ``rectangles`` (d, 5) holds band index, top, left, height, width in coefficients of the packed picture.
    Raises ValueError when a rectangle leaves its band or when cells leave out or share a coefficient.

    >>> from wcam_widget.basis import WaveletBasis
    >>> cells = Cells.regular(WaveletBasis((64, 64), levels=2), grid=4)
    >>> len(cells), len(cells.in_band("HL1"))
    (112, 16)
    """

    bands: tuple[Band, ...]
    rectangles: Int[np.ndarray, "d 5"]
    picture_size: tuple[int, int]
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        table = np.array([band.rectangle for band in self.bands])
        if self.rectangles.size and not 0 <= self.rectangles[:, 0].min() <= self.rectangles[:, 0].max() < len(
            table
        ):
            raise ValueError(f"rectangles name bands outside 0 to {len(table) - 1}")
        home = table[self.rectangles[:, 0]]
        corner, side = self.rectangles[:, 1:3], self.rectangles[:, 3:5]
        outside = (corner < home[:, :2]) | (corner + side > home[:, :2] + home[:, 2:]) | (side < 1)
        if outside.any():
            raise ValueError(f"cell {int(outside.any(1).argmax())} is empty or leaves its band")
        if int(side.prod(1).sum()) != int(table[:, 2:].prod(1).sum()) or self._overlapping():
            raise ValueError("cells must hold every coefficient of every band exactly once")

    @classmethod
    def regular(cls, basis: AbstractBasis, grid: int) -> Cells:
        """``grid`` x ``grid`` cells in every band: the same part of the image at every scale.

        A coefficient belongs to the cell its tile's centre lies over; those beyond the border, which longer
        wavelets have, to the cell at the border. Raises ValueError when ``grid`` is not a positive integer or
        cells would be smaller than the tiles of the coarsest band.
        """
        most = min(side // band.scale for band in basis.bands for side in basis.size)
        if int(grid) != grid or not 1 <= grid <= most:
            raise ValueError(
                f"grid={grid!r} cells per side do not fit: over this image the coarsest band has {most} "
                f"coefficients per side, so 1 to {most} cells do"
            )
        height, width = basis.size
        cuts = [
            (_lines(band, band.height, height, int(grid)), _lines(band, band.width, width, int(grid)))
            for band in basis.bands
        ]
        return cls._from_cuts(basis, cuts)

    @classmethod
    def dyadic(cls, basis: AbstractBasis, side: int) -> Cells:
        """Cells of ``side`` x ``side`` coefficients: finer scales have more and smaller cells.

        The last cells of a band are smaller where ``side`` does not divide it; ``side=1`` makes every
        coefficient its own cell. Raises ValueError when ``side`` is not a positive integer.
        """
        if int(side) != side or side < 1:
            raise ValueError(f"side={side!r} must be a positive number of coefficients")
        cuts = [
            ([*range(0, band.height, side), band.height], [*range(0, band.width, side), band.width])
            for band in basis.bands
        ]
        return cls._from_cuts(basis, cuts)

    @classmethod
    def _from_cuts(cls, basis: AbstractBasis, cuts: Sequence[tuple[list[int], list[int]]]) -> Cells:
        parts = []
        for number, (band, (rows, columns)) in enumerate(zip(basis.bands, cuts, strict=True)):
            top, left = np.meshgrid(rows[:-1], columns[:-1], indexing="ij")
            height, width = np.meshgrid(np.diff(rows), np.diff(columns), indexing="ij")
            parts.append(
                np.stack([np.full_like(top, number), top + band.top, left + band.left, height, width], -1)
            )
        rectangles = np.concatenate([part.reshape(-1, 5) for part in parts])
        return cls(tuple(basis.bands), rectangles, basis.picture_size, basis.size)

    def __len__(self) -> int:
        return len(self.rectangles)

    @cached_property
    def index(self) -> Int[Tensor, "hp wp"]:
        """The cell of every coefficient; ``len(self)`` in the gaps of the picture."""
        owner = np.full(self.picture_size, len(self), dtype=np.int64)
        for cell, (_, top, left, height, width) in enumerate(self.rectangles.tolist()):
            owner[top : top + height, left : left + width] = cell
        return torch.from_numpy(owner)

    def _overlapping(self) -> bool:
        covered = self.index < len(self)
        return int(covered.sum()) != int(self.rectangles[:, 3:5].prod(1).sum())

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The band of each cell."""
        return np.asarray(self.rectangles[:, 0])

    @cached_property
    def support(self) -> Float[np.ndarray, "d 4"]:
        """Top, left, bottom, right of each cell in image pixels, clipped to the image, never empty.

        This is the cell's own tile: longer wavelets reach a little beyond it.
        """
        scale = np.array([band.scale for band in self.bands], float)[self.groups]
        offset = np.array([band.offset for band in self.bands])[self.groups]
        origin = np.array([(band.top, band.left) for band in self.bands])[self.groups]
        start = self.rectangles[:, 1:3] - origin
        stop = start + self.rectangles[:, 3:5]
        limit = np.array(self.image_size, float)
        # Cells of coefficients beyond the border stand for the outermost tile: that is where they act.
        tile = np.minimum(scale[:, None], limit)
        low = np.clip(start * scale[:, None] + offset[:, None], 0.0, limit - tile)
        high = np.clip(stop * scale[:, None] + offset[:, None], low + tile, limit)
        return np.concatenate([low, high], axis=1)

    def paint(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n 1 hp wp"]:
        """Masks of the packed picture, each cell filled with its weight; 1 in the gaps. Differentiable."""
        if weights.ndim != 2 or weights.shape[1] != len(self):
            raise ValueError(f"weights must have shape (rows, {len(self)}); found {tuple(weights.shape)}")
        padded = torch.cat([weights, weights.new_ones(len(weights), 1)], dim=1)
        index = self.index.to(weights.device).flatten()
        return padded.index_select(1, index).view(len(weights), 1, *self.picture_size)

    def packed(self, values: Float[np.ndarray, " d"]) -> Float[np.ndarray, "hp wp"]:
        """The packed picture with each cell filled with its value; 0 in the gaps."""
        self._ensure_values(values)
        return np.asarray(np.append(values, 0.0)[self.index.numpy()])

    def spatial(self, values: Float[np.ndarray, " d"]) -> Float[np.ndarray, "h w"]:
        """A heatmap in image pixels: each cell spreads its value evenly over its support; the sum is kept."""
        self._ensure_values(values)
        heat = np.zeros(self.image_size)
        area = (self.support[:, 2:] - self.support[:, :2]).prod(1)
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            top, left, bottom, right = self.support[part].T
            density = (np.asarray(values, float)[part] / area[part])[:, None]
            rows = overlap(top, bottom, self.image_size[0]) * density
            heat += rows.T @ overlap(left, right, self.image_size[1])
        return heat

    def in_band(self, name: str) -> Int[np.ndarray, " k"]:
        """The cells of one band, row by row; KeyError lists the bands there are."""
        names = [band.name for band in self.bands]
        if name not in names:
            raise KeyError(f"no band {name!r}; the bands are {', '.join(names)}")
        return np.flatnonzero(self.groups == names.index(name))

    def at(self, row: float, column: float) -> Int[np.ndarray, " k"]:
        """The cells whose support holds the image point (row, column), one or more of every band."""
        top, left, bottom, right = self.support.T
        return np.flatnonzero((top <= row) & (row < bottom) & (left <= column) & (column < right))

    def _ensure_values(self, values: np.ndarray) -> None:
        if np.shape(values) != (len(self),):
            raise ValueError(
                f"values must have one number per cell, {len(self)}; found shape {np.shape(values)}"
            )


def _lines(band: Band, count: int, side: int, grid: int) -> list[int]:
    """First coefficients, along one axis of a band, of the cells over ``grid`` equal parts of the image."""
    centres = band.offset + band.scale * (np.arange(count) + 0.5)
    # Comparing products keeps the arithmetic exact: all are multiples of one half.
    inside = [int(np.searchsorted(centres * grid, side * part)) for part in range(1, grid)]
    return [0, *inside, count]
