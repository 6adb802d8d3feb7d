"""What every analysis gives back, and how it is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float, Int8

from wcam_widget.sensitivity.function import WeightFunction

State = TypeVar("State")
RESOLUTION = 0.01  # the share of the variance below which a cell is called unimportant
CONSTANT = 1e-13  # variance over squared score below which a float32 score does not vary


class Kind(IntEnum):
    """What the value of a cell is."""

    ESTIMATED = 0  # an unbiased estimate with an interval
    BOUNDED = 1  # the index lies between ``low`` and ``high``; the value is only its linear estimate
    UNRESOLVED = 2  # the interval allows nothing and allows more than ``RESOLUTION``: more rows are needed


@dataclass(frozen=True, eq=False)
class GroupEstimate:
    """Indices of the groups, in group order: total with interval, and Shapley effects, which add to 1."""

    total: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    shapley: Float[np.ndarray, " g"]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Total indices of ``d`` weights so far, as shares of the score's variance.

    ``low`` and ``high`` hold the index with 95 % confidence each; ``slope`` is the mean change of the score
    per unit of weight, signed; ``evaluations`` counts forward passes and ``gradients`` backward ones.
    """

    value: Float[np.ndarray, " d"]
    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    kind: Int8[np.ndarray, " d"]
    slope: Float[np.ndarray, " d"]
    groups: GroupEstimate
    variance: float
    evaluations: int
    gradients: int

    @classmethod
    def of_constant(cls, weights: int, groups: int, evaluations: int, gradients: int) -> Estimate:
        """What is known of a score that never moved: every index is 0."""
        zero, none = np.zeros(weights), np.zeros(groups)
        kind = np.full(weights, Kind.ESTIMATED, np.int8)
        return cls(
            zero, zero, zero, kind, zero, GroupEstimate(none, none, none, none), 0.0, evaluations, gradients
        )

    @property
    def constant(self) -> bool:
        """Whether the score never moved, so that all indices are 0 by definition."""
        return self.variance == 0.0


class AbstractAnalysis(ABC, Generic[State]):
    """An estimator of total indices, as explicit state and steps so that it streams, stops and resumes."""

    gradients_needed: bool

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

    def run(self, f: WeightFunction, stream: int = 0) -> Iterator[Estimate]:
        """Estimates after each block; stop iterating to stop."""
        state = self.init(f, stream)
        while not self.finished(state):
            state = self.step(f, state)
            yield self.estimate(state)


def ensure_rows(rows: int, fewest: int) -> None:
    """Raise ValueError naming ``rows`` unless it is an integer of at least ``fewest``."""
    if int(rows) != rows or rows < fewest:
        raise ValueError(f"rows={rows!r} is too few: at least {fewest} are needed for an interval")


def vanishing(variance: float, score: float) -> bool:
    """Whether a variance is only the float32 rounding of scores as large as ``score``."""
    return bool(variance <= max(CONSTANT * score**2, np.finfo(float).tiny))
