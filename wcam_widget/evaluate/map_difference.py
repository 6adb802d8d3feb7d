"""Which cells and bands of two maps of the same masks differ, corrected for how many are tested."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from wcam_widget.explain.attribution import Attribution
from wcam_widget.sensitivity.statistics.jackknife import Replicated
from wcam_widget.sensitivity.statistics.multiple_tests import (
    LEVEL,
    benjamini_hochberg,
    holm,
    p_differing,
)
from wcam_widget.sensitivity.statistics.paired import Difference

ROUNDING = 1e-6  # shares below it are not told from 0


@final
@dataclass(frozen=True, eq=False)
class MapDifference:
    """One map less another, of one method with one seed, so that both saw the same masks.

    Attributes:
        one: The map.
        other: That which is taken away.
    """

    one: Attribution
    other: Attribution

    @cached_property
    def difference(self) -> Difference:
        """The differences of cells and bands with their 95 % intervals; ValueError where none can be made."""
        return self.one.compare(self.other)

    @cached_property
    def band_p(self) -> Float[np.ndarray, " g"]:
        """Two-sided p of each band, paired over the replicates."""
        one, other = self.one.estimate.groups, self.other.estimate.groups
        return _paired_p(Replicated(one.total, one.left_out), Replicated(other.total, other.left_out))

    @cached_property
    def cell_p(self) -> Float[np.ndarray, " d"]:
        """Two-sided p of each cell; 1 where one of the maps has no replicates of it."""
        one, other = self.one.estimate, self.other.estimate
        both = one.measured & other.measured
        p = np.ones(len(one.value))
        parts = [Replicated(each.value[both], each.left_out[:, both]) for each in (one, other)]
        p[both] = _paired_p(parts[0], parts[1])
        return p

    @property
    def bands_changed(self) -> Bool[np.ndarray, " g"]:
        """Bands that differ, with the chance of a single false one below 5 % (Holm)."""
        return holm(self.band_p, LEVEL)

    @property
    def cells_changed(self) -> Bool[np.ndarray, " d"]:
        """Cells that differ, with 5 % false ones among them on average (Benjamini and Hochberg)."""
        return benjamini_hochberg(self.cell_p, LEVEL)


def _paired_p(one: Replicated, other: Replicated) -> Float[np.ndarray, " d"]:
    """Two-sided p of each difference; 1 where both values are nothing but rounding."""
    p = p_differing(Replicated(one.value - other.value, one.left_out - other.left_out))
    return np.where(np.maximum(one.value, other.value) > ROUNDING, p, 1.0)
