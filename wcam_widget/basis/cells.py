"""Cells: the rectangles of coefficients that share one weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from wcam_widget.basis import tree
from wcam_widget.basis.bands import AbstractBasis, Band, DeviceCopies, overlap
from wcam_widget.basis.cover import counted, same_cover
from wcam_widget.basis.grid import first_coefficients, most_cells

CHUNK = 4096  # cells spread over the image at one time


@dataclass(frozen=True, eq=False)
class Cells:
    """A partition of every band into rectangles; a cell never straddles two bands.

    Args:
        bands: The bands of the picture.
        rectangles: Band index, top, left, height, width of each cell in coefficients of the packed picture,
            (d, 5).
        picture_size: Height and width of the packed picture.
        image_size: Height and width of the image in pixels.

    Raises:
        ValueError: When a rectangle leaves its band or when cells leave out or share a coefficient.

    Examples:
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
        outside = (corner < home[:, :2]) | (side > home[:, :2] + home[:, 2:] - corner) | (side < 1)
        if outside.any():
            raise ValueError(f"cell {int(outside.any(1).argmax())} is empty or leaves its band")
        if not same_cover(self.rectangles[:, 1:], table):
            raise ValueError("cells must hold every coefficient of every band exactly once")

    @classmethod
    def regular(cls, basis: AbstractBasis, grid: int) -> Cells:
        """``grid`` x ``grid`` cells in every band: the same part of the image at every scale.

        A coefficient belongs to the cell its tile's centre lies over; those beyond the border, which longer
        wavelets have, to the cell at the border.

        Args:
            basis: The basis whose coefficients are partitioned.
            grid: Cells along each side, 1 or more.

        Returns:
            ``grid`` squared cells for each band.

        Raises:
            ValueError: Naming ``grid`` when it is not a positive integer or cells would be smaller than the
                tiles of the coarsest band.
        """
        most = most_cells(basis)
        if grid != 1 and max(band.scale for band in basis.bands) >= max(basis.size):
            raise ValueError(
                f"grid={grid!r} cells per side do not fit: a coefficient of this basis acts on all of "
                "the image, so only grid=1 does, one cell per band"
            )
        if int(grid) != grid or not 1 <= grid <= most:
            fitting = "grid=1 does, one cell per band" if most == 1 else f"1 to {most} cells do"
            raise ValueError(
                f"grid={grid!r} cells per side do not fit: the coarsest band has {most} of its coefficients "
                f"along the shorter side of this image, so {fitting}"
            )
        height, width = basis.size
        cuts = [
            (first_coefficients(band, 0, height, int(grid)), first_coefficients(band, 1, width, int(grid)))
            for band in basis.bands
        ]
        return cls._from_cuts(basis, cuts)

    @classmethod
    def dyadic(cls, basis: AbstractBasis, side: int) -> Cells:
        """Cells of ``side`` x ``side`` coefficients: finer scales have more and smaller cells.

        Args:
            basis: The basis whose coefficients are partitioned.
            side: Coefficients along each side of a cell, 1 or more; 1 makes every coefficient its own cell.

        Returns:
            The cells; the last ones of a band are smaller where ``side`` does not divide it.

        Raises:
            ValueError: Naming ``side`` when it is not a positive integer.
        """
        if int(side) != side or side < 1:
            raise ValueError(f"side={side!r} must be a positive number of coefficients")
        cuts = [
            ([*range(0, band.height, side), band.height], [*range(0, band.width, side), band.width])
            for band in basis.bands
        ]
        return cls._from_cuts(basis, cuts)

    @classmethod
    def whole(cls, basis: AbstractBasis) -> Cells:
        """One cell per band: how much each scale and filter matters, wherever in the image it acts.

        Args:
            basis: The basis whose coefficients are partitioned.

        Returns:
            As many cells as there are bands.

        Examples:
            >>> from wcam_widget.basis import WaveletBasis
            >>> len(Cells.whole(WaveletBasis((32, 32), levels=2)))
            7
        """
        return cls._from_cuts(basis, [([0, band.height], [0, band.width]) for band in basis.bands])

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
        _, top, left, height, width = self.rectangles.T
        cell = np.repeat(np.arange(len(self)), height)  # of every row of every cell
        row = top[cell] + counted(height)
        place = np.repeat(np.arange(len(cell)), width[cell])
        column = left[cell][place] + counted(width[cell])
        owner[row[place], column] = cell[place]
        return torch.from_numpy(owner)

    @cached_property
    def _places(self) -> DeviceCopies:
        return DeviceCopies(self.index.flatten())

    def tree(self) -> tuple[Int[np.ndarray, " m"], tuple[Int[np.ndarray, " _"], ...]]:
        """Sets of cells from coarse to fine: the parent of each node, and the cells under each node.

        Node 0 holds all cells and has parent -1. Below it stand the approximation and the levels, then bands,
        then quarters of a band by the place of its cells, down to single cells; a parent comes before its
        children and never equals one.

        >>> from wcam_widget.basis import WaveletBasis
        >>> parents, members = Cells.regular(WaveletBasis((16, 16), levels=1), grid=2).tree()
        >>> parents[:4].tolist(), [len(node) for node in members[:4]]
        ([-1, 0, 0, 2], [16, 4, 12, 4])
        """
        return tree.grow(self.bands, self.rectangles)

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
        offset = np.array([band.offset for band in self.bands], float)[self.groups]
        origin = np.array([(band.top, band.left) for band in self.bands])[self.groups]
        start = self.rectangles[:, 1:3] - origin
        stop = start + self.rectangles[:, 3:5]
        limit = np.array(self.image_size, float)
        # Cells of coefficients beyond the border stand for the outermost tile: that is where they act.
        tile = np.minimum(scale[:, None], limit)
        low = np.clip(start * scale[:, None] + offset, 0.0, limit - tile)
        high = np.clip(stop * scale[:, None] + offset, low + tile, limit)
        return np.concatenate([low, high], axis=1)

    def paint(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n 1 hp wp"]:
        """Masks of the packed picture, each cell filled with its weight. Differentiable.

        Args:
            weights: (n, d), a weight for each cell.

        Returns:
            (n, H', W'); 1 in the gaps.
        """
        if weights.ndim != 2 or weights.shape[1] != len(self):
            raise ValueError(f"weights must have shape (rows, {len(self)}); found {tuple(weights.shape)}")
        padded = torch.cat([weights, weights.new_ones(len(weights), 1)], dim=1)
        return padded.index_select(1, self._places.on(weights.device)).view(
            len(weights), 1, *self.picture_size
        )

    def packed(self, values: Float[np.ndarray, " d"]) -> Float[np.ndarray, "hp wp"]:
        """The packed picture with each cell filled with its value.

        Args:
            values: (d,), one for each cell.

        Returns:
            (H', W'); 0 in the gaps.
        """
        self._ensure_values(values)
        return np.asarray(np.append(values, 0.0)[self.index.numpy()])

    def spatial(self, values: Float[np.ndarray, " d"]) -> Float[np.ndarray, "h w"]:
        """A heatmap in image pixels: each cell spreads its value evenly over its support.

        Args:
            values: (d,), one for each cell.

        Returns:
            (H, W), whose sum is that of ``values``.
        """
        self._ensure_values(values)
        heat = np.zeros(self.image_size)
        area = (self.support[:, 2:] - self.support[:, :2]).prod(1)
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            top, left, bottom, right = self.support[part].T
            # Cells side by side share their rows and their columns: each is laid over the image once.
            rows, row = np.unique(top + 1j * bottom, return_inverse=True)
            columns, column = np.unique(left + 1j * right, return_inverse=True)
            density = np.zeros((len(rows), len(columns)))
            np.add.at(density, (row, column), np.asarray(values, float)[part] / area[part])
            high, wide = _span(rows), _span(columns)
            vertical = overlap(rows.real - high.start, rows.imag - high.start, high.stop - high.start)
            horizontal = overlap(columns.real - wide.start, columns.imag - wide.start, wide.stop - wide.start)
            heat[high, wide] += np.linalg.multi_dot([vertical.T, density, horizontal])
        return heat

    def in_band(self, name: str) -> Int[np.ndarray, " k"]:
        """The cells of one band, row by row.

        Args:
            name: As "HL2" or "A3".

        Returns:
            Cell numbers.

        Raises:
            KeyError: With the bands there are.
        """
        names = [band.name for band in self.bands]
        if name not in names:
            raise KeyError(f"no band {name!r}; the bands are {', '.join(names)}")
        return np.flatnonzero(self.groups == names.index(name))

    def at(self, row: float, column: float) -> Int[np.ndarray, " k"]:
        """The cells whose support holds a point of the image, one or more of every band.

        Args:
            row: From 0 at the top.
            column: From 0 at the left.

        Returns:
            Cell numbers, sorted.
        """
        top, left, bottom, right = self.support.T
        return np.flatnonzero((top <= row) & (row < bottom) & (left <= column) & (column < right))

    def _ensure_values(self, values: np.ndarray) -> None:
        if np.shape(values) != (len(self),):
            raise ValueError(
                f"values must have one number per cell, {len(self)}; found shape {np.shape(values)}"
            )


def _span(edges: Complex[np.ndarray, " n"]) -> slice:
    """The pixels that stretches from real to imaginary part touch."""
    return slice(int(np.floor(edges.real.min())), int(np.ceil(edges.imag.max())))
