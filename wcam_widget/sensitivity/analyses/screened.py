"""Derivatives find the few weights that can matter; rows of exchanges measure those."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int8
from typing_extensions import override

from wcam_widget.sensitivity.analyses.derivative import FORWARDS, Derivative
from wcam_widget.sensitivity.analyses.screened_state import ScreenedState, ScreeningResult, bounded_by_groups
from wcam_widget.sensitivity.analyses.sobol import Sobol
from wcam_widget.sensitivity.analysis import (
    CONSTANT_SCORE,
    AbstractAnalysis,
    ensure_rows,
    ensure_share,
)
from wcam_widget.sensitivity.estimate import RESOLUTION, Estimate, Kind, kinds
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.sampling.group_walks import walk, walk_length
from wcam_widget.sensitivity.statistics.estimators import first_order, jansen
from wcam_widget.sensitivity.statistics.jackknife import Replicated, replicated
from wcam_widget.sensitivity.statistics.pair_sums import PairSums

SAVED = 10  # the budget is this part of what Sobol takes for as many rows
WALKED = 16  # rows that walk through the groups: the rest of the budget goes to single weights
SPARE = 4  # plain rows with each row of exchanges: all shares hang on the variance
FEWEST = 4  # rows before a weight may count as resolved: fewer make its interval a guess


@dataclass(frozen=True)
class Screened(AbstractAnalysis[ScreenedState]):
    """Certified bounds for the weights that cannot matter, estimates with intervals for the others.

    First ``gradient_rows`` rows with a backward pass bound every total index. Rows of exchanges then go to
    the weights whose upper limit reaches ``threshold``, each until it is resolved: the half-width of its
    interval is below ``tolerance``, or its upper limit below ``threshold``. Where the budget is short, the
    weights that seem to matter most are exchanged. Every weight is estimated or bounded, or unresolved where
    neither interval nor bound decides.

    Args:
        rows: Rows of exchanges at most, at least 2.
        seed: At least 0; runs with one seed repeat.
        threshold: A share of the variance, in (0, 1), below which a weight is bounded only.
        tolerance: A share of the variance, in (0, 1): the half-width that resolves an interval.
        gradient_rows: Rows with a backward pass, at least 2.
        budget: Forward-equivalents to spend in all, a row with a backward pass counting as three; None for a
            tenth of what ``Sobol(rows)`` takes.

    Raises:
        ValueError: A parameter outside its range is named; ``validate`` and ``init`` do so for a budget that
            is too small.

    References:
        Sobol' and Kucherenko (2009), "Derivative based global sensitivity measures and their link with global
        sensitivity indices", for the bounds. Jansen (1999), "Analysis of variance designs for model output",
        for the totals. Campolongo et al. (2007), "An effective screening design for sensitivity analysis of
        large models", for screening before estimating.

    Examples:
        >>> from wcam_widget.sensitivity import Analytic
        >>> f = Analytic(lambda w: w[:, 0] + 2 * w[:, 1] + 0.01 * w[:, 2], np.array([0, 0, 1]))
        >>> *_, estimate = Screened(rows=16, budget=600).run(f)
        >>> estimate.kind.tolist(), bool(estimate.high[2] < 0.01)
        ([0, 0, 1], True)
    """

    rows: int = 16
    seed: int = 0
    threshold: float = RESOLUTION
    tolerance: float = 0.02
    gradient_rows: int = 16
    budget: int | None = None

    gradients_needed = True

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        ensure_rows(self.gradient_rows, 2, "gradient_rows")
        ensure_share(self.threshold, "threshold")
        ensure_share(self.tolerance, "tolerance")
        self.validate(1, 1)  # what is too small for any image

    @property
    def derivative(self) -> Derivative:
        """The analysis that screens."""
        return Derivative(self.gradient_rows, self.seed)

    @override
    def planned(self, weights: int, groups: int) -> int:
        if self.budget is not None:
            return self.budget
        screening = self.derivative.planned(weights, groups)
        most = screening + sum(self._overhead(groups, row) + weights for row in range(self.rows))
        return min(most, max(Sobol(self.rows).planned(weights, groups) // SAVED, 2 * self._least(groups)))

    @override
    def validate(self, weights: int, groups: int) -> None:
        # Refuse a budget that does not allow two rows of exchanges.
        least, screening = self._least(groups), self.derivative.planned(weights, groups)
        if self.budget is not None and self.budget < least:
            raise ValueError(
                f"budget={self.budget} is too small: {screening} forward-equivalents go to the derivatives "
                f"(gradient_rows={self.gradient_rows}), two rows of exchanges take {least - screening}; "
                f"raise budget to {least}, or lower gradient_rows"
            )

    @override
    def init(self, f: WeightFunction, stream: int = 0) -> ScreenedState:
        screening = self.derivative.init(f, stream)
        replicates, groups = screening.groups.squares.shape
        self.validate(len(f.groups), groups)
        return ScreenedState(screening, PairSums.zeros(replicates, len(f.groups)))

    @override
    def finished(self, state: ScreenedState) -> bool:
        # Whether every weight is resolved, all rows are done or the budget is spent.
        if not self.derivative.finished(state.derivative):
            return False
        return state.derivative.log.constant() or len(self._next(state)) == 0

    @override
    def step(self, f: WeightFunction, state: ScreenedState) -> None:
        # A block of gradient rows, or one row of exchanges.
        screening = state.derivative
        if not self.derivative.finished(screening):
            before = screening.evaluations
            self.derivative.step(f, screening)
            state.evaluations += screening.evaluations - before
            return
        row, which = len(state.choices), self._next(state)
        replicate = row % len(state.pairs.count)
        generator = np.random.default_rng([self.seed, screening.stream, 2, row])
        a, b, *_ = rows = torch.from_numpy(generator.random((2 + SPARE, len(f.groups)), np.float32))
        path = walk(f, a, b, generator) if row < WALKED else None
        plain = f(rows if path is None else rows[2:]).double().cpu().numpy()
        scores = f.one_at_a_time(a, b, which).double().cpu().numpy()
        if path is not None:
            screening.groups.add_walk(replicate, path)
            screening.log.keep(path.scores, replicate, together=True)
        screening.log.keep(plain, replicate, together=False)
        first, last = (plain if path is None else path.scores)[:2].tolist()
        state.pairs.add(replicate, which, (first, last), scores, (b - a).double().numpy()[which])
        state.choices.append(which)
        state.evaluations += len(plain) + len(scores) + (0 if path is None else len(path.scores))

    @override
    def estimate(self, state: ScreenedState) -> Estimate:
        result, log = self._result(state), state.derivative.log
        bounded = result.bounded
        if bounded.constant:
            return replace(bounded, evaluations=state.evaluations)
        if not result.is_measured.any():
            return replace(bounded, kind=self._kind(bounded.high), evaluations=state.evaluations)
        low, high = result.limits
        sums = state.pairs.of(state.replicates).centred(log.mean())
        first = first_order(sums, log.variance(state.replicates))
        resolved = kinds(result.exchanged.symmetric_interval()[0], high)
        return replace(
            bounded,
            value=result.value,
            low=low,
            high=high,
            kind=np.where(result.is_measured, resolved, self._kind(high)).astype(np.int8),
            error=np.where(result.is_measured, result.exchanged.error, bounded.error),
            first=np.where(result.is_measured, first, np.nan),
            slope=np.where(result.is_measured, sums.slope, bounded.slope),
            left_out=np.where(result.is_measured, result.exchanged.left_out, np.nan),
            evaluations=state.evaluations,
        )

    @override
    def reason(self, state: ScreenedState) -> str:
        # Resolved, out of rows or out of budget, and what to raise for more.
        if state.derivative.log.constant():
            return CONSTANT_SCORE
        open_cells = int(self._unresolved(state).sum())
        if open_cells == 0:
            return (
                f"every cell is resolved: bounded below threshold={self.threshold}, or estimated within "
                f"tolerance={self.tolerance}"
            )
        cells = "1 cell is" if open_cells == 1 else f"{open_cells} cells are"
        if len(state.choices) >= self.rows:
            return (
                f"all rows are done; {cells} not resolved to tolerance={self.tolerance}: raise rows for that"
            )
        return f"the budget is spent; {cells} not resolved: raise budget for that"

    @override
    def continues(self, earlier: object) -> bool:
        # Runs with the same screening go on from each other, with other rows, budget and limits.
        if not isinstance(earlier, Screened):
            return False
        return (self.seed, self.gradient_rows) == (earlier.seed, earlier.gradient_rows)

    @override
    def deeper(self, state: ScreenedState) -> Screened | None:
        # Twice the budget and twice the rows, where there are weights that are not resolved.
        if state.derivative.log.constant() or not self._unresolved(state).any():
            return None
        weights, groups = state.pairs.count.shape[1], state.derivative.groups.squares.shape[1]
        return replace(self, rows=2 * self.rows, budget=2 * self.planned(weights, groups))

    @override
    def again(
        self, f: WeightFunction, state: ScreenedState, stream: int = 0, evaluations: int | None = None
    ) -> Estimate:
        # The estimate of another score: the same weights are exchanged. There are no derivatives of that
        # score: of a weight without exchanges only the total of its group is known, as a bound.
        fresh, last = self.init(f, stream), state.evaluations if evaluations is None else evaluations
        fresh.follow = state.choices
        while fresh.evaluations < last:
            self.step(f, fresh)
        return self.estimate(fresh)

    def _next(self, state: ScreenedState) -> Int[np.ndarray, " m"]:
        """The weights the next row exchanges: the unresolved ones, as many as the budget allows."""
        row = len(state.choices)
        if state.follow is not None:
            return state.follow[row] if row < len(state.follow) else np.zeros(0, np.int64)
        screening = state.derivative
        spent = state.evaluations + (FORWARDS - 1) * self.gradient_rows
        groups = screening.groups.squares.shape[1]
        own = self._overhead(groups, row)
        left = self.planned(state.pairs.count.shape[1], groups) - spent
        if row >= self.rows or left <= own:
            return np.zeros(0, np.int64)
        # What is left is shared out over the rows that are left, so that the last rows are not starved.
        shared = left - sum(self._overhead(groups, later) for later in range(row, self.rows))
        most = min(left - own, max(1, shared // (self.rows - row)))
        unresolved = np.flatnonzero(self._unresolved(state))
        # By derivatives alone: going by exchanges too would drop weights whose first rows were low by chance.
        highest = np.argsort(-self._result(state).bounded.value[unresolved], kind="stable")[:most]
        return np.sort(unresolved[highest])

    def _least(self, groups: int) -> int:
        """Forward-equivalents of the derivatives and two rows of exchanges."""
        return self.derivative.planned(1, groups) + 2 * (self._overhead(groups, 0) + 1)

    def _overhead(self, groups: int, row: int) -> int:
        """Evaluations of a row besides those of the weights."""
        return (walk_length(groups) if row < WALKED else 2) + SPARE

    def _unresolved(self, state: ScreenedState) -> Bool[np.ndarray, " d"]:
        result = self._result(state)
        low, high = result.limits
        few = state.pairs.count.sum(0) < FEWEST
        wide = (high - low) / 2 >= self.tolerance
        return np.asarray((high >= self.threshold) & (~result.is_measured | few | wide))

    def _result(self, state: ScreenedState) -> ScreeningResult:
        if state.result is None or state.result[0] != state.evaluations:
            state.result = (state.evaluations, self._computed(state))
        return state.result[1]

    def _computed(self, state: ScreenedState) -> ScreeningResult:
        is_measured = np.count_nonzero(state.pairs.count, axis=0) > 1
        bounded, variance = self._bounded(state), state.derivative.log.variance
        if not is_measured.any():
            return ScreeningResult(bounded, Replicated(bounded.value, bounded.left_out), is_measured)
        exchanged = replicated(
            lambda kept: jansen(state.pairs.of(kept), variance(kept)), len(state.replicates)
        )
        return ScreeningResult(bounded, exchanged, is_measured)

    def _bounded(self, state: ScreenedState) -> Estimate:
        """What is known without exchanges: from derivatives, else from the totals of the groups."""
        screening = state.derivative
        if np.isnan(screening.squares).any():
            return replace(bounded_by_groups(screening), evaluations=state.evaluations)
        return self.derivative.estimate(screening)

    def _kind(self, high: Float[np.ndarray, " d"]) -> Int8[np.ndarray, " d"]:
        return np.where(high < self.threshold, Kind.BOUNDED, Kind.UNRESOLVED).astype(np.int8)
