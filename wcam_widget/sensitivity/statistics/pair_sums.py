"""Sums over pairs of rows that differ in one weight: all that estimators of its indices need."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import cast

import numpy as np
from jaxtyping import Float, Int

Sum = Float[np.ndarray, "*r d"]


@dataclass(eq=False)
class PairSums:
    """Sums over scores ``a`` of a row A, ``b`` of another row B, ``c`` of A with one weight from B.

    Arrays hold one column per weight and, before they are added up, one row per replicate, so that memory
    does not grow with the number of rows. ``squares`` adds up (c - a)^2 / 2, ``climbs`` (c - a) times the
    change of the weight, ``spans`` the squared change.
    """

    count: Sum
    a: Sum
    b: Sum
    c: Sum
    aa: Sum
    ab: Sum
    bc: Sum
    cc: Sum
    squares: Sum
    climbs: Sum
    spans: Sum

    @classmethod
    def zeros(cls, replicates: int, weights: int) -> PairSums:
        """Sums before the first row."""
        return cls(*np.zeros((len(fields(cls)), replicates, weights)))

    def add(
        self,
        replicate: int,
        which: Int[np.ndarray, " m"] | slice,
        ends: tuple[float, float],
        scores: Float[np.ndarray, " m"],
        change: Float[np.ndarray, " m"] | float,
    ) -> None:
        """Count one row in: ``ends`` are the scores of A and B, ``scores`` those with a weight from B.

        ``which`` are the weights, ``change`` is B less A in each of them.
        """
        a, b = ends
        step = scores - a
        terms = {
            "count": 1.0,
            "a": a,
            "b": b,
            "c": scores,
            "aa": a * a,
            "ab": a * b,
            "bc": b * scores,
            "cc": scores**2,
            "squares": step**2 / 2,
            "climbs": step * change,
            "spans": np.square(change),
        }
        for name, term in terms.items():
            getattr(self, name)[replicate, which] += term

    def of(self, kept: Int[np.ndarray, " k"]) -> PairSums:
        """The sums over the replicates ``kept``, one number per weight."""
        chosen = np.zeros(len(self.count))
        chosen[kept] = 1.0
        return PairSums(*(chosen @ getattr(self, field.name) for field in fields(self)))

    def centred(self, centre: float) -> PairSums:
        """The sums as if ``centre`` had been taken from every score."""
        count, shift = self.count, centre * centre * self.count
        return PairSums(
            count=count,
            a=self.a - centre * count,
            b=self.b - centre * count,
            c=self.c - centre * count,
            aa=self.aa - 2 * centre * self.a + shift,
            ab=self.ab - centre * (self.a + self.b) + shift,
            bc=self.bc - centre * (self.b + self.c) + shift,
            cc=self.cc - 2 * centre * self.c + shift,
            squares=self.squares,
            climbs=self.climbs,
            spans=self.spans,
        )

    @property
    def ac(self) -> Sum:
        """Sum of a times c."""
        return cast("Sum", (self.aa + self.cc) / 2 - self.squares)

    @property
    def slope(self) -> Sum:
        """Least-squares slope of the score over the weight, through pairs that differ in it alone.

        >>> sums = PairSums.zeros(1, 1)
        >>> sums.add(0, slice(None), (1.0, 5.0), np.array([3.0]), np.array([0.5]))
        >>> sums.of(np.array([0])).slope
        array([4.])
        """
        return over(self.climbs, self.spans)


def over(top: Float[np.ndarray, "*r d"], bottom: Float[np.ndarray, "*r d"] | float) -> Sum:
    """``top`` over ``bottom``, and 0 where ``bottom`` is not positive.

    >>> over(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    below = np.broadcast_to(np.asarray(bottom, float), np.shape(top))
    return np.asarray(np.divide(top, below, out=np.zeros(np.shape(top)), where=below > 0))
