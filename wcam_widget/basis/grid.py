"""A grid of equal parts of the image, laid over the coefficients of a band."""

from __future__ import annotations

import numpy as np

from wcam_widget.basis.bands import AbstractBasis, Band


def most_cells(basis: AbstractBasis) -> int:
    """The largest ``grid`` of ``Cells.regular``: coefficients of the coarsest band along the shorter side.

    Args:
        basis: The basis that is cut into cells.

    Examples:
        >>> from wcam_widget.basis import WaveletBasis
        >>> most_cells(WaveletBasis((28, 40), levels=3))
        3
    """
    return max(1, min(side // band.scale for band in basis.bands for side in basis.size))


def first_coefficients(band: Band, axis: int, side: int, grid: int) -> list[int]:
    """First coefficients, along one axis of a band, of the cells over ``grid`` equal parts of the image."""
    count = (band.height, band.width)[axis]
    centres = band.offset[axis] + band.scale * (np.arange(count) + 0.5)
    # Comparing products keeps the arithmetic exact: all are multiples of one half.
    inside = [int(np.searchsorted(centres * grid, side * part)) for part in range(1, grid)]
    return [0, *inside, count]
