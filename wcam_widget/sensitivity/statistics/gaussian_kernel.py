"""The Gaussian kernel matrix of scores in low rank, and the width it takes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

RESIDUAL = 1e-10  # what the low rank may leave of a kernel matrix's diagonal, which is 1


def features(scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n q"]:
    """F with F F^T = L, the Gaussian kernel of scores, to 1e-10 (pivoted Cholesky decomposition).

    The width is the median distance between two scores. Source: Fine and Scheinberg (2001), "Efficient SVM
    training using low-rank kernel representations".

    >>> sides = features(np.array([0.0, 1.0, 3.0]))
    >>> (sides @ sides.T)[0].round(4)
    array([1.    , 0.8825, 0.3247])
    """
    scaled = scores / median_distance(scores)
    left, columns = np.ones(len(scores)), np.zeros((len(scores), 0))
    while left.max() > RESIDUAL:
        pivot = int(left.argmax())
        kernel = np.exp(-((scaled - scaled[pivot]) ** 2) / 2)
        column = (kernel - columns @ columns[pivot]) / np.sqrt(left[pivot])
        columns = np.column_stack([columns, column])
        left = left - column**2
    return columns


def median_distance(scores: Float[np.ndarray, " n"]) -> float:
    """The median distance between two scores that differ by more than float32 rounding.

    Found by bisection over sorted scores: no (n, n) array is made.

    >>> round(median_distance(np.array([0.0, 1.0, 3.0])), 6)
    2.0
    """
    ordered = np.sort(scores - scores.mean())
    own = np.arange(1, len(ordered) + 1)

    def pairs_within(distance: float) -> int:
        return int((np.searchsorted(ordered, ordered + distance, side="right") - own).sum())

    low, high = float(np.abs(scores).max() * np.finfo(np.float32).eps), 2 * float(np.ptp(ordered))
    wanted = (pairs_within(low) + len(ordered) * (len(ordered) - 1) // 2 + 1) // 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if pairs_within(middle) >= wanted else (middle, high)
    return high
