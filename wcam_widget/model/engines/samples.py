"""Rows that torch has scored, which whatever else is to run a network must score alike."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.device import ordinary_tensors

TOLERANCE = 5e-5  # of the spread of the class scores; a run takes up to 1e-4 of the largest for rounding
_KEPT = 6  # of the first batch, and as many of later ones


@final
class Samples:
    """The first rows of the first batch and one of each of the latest, with torch's class scores.

    Rows of several batches, because a trace may hold a decision that the network makes anew for each.

    >>> samples = Samples()
    >>> samples.put(torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    >>> samples.difference(lambda rows: rows * 2)
    1.0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: list[tuple[Tensor, Tensor]] = []
        self._latest: deque[tuple[Tensor, Tensor]] = deque(maxlen=_KEPT)

    def __len__(self) -> int:
        return len(self._first) + len(self._latest)

    def put(self, rows: Float[Tensor, "n ..."], scores: Float[Tensor, "n k"]) -> None:
        """Keep some rows of a batch with their scores."""
        with ordinary_tensors(), self._lock:
            if not self._first:
                self._first = [_pair(rows, scores, place) for place in range(min(_KEPT, len(rows)))]
            else:  # any of its rows, but not always the same one
                self._latest.append(_pair(rows, scores, len(self._latest) % len(rows)))

    def rows(self) -> Float[Tensor, "m ..."]:
        """All rows that are kept, in order."""
        return self._stacked()[0]

    @property
    def spread(self) -> float:
        """The largest class score of any row less the smallest."""
        scores = self._stacked()[1]
        return float(scores.amax() - scores.amin())

    def difference(self, forward: Callable[[Tensor], Tensor]) -> float:
        """How far ``forward`` is from torch at most, as a share of the spread; of all rows, and of one alone.

        Infinite where it gives another shape or no numbers; where all scores are equal, unless it gives
        the same ones.
        """
        rows, scores = self._stacked()
        gaps = [_gap(forward(rows), scores), _gap(forward(rows[-1:]), scores[-1:])]
        return relative(max(gaps), float(scores.amax() - scores.amin()))

    def _stacked(self) -> tuple[Tensor, Tensor]:
        with self._lock:
            kept = [*self._first, *self._latest]
        return torch.stack([row for row, _ in kept]), torch.stack([score for _, score in kept])


def relative(gap: float, spread: float) -> float:
    """A difference of scores as a share of their spread; infinite where there is none of it.

    >>> relative(0.5, 2.0), relative(0.0, 0.0), relative(0.1, 0.0)
    (0.25, 0.0, inf)
    """
    if spread > 0:
        return gap / spread
    return 0.0 if gap == 0 else float("inf")


def _pair(rows: Tensor, scores: Tensor, place: int) -> tuple[Tensor, Tensor]:
    return rows[place].clone(), scores[place].clone()


def _gap(scores: Tensor, expected: Tensor) -> float:
    if scores.shape != expected.shape:
        return float("inf")
    gap = float((scores - expected).abs().max())
    return gap if gap == gap else float("inf")  # noqa: PLR0124 NaN is not equal to itself
