"""Intervals, tests and comparisons of all cells at once, from the replicates of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from wcam_widget.sensitivity import Estimate, Kind
from wcam_widget.sensitivity.statistics.jackknife import Limits, Replicated
from wcam_widget.sensitivity.statistics.multiple_tests import exceeding
from wcam_widget.sensitivity.statistics.paired import Difference, compare

INTERVALS = ("student", "bootstrap")
OF_CELLS = ("value", "low", "high", "kind", "error", "first", "slope")


def limits(estimate: Estimate, kind: str, confidence: float) -> Limits:
    """Lower and upper ends of every cell: Student's t or a bootstrap, or the bounds there are."""
    if kind not in INTERVALS:
        raise ValueError(f"kind={kind!r} is unknown; {', '.join(INTERVALS)} are known")
    replicated = Replicated(estimate.value, estimate.left_out)
    if kind == "bootstrap":
        low, high = replicated.bootstrap_interval(confidence=confidence)
    else:
        low, high = replicated.interval(confidence)
    measured = estimate.measured
    return np.where(measured, low, estimate.low), np.where(measured, high, estimate.high)


def above(estimate: Estimate, threshold: float, level: float, control: str) -> Bool[np.ndarray, " d"]:
    """Which cells take part in more than ``threshold`` of the variance; see ``Attribution.matters``."""
    tested = estimate.measured & (estimate.kind != Kind.BOUNDED)
    over = np.zeros(len(estimate.value), bool)
    signed = bool((estimate.value < 0).any())  # as noise makes of estimators other than Jansen's
    replicated = Replicated(estimate.value[tested], estimate.left_out[:, tested])
    over[tested] = exceeding(replicated, threshold, level, control, signed=signed)
    return np.asarray(over & (estimate.kind != Kind.UNRESOLVED))


def difference(one: Estimate, other: Estimate, confidence: float) -> Difference:
    """``one`` less ``other``; cells that were not measured in both are NaN."""
    both = one.measured & other.measured
    result = compare(_part(one, both), _part(other, both), confidence)
    part = result.cells
    value, low, high, error = (
        _spread(numbers, both) for numbers in (part.value, part.low, part.high, part.error)
    )
    return replace(result, cells=replace(part, value=value, low=low, high=high, error=error))


def _part(estimate: Estimate, kept: Bool[np.ndarray, " d"]) -> Estimate:
    """The estimate of some of the cells."""
    cells = {name: getattr(estimate, name)[kept] for name in OF_CELLS}
    return replace(estimate, **cells, left_out=estimate.left_out[:, kept])


def _spread(numbers: Float[np.ndarray, " k"], kept: Bool[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Numbers of some of the cells, NaN for the others."""
    everywhere = np.full(len(kept), np.nan)
    everywhere[kept] = numbers
    return everywhere
