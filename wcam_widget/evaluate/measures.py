"""The measures themselves: functions of ``weights (n, d) -> scores (n,)`` and of one value per weight.

They know no image, model or basis, so that pixels and coefficients are scored by the same lines.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata
from torch import Tensor

Scores = Callable[[Tensor], Tensor]
MOST_WEIGHTS = 2**24  # weights held at one time: a row of weights is as long as the image has pixels


def ranks(values: Float[np.ndarray, " d"]) -> Int[np.ndarray, " d"]:
    """The place of each value in descending order, from 0; equal values keep the order of the cells.

    >>> ranks(np.array([1.0, 3.0, 1.0]))
    array([1, 0, 2])
    """
    places = np.empty(len(values), np.int64)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places


def counts(cells: int, steps: int) -> Int[np.ndarray, " s"]:
    """How many cells each point of a curve has, none at first and all at last, as even as can be.

    >>> counts(10, 4)
    array([ 0,  3,  5,  8, 10])
    """
    return np.asarray((2 * np.arange(steps + 1) * cells + steps) // (2 * steps))


def in_parts(scores: Scores, rows: int, cells: int, weights: Callable[[slice], np.ndarray]) -> np.ndarray:
    """Scores (rows,) in float64 of rows of weights that are made a part at a time."""
    size = max(1, MOST_WEIGHTS // cells)
    parts = [
        scores(torch.from_numpy(weights(slice(start, min(start + size, rows))).astype(np.float32)))
        for start in range(0, rows, size)
    ]
    return np.asarray(torch.cat(parts).double().cpu().numpy())


def decisions(logits: Float[np.ndarray, "n k"]) -> np.ndarray:
    """The class each row of class scores decides for; where there is a single score, whether it is above 0.

    >>> decisions(np.array([[0.0, 2.0], [1.0, 0.0]]))
    array([1, 0])
    """
    return logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1)


def curve(
    scores: Scores, values: Float[np.ndarray, " d"], kept: Int[np.ndarray, " s"], *, removing: bool = False
) -> Float[np.ndarray, " s"]:
    """Scores with the ``kept`` most valued cells alone, or with all but those (``removing``).

    >>> curve(lambda weights: weights @ torch.tensor([1.0, 4.0]), np.array([0.0, 9.0]), np.array([0, 1, 2]))
    array([0., 4., 5.])
    """
    places = ranks(values)

    def weights(part: slice) -> np.ndarray:
        chosen = places < kept[part, None]
        return ~chosen if removing else chosen

    return in_parts(scores, len(kept), len(values), weights)


def area(scores: Float[np.ndarray, " s"], fractions: Float[np.ndarray, " s"]) -> float:
    """The area under a curve by the trapezoid rule, over the fractions it was really taken at.

    >>> area(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.5, 1.0]))
    0.75
    """
    return float(((scores[1:] + scores[:-1]) / 2 * np.diff(fractions)).sum())


def random_subsets(cells: int, size: int, subsets: int, rng: np.random.Generator) -> Bool[np.ndarray, "n d"]:
    """Subsets of exactly ``size`` cells each; True where a cell is in."""
    inside = np.zeros((subsets, cells), bool)
    for row in inside:
        row[rng.choice(cells, size, replace=False)] = True
    return inside


def drops(scores: Scores, removed: Bool[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    """How far the score falls when each subset is removed."""
    n, cells = removed.shape
    image_score = in_parts(scores, 1, cells, lambda _: np.ones((1, cells)))
    return np.asarray(image_score - in_parts(scores, n, cells, lambda part: ~removed[part]))


def rank_correlation(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Spearman's correlation, ties by their mean rank; 0 where either does not vary.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([-1.0, -2.0, -9.0]))
    -1.0
    """
    a, b = (rankdata(each) - (len(each) + 1) / 2 for each in (first, second))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def stretched(values: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Values moved and scaled to [0, 1]; all 0 where they are all equal.

    >>> stretched(np.array([-1.0, 0.0, 3.0]))
    array([0.  , 0.25, 1.  ])
    """
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros(len(values))
