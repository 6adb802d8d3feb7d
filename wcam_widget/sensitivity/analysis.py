"""What every analysis gives back, and how it is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int8

from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.statistics.jackknife import Limits, Replicated

UNIT = "share of the score's variance, total"
GROUP_STATISTIC = "total index of the band, its cells drawn anew together"
ALL_ROWS = "all planned rows are done"
CONSTANT_SCORE = (
    "the score did not change under any perturbation, so no cell matters to it: try another target, or check "
    "that the model reads the image"
)
REPLICATES = 16  # independent parts of a run, which give the intervals
RESOLUTION = 0.01  # the share of the variance below which a cell is called unimportant
CONSTANT = 1e-13  # variance over squared score below which a float32 score does not vary


class Kind(IntEnum):
    """What the value of a cell is."""

    ESTIMATED = 0  # an unbiased estimate with an interval
    BOUNDED = 1  # the index lies between ``low`` and ``high``; the value is only its linear estimate
    UNRESOLVED = 2  # the interval allows nothing and allows more than ``RESOLUTION``: more rows are needed


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupEstimate:
    """Indices of the groups, in group order.

    ``total`` lies between ``low`` and ``high`` (95 %); ``shapley`` shares the variance out and adds to 1;
    ``closed`` is what a group causes without the others. ``superset`` is the part of the variance that takes
    two groups at once, a symmetric matrix, or None where it was not asked for. What was not estimated is NaN.
    ``left_out`` holds the totals without one replicate each.
    """

    total: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    shapley: Float[np.ndarray, " g"]
    closed: Float[np.ndarray, " g"]
    left_out: Float[np.ndarray, "r g"]
    superset: Float[np.ndarray, "g g"] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimate:
    """Indices of ``d`` weights so far, in the unit of the analysis: total indices as shares of the variance.

    ``low`` and ``high`` hold the index with 95 % confidence each, ``error`` is its standard error, ``first``
    the first-order index; ``slope`` is the mean change of the score per unit of weight, signed. What was not
    estimated is NaN. ``left_out`` holds the values without one replicate each, from which other intervals,
    tests and comparisons follow; NaN for weights of which only bounds are known. ``evaluations`` counts
    forward passes and ``gradients`` backward ones.
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
    def of_constant(cls, weights: int, groups: int, evaluations: int, gradients: int = 0) -> Estimate:
        """What is known of a score that never moved: every index is 0."""
        zero, none = np.zeros(weights), np.zeros(groups)
        return cls(
            value=zero,
            low=zero,
            high=zero,
            kind=np.full(weights, Kind.ESTIMATED, np.int8),
            error=zero,
            first=zero,
            slope=zero,
            left_out=np.zeros((0, weights)),
            groups=GroupEstimate(
                total=none, low=none, high=none, shapley=none, closed=none, left_out=np.zeros((0, groups))
            ),
            variance=0.0,
            evaluations=evaluations,
            gradients=gradients,
        )

    @property
    def measured(self) -> Bool[np.ndarray, " d"]:
        """Of which weights there are replicates."""
        if len(self.left_out) < 2:
            return np.zeros(len(self.value), bool)
        return np.asarray(np.isfinite(self.left_out).all(0))

    @property
    def constant(self) -> bool:
        """Whether the score never moved, so that all indices are 0 by definition."""
        return self.variance == 0.0


@runtime_checkable
class AnalysisState(Protocol):
    """What every state tells: how many scores were asked for so far."""

    evaluations: int


State = TypeVar("State", bound=AnalysisState)


class AbstractAnalysis(ABC, Generic[State]):
    """An estimator of indices, as explicit state and steps so that it streams, stops and resumes.

    ``unit`` says what a value is and ``statistic`` what the numbers of a group are. A step asks before it
    changes the state: an interrupt loses that step only, and the next one repeats it. Random rows follow from
    the seed, the stream and the place alone.
    """

    gradients_needed: ClassVar[bool] = False
    unit: ClassVar[str] = UNIT
    statistic: ClassVar[str] = GROUP_STATISTIC

    @abstractmethod
    def planned(self, weights: int, groups: int) -> int:
        """Forward-equivalents of a whole run; a gradient row counts as three forwards."""

    @abstractmethod
    def init(self, f: WeightFunction, stream: int = 0) -> State:
        """A state before the first evaluation. ``stream`` separates the random rows of several images."""

    @abstractmethod
    def step(self, f: WeightFunction, state: State) -> State:
        """The state after one more block of rows."""

    @abstractmethod
    def finished(self, state: State) -> bool:
        """Whether all rows have been evaluated."""

    @abstractmethod
    def estimate(self, state: State) -> Estimate:
        """The indices from the rows so far; at least one step must have been made."""

    @abstractmethod
    def reason(self, state: State) -> str:
        """Why a finished run ended, and what to do where that is not enough."""

    def again(self, f: WeightFunction, state: State, stream: int = 0) -> Estimate:
        """The estimate of another score from the rows ``state`` has seen.

        ``f`` answers from memory, in the order of the run. Raises ValueError where scores do not suffice.
        """
        fresh = self.init(f, stream)
        while fresh.evaluations < state.evaluations:
            fresh = self.step(f, fresh)
        return self.estimate(fresh)

    def continues(self, earlier: AbstractAnalysis[Any]) -> bool:
        """Whether a run of ``earlier`` can go on as one of this analysis."""
        return self == earlier

    def deeper(self, state: State) -> AbstractAnalysis[State] | None:
        """The analysis that goes on from a finished run at about twice its cost; None if it tells no more."""
        del state
        return None

    def run(self, f: WeightFunction, stream: int = 0) -> Iterator[Estimate]:
        """Estimates after each block; stop iterating to stop."""
        state = self.init(f, stream)
        while not self.finished(state):
            state = self.step(f, state)
            yield self.estimate(state)


def ensure_rows(rows: int, fewest: int, argument: str = "rows") -> None:
    """Raise ValueError naming ``argument`` unless it is an integer of at least ``fewest``."""
    if int(rows) != rows or rows < fewest:
        raise ValueError(f"{argument}={rows!r} is too few: at least {fewest} are needed for an interval")


def ensure_share(share: float, argument: str) -> None:
    """Raise ValueError naming ``argument`` unless it lies between 0 and 1."""
    if not 0.0 < share < 1.0:
        raise ValueError(f"{argument}={share!r} must be a share of the variance, above 0 and below 1")


def kinds(symmetric_low: Float[np.ndarray, " d"], high: Float[np.ndarray, " d"]) -> Int8[np.ndarray, " d"]:
    """Estimated, or unresolved where the error allows nothing and the interval more than ``RESOLUTION``.

    ``symmetric_low`` is the lower end of the symmetric interval: an interval of a positive number, on a log
    scale, never reaches 0.

    >>> kinds(np.array([-0.1, -0.1, 0.1]), np.array([0.5, 0.001, 0.5])).tolist()
    [2, 0, 0]
    """
    unresolved = (symmetric_low <= 0.0) & (high > RESOLUTION)
    return np.where(unresolved, Kind.UNRESOLVED, Kind.ESTIMATED).astype(np.int8)


def share_limits(found: Replicated, *, positive: bool = True) -> Limits:
    """Ends of the 95 % interval of a share of the variance, which is at most 1; they hold its value.

    ``positive`` says that the estimate cannot be negative; one that can may leave 0 to 1 itself.

    >>> low, high = share_limits(Replicated(np.array([0.5]), np.zeros((0, 1))))
    >>> low.tolist(), high.tolist()
    ([0.0], [1.0])
    """
    low, high = found.interval() if positive else found.symmetric_interval()
    return np.minimum(np.minimum(low, 1.0), found.value), np.maximum(np.minimum(high, 1.0), found.value)


def vanishing(variance: float, score: float) -> bool:
    """Whether a variance is only the float32 rounding of scores as large as ``score``."""
    return bool(variance <= max(CONSTANT * score**2, np.finfo(float).tiny))
