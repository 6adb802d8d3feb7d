"""Estimators of total and first-order indices from sums over pairs of rows.

Each takes the sums of n rows A, of the same rows with one weight from B, and the score's variance V. Jansen's
is never negative and exactly 0 for a weight without effect; the others, kept for comparison, are neither, and
depend on the origin of the scores. Compared by Puy et al. (2022), "A comprehensive comparison of total-order
estimators for global sensitivity analysis": Jansen and Janon lead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from wcam_widget.sensitivity.statistics.pair_sums import PairSums, over

Indices = Float[np.ndarray, " d"]


def jansen(sums: PairSums, variance: float) -> Indices:
    """Mean of (a - c)^2 / 2, over V (Jansen 1999)."""
    return over(sums.squares, sums.count * variance)


def homma(sums: PairSums, variance: float) -> Indices:
    """V less mean of a c, plus the squared mean of a, over V (Homma and Saltelli 1996)."""
    return over(variance - over(sums.ac, sums.count) + over(sums.a, sums.count) ** 2, variance)


def saltelli(sums: PairSums, variance: float) -> Indices:
    """1 less the covariance of a and c, as mean of a c less the squared mean of a, over V (Saltelli 2002)."""
    return np.asarray(1.0 - over(over(sums.ac, sums.count) - over(sums.a, sums.count) ** 2, variance))


def janon(sums: PairSums, variance: float) -> Indices:
    """1 less the covariance over the variance, both from a and c together (Janon et al. 2014)."""
    del variance
    mean = over(sums.a + sums.c, 2 * sums.count)
    spread = over(sums.aa + sums.cc, 2 * (sums.count - 1)) - mean**2
    return np.asarray(1.0 - over(over(sums.ac, sums.count) - mean**2, spread))


def glen(sums: PairSums, variance: float) -> Indices:
    """1 less the correlation of a and c (Glen and Isaacs 2012), over n - 1 as published."""
    del variance
    centred = sums.ac - over(sums.a * sums.c, sums.count)
    spreads = (sums.aa - over(sums.a**2, sums.count)) * (sums.cc - over(sums.c**2, sums.count))
    correlation = over(centred, np.sqrt(np.maximum(spreads, 0.0)))
    return np.asarray(1.0 - correlation * over(sums.count, sums.count - 1))


TOTAL: dict[str, Callable[[PairSums, float], Indices]] = {
    "jansen": jansen,
    "homma": homma,
    "saltelli": saltelli,
    "janon": janon,
    "glen": glen,
}


def ensure_estimator(estimator: str) -> None:
    """Raise ValueError naming ``estimator`` unless it is one of ``TOTAL``."""
    if estimator not in TOTAL:
        raise ValueError(f"estimator={estimator!r} is unknown; {', '.join(TOTAL)} are known")


def first_order(sums: PairSums, variance: float) -> Indices:
    """Mean of b (c - a) over V: the first-order index of a weight, the closed one of a group.

    Source: Saltelli et al. (2010), "Variance based sensitivity analysis of model output", table 2 (b).
    """
    return over(sums.bc - sums.ab, sums.count * variance)
