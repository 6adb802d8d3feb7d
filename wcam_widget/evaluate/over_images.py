"""Means over images, with intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from wcam_widget.sensitivity.statistics.bootstrap import symmetric_reach
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, replicated, standard_error

FEWEST = 20  # images from which on the bootstrap knows more of the tails than Student's t


class MeanOver(NamedTuple):
    """Means over images with their limits, one for each column."""

    value: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]


def mean_over(rows: Float[np.ndarray, "n g"], confidence: float = CONFIDENCE) -> MeanOver:
    """The mean over images of each column with its limits; nothing limits that of one image.

    From 20 images on the symmetric bootstrap-t (Hall 1988, "On symmetric bootstrap confidence intervals"),
    below Student's, since resamples of few images often hold nearly one of them alone.

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
    if len(rows) < FEWEST:
        over_images = replicated(lambda kept: rows[kept].mean(0), len(rows))
        return MeanOver(over_images.value, *over_images.symmetric_interval(confidence))
    value, error = rows.mean(0), standard_error(rows)
    reach = np.where(error > 0, symmetric_reach(rows, confidence), 0.0) * error
    return MeanOver(value, value - reach, value + reach)
