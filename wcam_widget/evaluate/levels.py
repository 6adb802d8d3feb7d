"""Totals and Shapley effects of levels, each with all of its filters together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import Band
from wcam_widget.basis.bands import APPROXIMATION
from wcam_widget.perturb.probe import Probe
from wcam_widget.sensitivity import AbstractAnalysis, GroupEstimate, Tree


@dataclass(frozen=True, eq=False)
class Regrouped:
    """A probe whose cells are grouped otherwise than by band."""

    probe: Probe
    groups: Int[np.ndarray, " d"]

    @property
    def tree(self) -> Tree:
        """The tree of the cells."""
        return self.probe.tree

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""
        return self.probe(weights)

    def one_at_a_time(
        self,
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of ``start_row`` with one weight from ``end_row`` each."""
        return self.probe.one_at_a_time(start_row, end_row, which)

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores and derivatives."""
        return self.probe.gradient(weights)


def levels_of(bands: tuple[Band, ...]) -> list[tuple[str, int]]:
    """The approximation and the levels, coarse to fine: names and numbers.

    >>> from wcam_widget.basis import WaveletBasis
    >>> levels_of(WaveletBasis((16, 16), levels=2).bands)
    [('approximation', 2), ('level', 2), ('level', 1)]
    """
    return list(dict.fromkeys(_level(band) for band in bands))


def level_effects(probe: Probe, analysis: AbstractAnalysis[Any], stream: int = 0) -> GroupEstimate:
    """Indices of the levels of a probe, in the order of ``levels_of``, each from one set of all its cells.

    Args:
        probe: Of one image.
        analysis: Of its weights.
        stream: Of the random rows.
    """
    levels = levels_of(probe.cells.bands)
    of_band = np.array([levels.index(_level(band)) for band in probe.cells.bands])
    estimate = None
    for estimate in analysis.run(Regrouped(probe, of_band[probe.groups]), stream):  # noqa: B007 the last counts
        pass
    assert estimate is not None  # noqa: S101  every analysis takes a step
    return estimate.groups


def _level(band: Band) -> tuple[str, int]:
    return "approximation" if band.orientation == APPROXIMATION else "level", band.level
