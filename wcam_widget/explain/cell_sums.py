"""Estimates whose values add up: of numbers that coefficients have, summed over cells and over bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis import Cells
from wcam_widget.sensitivity import Estimate, GroupEstimate
from wcam_widget.sensitivity.statistics.jackknife import Replicated

STATISTIC = "sum of the band's cells"


def summed(numbers: Float[Tensor, "c hp wp"], cells: Cells) -> Float[np.ndarray, " d"]:
    """Sums over the channels and coefficients of each cell.

    >>> import torch
    >>> from wcam_widget.basis import PixelBasis
    >>> summed(torch.ones(3, 2, 4), Cells.dyadic(PixelBasis((2, 4)), 2)).tolist()
    [12.0, 12.0]
    """
    flat = numbers.sum(0).cpu().double().numpy().ravel()
    # The last number gathers the gaps between bands.
    return np.bincount(cells.index.numpy().ravel(), flat, len(cells) + 1)[: len(cells)]


def per_band(cells: Cells, value: Float[np.ndarray, " d"]) -> Float[np.ndarray, " g"]:
    """Sums over the cells of each band."""
    return np.bincount(cells.groups, value, len(cells.bands))


def estimate_of(
    cells: Cells, values: Replicated, slope: Float[np.ndarray, " d"], passes: tuple[int, int]
) -> Estimate:
    """Values per cell and their sums per band, as an estimate.

    ``values`` without replicates hold no chance: intervals are points and errors 0. With replicates they
    are at least 0. ``passes`` counts forward and backward passes. There is no variance that values are shares
    of: it is NaN, and so are indices that are not defined here.
    """
    low, high, error = _limits(values)
    added = np.array([per_band(cells, row) for row in values.left_out]).reshape(-1, len(cells.bands))
    bands = Replicated(per_band(cells, values.value), added)
    band_low, band_high, _ = _limits(bands)
    groups = replace(GroupEstimate.unknown(len(cells.bands)), total=bands.value, low=band_low, high=band_high)
    # Tests by thresholds are of shares of a variance: they refuse where no replicates are kept.
    exact = Estimate.exact(values.value, groups, *passes)
    return replace(exact, low=low, high=high, error=error, slope=slope)


def _limits(values: Replicated) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not len(values.left_out):
        return values.value, values.value, np.zeros_like(values.value)
    return *values.interval(), values.error
