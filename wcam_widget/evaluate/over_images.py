"""Means over images, with intervals that take no distribution of the images for granted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from wcam_widget.sensitivity.statistics.bootstrap import FEWEST_REPLICATES, symmetric_reach
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, standard_error


class MeanOver(NamedTuple):
    """Means over images with their limits, one for each column."""

    value: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]


def mean_over(rows: Float[np.ndarray, "n g"], confidence: float = CONFIDENCE) -> MeanOver:
    """The mean over images of each column with bootstrap limits; below 4 images nothing limits it.

    The symmetric bootstrap-t over images (Hall 1988, "On symmetric bootstrap confidence intervals").

    Args:
        rows: One row for each image.
        confidence: Of the limits of each column, above 0 and below 1.

    >>> mean = mean_over(np.arange(40.0)[:, None])
    >>> bool(mean.low[0] < 19.5 < mean.high[0])
    True
    """
    columns = rows.shape[1]
    if len(rows) == 0:
        return MeanOver(*np.full((3, columns), np.nan))
    value = rows.mean(0)
    if len(rows) < FEWEST_REPLICATES:
        return MeanOver(value, np.full(columns, -np.inf), np.full(columns, np.inf))
    error = standard_error(rows)
    reach = np.where(error > 0, symmetric_reach(rows, confidence), 0.0) * error
    return MeanOver(value, value - reach, value + reach)
