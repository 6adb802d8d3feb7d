"""Maps carried over from the cells they were made on to others, or from the image to cells."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wcam_widget.basis import AbstractBasis, Cells, PixelBasis
from wcam_widget.basis.bands import overlap
from wcam_widget.evaluate.rankings import Values
from wcam_widget.explain.attribution import Attribution

Map = Float[np.ndarray, "h w"]


def carried(given: Attribution | Map, basis: AbstractBasis, cells: Cells) -> Values:
    """The values a map gives to the cells of a domain.

    An attribution keeps its own values on its own cells. Where both sides have the same bands, each band's
    values are spread over their supports and added up over the new cells, so that sums stay what they were.
    Anything else goes through the image: values are spread over their supports (``Cells.spatial``), and a
    cell gets the density of that map over its support, its mean and not its sum, so that no cell gains by
    being large. Such a map knows no scale: cells over one place are equal, and go from coarse to fine.
    """
    if not isinstance(given, Attribution):
        return over_support(given, cells, density=True)
    if given.basis.settings() == basis.settings() and np.array_equal(
        given.cells.rectangles, cells.rectangles
    ):
        return given.values
    names = [band.name for band in given.cells.bands]
    if isinstance(basis, PixelBasis) or names != [band.name for band in cells.bands]:
        return over_support(given.spatial(), cells, density=True)
    values = np.zeros(len(cells))
    for band in range(len(names)):
        inside = cells.groups == band
        heat = given.cells.spatial(np.where(given.cells.groups == band, given.values, 0.0))
        values[inside] = over_support(heat, cells, density=False)[inside]
    return values


def over_support(heat: Map, cells: Cells, *, density: bool) -> Values:
    """The mean (``density``) or sum of a map (H, W) over each cell's support; pixels count by their share."""
    top, left, bottom, right = cells.support.T
    # Cells side by side share their rows and their columns: each is laid over the image once.
    rows, row = np.unique(top + 1j * bottom, return_inverse=True)
    columns, column = np.unique(left + 1j * right, return_inverse=True)
    vertical = overlap(rows.real, rows.imag, heat.shape[0])
    horizontal = overlap(columns.real, columns.imag, heat.shape[1])
    sums = (vertical @ heat @ horizontal.T)[row, column]
    return np.asarray(sums / ((bottom - top) * (right - left)) if density else sums)
