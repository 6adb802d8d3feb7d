"""Resampling of replicates, for intervals that take no distribution for granted."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

FEWEST_RESAMPLES = 200
FEWEST_REPLICATES = 4
CHUNK = 1 << 21  # resampled numbers held at one time


def ensure_resamples(resamples: int) -> None:
    """Raise ValueError naming ``resamples`` unless it is an integer of at least 200."""
    if int(resamples) != resamples or resamples < FEWEST_RESAMPLES:
        raise ValueError(
            f"resamples={resamples!r} is too few: at least {FEWEST_RESAMPLES} are needed for the tails"
        )


def symmetric_reach(
    pseudo: Float[np.ndarray, "r d"], confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Float[np.ndarray, " d"]:
    """Half-width of a bootstrap interval of the mean of each column, in its standard errors.

    The symmetric bootstrap-t (Hall 1988, "On symmetric bootstrap confidence intervals"): the quantile, over
    resamples of the ``r`` independent rows with replacement, of how many of its own standard errors a mean
    lies off: infinitely many where a column varies, but not in the resample. So the reach is infinite where
    everything rests on one or two of 16 rows, which tell nothing of the spread. All columns share the
    resamples. ``pseudo`` is (r, d), r at least ``FEWEST_REPLICATES``: fewer rows have too few distinct
    resamples. ``confidence`` lies between 0 and 1. A column that never varies has reach 0.

    >>> normal = np.random.default_rng(0).normal(size=(400, 1))
    >>> bool(1.85 < symmetric_reach(normal)[0] < 2.1)
    True
    """
    rows, columns = pseudo.shape
    drawn = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), resamples) / rows
    reach = np.zeros(columns)
    for start in range(0, columns, max(1, CHUNK // resamples)):
        part = slice(start, start + max(1, CHUNK // resamples))
        centred = pseudo[:, part] - pseudo[:, part].mean(0)
        scale = np.sqrt((centred**2).mean(0))
        centred = centred / np.where(scale > 0, scale, 1.0)
        means = drawn @ centred
        spread = np.clip(drawn @ centred**2 - means**2, 0.0, None)
        # Below rounding the resample drew one value only.
        varies = spread > 1e-12
        off = np.abs(means) * np.sqrt((rows - 1) / np.where(varies, spread, 1.0))
        off[~varies] = np.inf
        off[:, scale == 0] = 0.0
        reach[part] = np.quantile(off, confidence, axis=0, method="higher")
    return reach
