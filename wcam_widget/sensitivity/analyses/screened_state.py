"""What a screening run knows of every weight, before and after exchanges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from wcam_widget.sensitivity.analyses.derivative import DerivativeState
from wcam_widget.sensitivity.estimate import Estimate, Kind
from wcam_widget.sensitivity.statistics.jackknife import Replicated, share_limits
from wcam_widget.sensitivity.statistics.pair_sums import PairSums


@dataclass(frozen=True, eq=False)
class ScreeningResult:
    """What is known of every weight: bounds, and an estimate where exchanges measured it."""

    bounded: Estimate
    exchanged: Replicated
    is_measured: Bool[np.ndarray, " d"]

    @cached_property
    def value(self) -> Float[np.ndarray, " d"]:
        """Estimates of the weights measured, and bounds' values brought to their scale for the others.

        Linear estimates err upwards, by nearly as much for one weight as for another: what they are off where
        exchanges measured it, all weights together, is taken off the others.
        """
        measured, linear = (
            self.exchanged.value[self.is_measured].sum(),
            self.bounded.value[self.is_measured].sum(),
        )
        ratio = measured / linear if linear > 0 else 1.0
        low, high = self.bounded.low, self.bounded.high
        return np.where(
            self.is_measured, self.exchanged.value, np.clip(self.bounded.value * ratio, low, high)
        )

    @cached_property
    def limits(self) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
        """Lower and upper ends of the intervals."""
        if not self.is_measured.any():
            return self.bounded.low, self.bounded.high
        low, high = share_limits(self.exchanged)
        return (
            np.where(self.is_measured, low, self.bounded.low),
            np.where(self.is_measured, high, self.bounded.high),
        )


@dataclass(eq=False)
class ScreenedState:
    """The derivatives' state, sums over the rows of exchanges, and which weights each row exchanged.

    ``follow`` are the weights to exchange where that is not to be decided anew; ``result`` is what was known
    after so many evaluations, which is needed several times a row.
    """

    derivative: DerivativeState
    pairs: PairSums
    choices: list[Int[np.ndarray, " m"]] = field(default_factory=list)
    follow: list[Int[np.ndarray, " m"]] | None = None
    evaluations: int = 0
    result: tuple[int, ScreeningResult] | None = field(default=None, compare=False)

    @property
    def replicates(self) -> Int[np.ndarray, " k"]:
        """Replicates with at least one row of exchanges."""
        return np.arange(min(len(self.choices), len(self.pairs.count)))


def bounded_by_groups(screening: DerivativeState) -> Estimate:
    """What walks and exchanges of groups tell of their members: a total is at most that of its group.

    For scores of which there are no derivatives. An even share of the group's total stands for the value.
    """
    nothing, members, log = np.zeros(screening.squares.shape[1]), screening.groups.members, screening.log
    if log.constant():
        return Estimate.of_constant(len(nothing), screening.groups.squares.shape[1], screening.evaluations)
    groups = screening.groups.indices(log.variance, log.mean(), nothing, np.ones_like(nothing))
    return replace(
        Estimate.exact(groups.total[members] / np.bincount(members)[members], groups, screening.evaluations),
        low=nothing,
        high=groups.high[members],
        kind=np.full(len(nothing), Kind.UNRESOLVED, np.int8),
        error=np.full(len(nothing), np.nan),
        left_out=np.full((len(groups.left_out), len(nothing)), np.nan),
        variance=log.variance(np.arange(len(screening.squares))),
    )
