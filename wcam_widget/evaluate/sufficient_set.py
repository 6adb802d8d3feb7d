"""The smallest set of cells that restores the decision on one image, and the depths of other orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from wcam_widget.evaluate.depth_search import Depth


@final
@dataclass(frozen=True)
class OwnOrder:
    """The depth of a map's own order, with the least and the greatest depth of the orders it allows.

    Attributes:
        found: What was searched.
        low: The least depth of the resampled orders, or the depth itself; NaN where nothing is known of them.
        high: The greatest, likewise; infinite where a resampled order never suffices.
    """

    found: Depth
    low: float
    high: float

    @classmethod
    def of(cls, found: Depth, resampled: Sequence[int | None], certain: bool) -> OwnOrder:
        """The own depth among the resampled ones; a point for a map without chance.

        >>> OwnOrder.of(Depth(5, 5, 9), [4, 7], certain=False)
        OwnOrder(found=Depth(depth=5, first=5, tested=9), low=4.0, high=7.0)
        """
        if found.depth is None or not (resampled or certain):
            return cls(found, np.nan, np.nan)
        every = [found.depth, *(one for one in resampled if one is not None)]
        return cls(found, float(min(every)), float(max(every)))


@final
@dataclass(frozen=True, eq=False)
class SufficientSet:
    """What suffices for the decision on one image.

    Attributes:
        label: The class that was to be restored, in words.
        own: The depth of the map's own order with its interval.
        others: Depths of other orders by name; several for "random".
        kept: The cells of the set, (d,); all of them where even these do not decide for the class.
        groups: The band of each cell, (d,).
        bands: Names of the bands, coarse to fine.
        energy_share: The set's share of the squared coefficients, less the baseline's, 0 to 1.
    """

    label: str
    own: OwnOrder
    others: Mapping[str, tuple[Depth, ...]]
    kept: Bool[np.ndarray, " d"]
    groups: Int[np.ndarray, " d"]
    bands: tuple[str, ...]
    energy_share: float

    @property
    def depth(self) -> float:
        """The number of cells of the set; NaN where even all cells do not decide for the class."""
        return _number(self.own.found.depth)

    @property
    def share(self) -> float:
        """The depth as a share of all cells."""
        return self.depth / len(self.kept)

    @property
    def budget(self) -> dict[str, int]:
        """How many cells of each band are in the set."""
        counts = np.bincount(self.groups[self.kept], minlength=len(self.bands))
        return dict(zip(self.bands, counts.tolist(), strict=True))

    def depth_by(self, order: str) -> float:
        """The depth of another order, the mean where there are several.

        Args:
            order: As "energy".
        """
        return float(np.mean([_number(one.depth) for one in self.others[order]]))

    def row(self) -> dict[str, float | int | bool | str]:
        """All of it as one flat row of named numbers, for a table over a data set."""
        own = self.own.found
        known = own.depth is not None
        first = np.nan if own.first is None else own.first
        row: dict[str, float | int | bool | str] = {
            "class": self.label,
            "depth": np.nan if own.depth is None else own.depth,
            "depth.low": self.own.low,
            "depth.high": self.own.high,
            "cells": len(self.kept),
            "share": self.share,
            "energy": self.energy_share if known else np.nan,
            "first": first,
            "monotone": own.monotone,
        }
        for name, found in self.others.items():
            row[f"depth.{name}"] = self.depth_by(name)
            row[f"monotone.{name}"] = all(one.monotone for one in found)
        budget = {f"budget.{name}": count if known else np.nan for name, count in self.budget.items()}
        return {**row, **budget}


def _number(depth: int | None) -> float:
    return float("nan") if depth is None else float(depth)
