"""Indices of weights and of groups of weights: values, intervals, and how certain they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Int8

RESOLUTION = 0.01  # the share of the variance below which a cell is called unimportant


class Kind(IntEnum):
    """What the value of a cell is.

    Examples:
        >>> [kind.name for kind in Kind]
        ['ESTIMATED', 'BOUNDED', 'UNRESOLVED', 'POOLED']
    """

    ESTIMATED = 0
    """An unbiased estimate with an interval."""
    BOUNDED = 1
    """The index lies between ``low`` and ``high``; the value is only its linear estimate."""
    UNRESOLVED = 2
    """The interval allows nothing and allows more than ``RESOLUTION``: more rows are needed."""
    POOLED = 3
    """An estimate with an interval, more from rows of weights like it than from its own."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupEstimate:
    """Indices of ``g`` groups of weights, in group order; what was not estimated is NaN.

    Args:
        total: (g,) total indices, shares of the variance.
        low: (g,) lower ends of their 95 % intervals.
        high: (g,) upper ends of their 95 % intervals.
        shapley: (g,) Shapley effects: they share the variance out and add to 1.
        closed: (g,) closed indices: what a group causes without the others.
        left_out: (r, g) totals without one of ``r`` replicates each; no rows where there are none.
        superset: (g, g) symmetric, the part of the variance that takes two groups at once; None where it was
            not measured.
        shapley_left_out: (w, g) Shapley effects without one of the ``w`` replicates that have any; None where
            these are not known.

    References:
        Owen (2014), "Sobol' indices and Shapley value"; Liu and Owen (2006), "Estimating mean dimensionality
        of analysis of variance decompositions", for ``superset``.

    Examples:
        >>> GroupEstimate.unknown(2).total
        array([nan, nan])
    """

    total: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    shapley: Float[np.ndarray, " g"]
    closed: Float[np.ndarray, " g"]
    left_out: Float[np.ndarray, "r g"]
    superset: Float[np.ndarray, "g g"] | None = None
    shapley_left_out: Float[np.ndarray, "w g"] | None = None

    @classmethod
    def unknown(cls, groups: int) -> GroupEstimate:
        """Nothing is known of any group: all NaN, without replicates.

        Args:
            groups: The number of groups.
        """
        return cls.alike(groups, np.nan)

    @classmethod
    def alike(cls, groups: int, value: float) -> GroupEstimate:
        """One value for every index of every group, without replicates.

        Args:
            groups: The number of groups.
            value: Any number, or NaN.

        Examples:
            >>> GroupEstimate.alike(2, 0.0).shapley
            array([0., 0.])
        """
        every = np.full(groups, value)
        return cls(
            total=every,
            low=every,
            high=every,
            shapley=every,
            closed=every,
            left_out=np.zeros((0, groups)),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimate:
    """Indices of ``d`` weights so far, in the unit of the analysis; what was not estimated is NaN.

    Args:
        value: (d,) the values; for most analyses total indices, shares of the variance.
        low: (d,) lower ends of their 95 % intervals, or of their bounds.
        high: (d,) upper ends of their 95 % intervals, or of their bounds.
        kind: (d,) a ``Kind`` for each weight.
        error: (d,) standard errors of the values.
        first: (d,) first-order indices, shares of the variance.
        slope: (d,) mean change of the score per unit of weight, signed.
        left_out: (r, d) values without one of ``r`` replicates each, from which other intervals, tests and
            comparisons follow; NaN for weights of which only bounds are known.
        groups: Indices of the groups of weights.
        variance: The score's variance over the random weights; 0 for a constant score.
        evaluations: Forward passes so far.
        gradients: Backward passes so far.

    Examples:
        >>> estimate = Estimate.exact(np.array([0.25, 0.75]))
        >>> estimate.low, estimate.measured
        (array([0.25, 0.75]), array([False, False]))
    """

    value: Float[np.ndarray, " d"]
    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    kind: Int8[np.ndarray, " d"]
    error: Float[np.ndarray, " d"]
    first: Float[np.ndarray, " d"]
    slope: Float[np.ndarray, " d"]
    left_out: Float[np.ndarray, "r d"]
    groups: GroupEstimate
    variance: float
    evaluations: int
    gradients: int = 0

    @classmethod
    def exact(
        cls,
        values: Float[np.ndarray, " d"],
        groups: GroupEstimate | None = None,
        evaluations: int = 0,
        gradients: int = 0,
    ) -> Estimate:
        """Values that were computed, not sampled: each is its own interval, with an error of 0.

        Shares of a variance and slopes are NaN.

        Args:
            values: (d,) the values.
            groups: Indices of the groups; None for one group of which nothing is known.
            evaluations: Forward passes behind them.
            gradients: Backward passes behind them.
        """
        unknown = np.full(len(values), np.nan)
        return cls(
            value=values,
            low=values,
            high=values,
            kind=np.full(len(values), Kind.ESTIMATED, np.int8),
            error=np.zeros(len(values)),
            first=unknown,
            slope=unknown,
            left_out=np.zeros((0, len(values))),
            groups=GroupEstimate.unknown(1) if groups is None else groups,
            variance=float("nan"),
            evaluations=evaluations,
            gradients=gradients,
        )

    @classmethod
    def of_constant(cls, weights: int, groups: int, evaluations: int, gradients: int = 0) -> Estimate:
        """What is known of a score that never moved: every index is 0.

        Args:
            weights: The number of weights.
            groups: The number of groups.
            evaluations: Forward passes so far.
            gradients: Backward passes so far.
        """
        zero = np.zeros(weights)
        none = cls.exact(zero, GroupEstimate.alike(groups, 0.0), evaluations, gradients)
        return replace(none, first=zero, slope=zero, variance=0.0)

    @property
    def measured(self) -> Bool[np.ndarray, " d"]:
        """For which weights there are replicates."""
        if len(self.left_out) < 2:
            return np.zeros(len(self.value), bool)
        return np.asarray(np.isfinite(self.left_out).all(0))

    @property
    def constant(self) -> bool:
        """Whether the score never moved, so that all indices are 0 by definition."""
        return self.variance == 0.0


def kinds(symmetric_low: Float[np.ndarray, " d"], high: Float[np.ndarray, " d"]) -> Int8[np.ndarray, " d"]:
    """Estimated, or unresolved where the error allows nothing and the interval more than ``RESOLUTION``.

    Args:
        symmetric_low: (d,) lower ends of symmetric intervals: one of a positive number, on a log scale, never
            reaches 0.
        high: (d,) upper ends of the intervals.

    Examples:
        >>> kinds(np.array([-0.1, -0.1, 0.1]), np.array([0.5, 0.001, 0.5])).tolist()
        [2, 0, 0]
    """
    unresolved = (symmetric_low <= 0.0) & (high > RESOLUTION)
    return np.where(unresolved, Kind.UNRESOLVED, Kind.ESTIMATED).astype(np.int8)
