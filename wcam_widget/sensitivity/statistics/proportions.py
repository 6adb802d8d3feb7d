"""Intervals of proportions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, Limits, ensure_confidence


def wilson(successes: Int[np.ndarray, " d"], count: int, confidence: float = CONFIDENCE) -> Limits:
    """Limits of proportions, ``confidence`` for each; they stay within [0, 1] and never have no width.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    >>> low, high = wilson(np.array([0, 5, 10]), 10)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237, 0.722], [0.278, 0.763, 1.0])
    """
    ensure_confidence(confidence)
    share: Float[np.ndarray, " d"] = successes / count
    z = special.ndtri(0.5 + confidence / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return np.clip(middle - reach, 0.0, 1.0), np.clip(middle + reach, 0.0, 1.0)
