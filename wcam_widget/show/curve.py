"""The retention curve: how much of a score is there when only the first cells of an order are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float, Int

OWN, ENERGY, RANDOM = "own", "energy", "random"


@final
@dataclass(frozen=True, eq=False)
class Line:
    """Points of one order of the cells, by how many are kept.

    Args:
        counts: numbers of cells, ascending, (p,).
        shares: the share of all coefficients that these cells hold, 0 to 1, (p,).
        scores: the explained number, (p,).
        classes: what the model decides for, by its place in the curve's ``classes``, (p,).
    """

    counts: Int[np.ndarray, " p"]
    shares: Float[np.ndarray, " p"]
    scores: Float[np.ndarray, " p"]
    classes: Int[np.ndarray, " p"]


@final
@dataclass(frozen=True, eq=False)
class RetentionCurve:
    """Scores of the most important cells alone, with other orders to compare; partial while it is computed.

    Args:
        order: all cells, the most important first, (d,).
        passes: how many passes of the model the order's map is made of: a later map has another order.
        subject: what the scores are of, such as "Egyptian cat".
        unit: what they are, such as "probability, softmax"; empty where the subject says it.
        original: the score of the image itself.
        classes: what the model decided for at any point; the first is its decision for the image.
        depth: the smallest number of cells from which on every number tested keeps that decision; None
            until it is known.
        lines: points by the name of their order, "own", "energy" and "random".
        complete: whether nothing more comes.
    """

    order: Int[np.ndarray, " d"]
    passes: int
    subject: str
    unit: str
    original: float
    classes: tuple[str, ...]
    depth: int | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)
    complete: bool = False


def log_spaced(cells: int, points: int) -> Int[np.ndarray, " p"]:
    """Numbers of cells from 1 to all, each about as many times the one before.

    >>> log_spaced(640, 8)
    array([  1,   3,   6,  16,  40, 101, 254, 640])
    """
    return np.unique(np.geomspace(1, cells, points).round().astype(int))


def coarse_to_fine(numbers: Int[np.ndarray, " p"]) -> Int[np.ndarray, " p"]:
    """The ends first, then the middle of each gap: any first part of it tells the shape of a curve.

    >>> coarse_to_fine(np.arange(6))
    array([5, 0, 4, 2, 1, 3])
    """
    last = len(numbers) - 1
    step = 1
    while step < last:
        step *= 2
    places = [last]
    while len(places) <= last:
        places += [place for place in range(0, last, step) if place not in places]
        step //= 2
    return numbers[places]
