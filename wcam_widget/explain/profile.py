"""The indices of the bands: how much each scale and filter matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from wcam_widget.basis import Band
from wcam_widget.sensitivity import GroupEstimate


@dataclass(frozen=True, eq=False)
class Profile:
    """Indices of the ``g`` bands, coarse to fine; what was not estimated is NaN.

    Args:
        names: Of the bands, as "HL1".
        levels: Of the bands, 1 for the finest.
        orientations: Of the bands: "A", "LH", "HL" or "HH".
        total: The share of the variance in which a band takes part, (g,).
        low: Lower ends of the 95 % intervals of ``total``, (g,).
        high: Upper ends of the same, (g,).
        shapley: The variance shared out among the bands; adds to 1, (g,).
        closed: What a band causes without the others, (g,).
        interactions: What every two bands cause together, (g, g); None where that was not estimated.
        statistic: How ``total`` is defined.
    """

    names: tuple[str, ...]
    levels: tuple[int, ...]
    orientations: tuple[str, ...]
    total: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    shapley: Float[np.ndarray, " g"]
    closed: Float[np.ndarray, " g"]
    interactions: Float[np.ndarray, "g g"] | None
    statistic: str

    @classmethod
    def from_groups(cls, bands: Sequence[Band], groups: GroupEstimate, statistic: str) -> Profile:
        """The profile of an estimate whose groups are the bands.

        Args:
            bands: In the order of the groups.
            groups: Numbers (g,) of the bands.
            statistic: How ``total`` is defined.
        """
        return cls(
            names=tuple(band.name for band in bands),
            levels=tuple(band.level for band in bands),
            orientations=tuple(band.orientation for band in bands),
            total=groups.total,
            low=groups.low,
            high=groups.high,
            shapley=groups.shapley,
            closed=groups.closed,
            interactions=groups.superset,
            statistic=statistic,
        )
