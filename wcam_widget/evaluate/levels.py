"""Totals and Shapley effects of levels, each with all of its filters together."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from wcam_widget.basis import Band
from wcam_widget.basis.bands import APPROXIMATION
from wcam_widget.perturb.probe import Probe
from wcam_widget.sensitivity import AbstractAnalysis, GroupEstimate


class LevelProbe(Probe):
    """A probe whose cells are grouped by level, all filters together, and not by band."""

    @property
    @override
    def groups(self) -> Int[np.ndarray, " d"]:
        """The level of each cell, a place in ``levels_of``."""
        levels = levels_of(self.cells.bands)
        of_band = np.array([levels.index(_level(band)) for band in self.cells.bands])
        return np.asarray(of_band[self.cells.groups])


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
    by_level = LevelProbe(probe.model, probe.target, probe.perturbation, probe.image_logits)
    estimate = None
    for estimate in analysis.run(by_level, stream):  # noqa: B007 the last counts
        pass
    assert estimate is not None  # noqa: S101  every analysis takes a step
    return estimate.groups


def _level(band: Band) -> tuple[str, int]:
    return "approximation" if band.orientation == APPROXIMATION else "level", band.level
