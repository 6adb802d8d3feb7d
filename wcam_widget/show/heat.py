"""The map over the image, as it is shown: at each pixel the sum of the cells over it."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from wcam_widget.basis import Cells
from wcam_widget.explain import Attribution
from wcam_widget.show.scale import cut_shares


def heat_map(attribution: Attribution) -> Float[np.ndarray, "h w"]:
    """The heat over the image, in the unit of the cells.

    At each pixel it is the sum of the cells over it, where a cell that is larger or smaller than
    ``usual_cell`` counts by its density. Where all have one size it is the plain sum of their values.
    js/src/picture/heat.ts draws the same.
    """
    height, width = usual_cell(attribution.cells)
    return attribution.cells.spatial(cut_shares(attribution.values, attribution.unit)) * height * width


def usual_cell(cells: Cells) -> tuple[float, float]:
    """Height and width in pixels of the cell of median area.

    >>> from wcam_widget.basis import WaveletBasis
    >>> usual_cell(Cells.regular(WaveletBasis((32, 32), levels=2), 4))
    (8.0, 8.0)
    """
    sides = (cells.support[:, 2:] - cells.support[:, :2]).astype(np.float32)
    height, width = sides[np.argsort(sides.prod(1), kind="stable")[len(sides) // 2]]
    return float(height), float(width)


def area_words(cell: tuple[float, float]) -> str:
    """What a number over the image belongs to.

    >>> area_words((28.0, 28.0)), area_words((1.0, 1.0))
    ('per cell of 28 × 28 px', 'per pixel')
    """
    height, width = (math.floor(side + 0.5) for side in cell)
    return "per pixel" if height * width == 1 else f"per cell of {height} × {width} px"
