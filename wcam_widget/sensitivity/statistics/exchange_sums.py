"""Sums over rows of which single weights were drawn anew: own rows of each, apart for each replicate."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from wcam_widget.sensitivity.statistics.pair_sums import over

Sum = Float[np.ndarray, "*r d"]
MANY = 8
TRUST = 10.0  # rows of its own before a weight's spread counts as much as that of all weights


@dataclass(eq=False)
class ExchangeSums:
    """Sums over exchanges: one column per weight and, before they are added up, one row per replicate.

    ``squares`` adds up estimates of half the mean squared step of the score, V times the total index;
    ``climbs`` steps times changes of the weight, ``spans`` squared changes.

    >>> sums = ExchangeSums.zeros(2, 3)
    >>> sums.add(1, np.array([0]), np.array([2.0]), np.array([0.5]), np.array([0.25]))
    >>> sums.of(np.array([0, 1])).mean
    array([0.5, 0. , 0. ])
    """

    count: Sum
    squares: Sum
    climbs: Sum
    spans: Sum

    @classmethod
    def zeros(cls, replicates: int, weights: int) -> ExchangeSums:
        """Sums before the first row."""
        return cls(*np.zeros((len(fields(cls)), replicates, weights)))

    def add(
        self,
        replicate: int,
        which: Int[np.ndarray, " m"],
        steps: Float[np.ndarray, " m"],
        changes: Float[np.ndarray, " m"],
        importance: Float[np.ndarray, " m"],
    ) -> None:
        """Count one row in: what the score changed by with each weight in ``which``, and the weight itself.

        ``importance`` is the uniform density over that of the drawn end.
        """
        self.count[replicate, which] += 1.0
        self.squares[replicate, which] += steps**2 / 2 * importance
        self.climbs[replicate, which] += steps * changes * importance
        self.spans[replicate, which] += changes**2 * importance

    def of(self, kept: Int[np.ndarray, " k"]) -> ExchangeSums:
        """The sums over the replicates ``kept``, one number per weight."""
        return ExchangeSums(*(getattr(self, field.name)[kept].sum(0) for field in fields(self)))

    @property
    def mean(self) -> Sum:
        """Mean half squared step; 0 without rows."""
        return over(self.squares, self.count)

    @property
    def slope(self) -> Sum:
        """Least-squares slope of the score over the weight, through pairs that differ in it alone."""
        return over(self.climbs, self.spans)

    def row_noise(self) -> Float[np.ndarray, " d"]:
        """Squared coefficient of variation of one row of each weight.

        From how replicates differ; that of all weights together stands in where a weight has few rows.
        """
        together = self.of(np.arange(len(self.count)))
        has_rows = self.count > 0
        deviations = np.where(has_rows, over(self.squares, self.count) - together.mean, 0.0)
        freedom = np.maximum(has_rows.sum(0) - 1, 0)
        # Replicates of n rows scatter by a row's variance over n.
        scatter = (self.count * deviations**2).sum(0)
        relative = over(scatter, together.mean**2)
        counted = (freedom > 0) & (together.mean > 0)
        if not counted.any():
            return np.full(len(freedom), ROW_NOISE)
        # Few rows show little of a spread with heavy tails: the weights with the most tell for all.
        most = counted & (freedom >= min(MANY, freedom[counted].max()))
        # The square of a mean of n rows is too large by the noise over n.
        excess = np.average(1 / together.count[most], weights=freedom[most])
        pooled = relative[most].sum() / freedom[most].sum()
        pooled = max(pooled / max(1 - pooled * excess, 0.3), 0.1)
        return np.asarray(np.where(counted, (TRUST * pooled + relative) / (TRUST + freedom), pooled))


ROW_NOISE = 3.0  # where no weight has two rows; networks and photographs have 2 to 4
