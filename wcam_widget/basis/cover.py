"""Rectangles on a picture, and whether they cover it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int


def counted(lengths: Int[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """0 … length-1 for each length, one after another."""
    return np.asarray(np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths))


def same_cover(some: Int[np.ndarray, "n 4"], others: Int[np.ndarray, "m 4"]) -> bool:
    """Whether two sets of rectangles lie over every place equally often; no picture of them is made.

    How often rectangles lie over each place follows from its differences along both axes, which are 0 but at
    their corners.
    """
    added, taken = _corners(some)
    others_added, others_taken = _corners(others)
    rises, falls = np.concatenate([added, others_taken]), np.concatenate([taken, others_added])
    return np.array_equal(np.sort(rises), np.sort(falls))


def _corners(rectangles: Int[np.ndarray, "n 4"]) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Places, as one number each, where the differences of rectangles are 1, and where they are -1."""
    top, left, height, width = rectangles.T.astype(np.int64)
    above, below = top << 32, (top + height) << 32
    right = left + width
    return np.concatenate([above + left, below + right]), np.concatenate([above + right, below + left])
