"""Derivatives of all weights and own rows of some, pooled: every weight is estimated, with how sure it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int
from typing_extensions import override

from wcam_widget.sensitivity.analyses.derivative import Derivative
from wcam_widget.sensitivity.analyses.focus import ensure_focus, interest, interest_in, rows_for
from wcam_widget.sensitivity.analyses.knowledge import Aim, Knowledge
from wcam_widget.sensitivity.analyses.screened_state import Pooled, ScreenedState, left_out, pool
from wcam_widget.sensitivity.analysis import (
    CONSTANT_SCORE,
    AbstractAnalysis,
    ensure_rows,
    ensure_share,
)
from wcam_widget.sensitivity.estimate import RESOLUTION, Estimate, Kind
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.sampling.exchanges import chosen
from wcam_widget.sensitivity.statistics.exchange_sums import ExchangeSums

CELLS = 4  # weights a row exchanges: more would leave too few rows for the variance
BLOCK = 6  # rows of a step: a question never waits long for one
LATER = 0.5  # exchanges for each derivative's cost, while derivatives are taken


@dataclass(frozen=True)
class Screened(AbstractAnalysis[ScreenedState]):
    """All total indices from derivatives, calibrated and refined by rows of the weights that matter most.

    ``gradient_rows`` rows with a backward pass rank all weights and bound each total. Rows of exchanges give
    some weights estimates of their own, from which all learn how much the linear ones are too large; a
    weight's own rows count by how sure they are. The run ends once the ``top`` weights that matter most are
    known to ``tolerance``, or with ``rows``, ``budget`` or ``time``.

    Args:
        rows: Rows of exchanges at most, at least 2; each asks five scores.
        seed: At least 0; runs with one seed repeat, but for where ``time`` ends them.
        threshold: A share of the variance, in (0, 1): weights that derivatives prove to lie below it are
            bounded only, and the run does not wait for others below it.
        tolerance: The half-width of an interval over its value, in (0, 1), at which a weight is known.
        gradient_rows: Rows with a backward pass, at least 2.
        budget: Forward-equivalents to spend at most, a row with a backward pass counting as three; None for
            what ``rows`` and ``gradient_rows`` take.
        top: How many weights the run is to know, at least 1.
        time: Seconds to spend at most, above 0; one step is made in any case. None for as long as it takes.
        focus: Numbers of weights, ascending: all rows of exchanges are of these, until they are done. None
            are chosen where it is empty.

    Raises:
        ValueError: A parameter outside its range is named; ``validate`` and ``init`` do so for a budget that
            is too small.

    References:
        Sobol' and Kucherenko (2009), "Derivative based global sensitivity measures and their link with global
        sensitivity indices", for the bounds. Jansen (1999), "Analysis of variance designs for model output",
        for the totals of own rows. Bühlmann (1967), "Experience rating and credibility", for how both
        combine.

    Examples:
        >>> import torch
        >>> from wcam_widget.sensitivity import Analytic
        >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0, 0.01]), np.array([0, 0, 1]))
        >>> *_, estimate = Screened(rows=64).run(f)
        >>> estimate.kind.tolist(), bool(estimate.high[2] < 0.01)
        ([0, 0, 1], True)
    """

    rows: int = 256
    seed: int = 0
    threshold: float = RESOLUTION
    tolerance: float = 0.5
    gradient_rows: int = 64
    budget: int | None = None
    top: int = 10
    time: float | None = None
    focus: tuple[int, ...] = ()

    gradients_needed = True
    focusable = True

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        ensure_rows(self.gradient_rows, 2, "gradient_rows")
        ensure_share(self.threshold, "threshold")
        ensure_focus(self.focus)
        Aim(self.top, self.tolerance, self.threshold).validate()
        if self.time is not None and not self.time > 0:
            raise ValueError(f"time={self.time!r} must be seconds above 0, or None")
        self.validate(1, 1)  # what is too small for any image

    @property
    def derivative(self) -> Derivative:
        """The analysis that screens."""
        return Derivative(self.gradient_rows, self.seed)

    @override
    def planned(self, weights: int, groups: int) -> int:
        everything = self.derivative.planned(weights, groups) + self.rows * _price(weights)
        return everything if self.budget is None else min(self.budget, everything)

    @override
    def validate(self, weights: int, groups: int) -> None:
        # Refuse a budget that does not allow two rows of exchanges.
        screening = self.derivative.planned(weights, groups)
        least = screening + 2 * _price(weights)
        if self.budget is not None and self.budget < least:
            raise ValueError(
                f"budget={self.budget} is too small: {screening} forward-equivalents go to the derivatives "
                f"(gradient_rows={self.gradient_rows}), two rows of exchanges take {least - screening}; "
                f"raise budget to {least}, or lower gradient_rows"
            )

    @override
    def init(self, f: WeightFunction, stream: int = 0) -> ScreenedState:
        screening = self.derivative.init(f, stream)
        self.validate(len(f.groups), screening.groups.squares.shape[1])
        ensure_focus(self.focus, len(f.groups))
        return ScreenedState(screening, ExchangeSums.zeros(len(screening.rows), len(f.groups)))

    @override
    def finished(self, state: ScreenedState) -> bool:
        # Known, out of rows, budget or time.
        if self._out_of_time(state):
            return True
        if not self.derivative.finished(state.derivative):
            return False
        known = not self.focus and self._known(state)
        return known or state.derivative.log.constant() or self._affordable(state) == 0

    @override
    def step(self, f: WeightFunction, state: ScreenedState) -> None:
        # A block of derivatives, or a few rows of exchanges.
        started, screening = time.perf_counter(), state.derivative
        which = self._next(state)
        if len(which) == 0:
            before = screening.evaluations
            self.derivative.step(f, screening)
            state.evaluations += screening.evaluations - before
        else:
            state.exchange(f, self.seed, which)
        state.choices.append(which)
        state.seconds += time.perf_counter() - started

    @override
    def estimate(self, state: ScreenedState) -> Estimate:
        log, gradients = state.derivative.log, int(state.derivative.rows.sum())
        if log.constant():
            return Estimate.of_constant(*state.sizes, state.evaluations, gradients)
        if state.rows == 0:
            screened = state.bounded(self.derivative)
            kind = np.where(self._certified(screened), Kind.BOUNDED, Kind.UNRESOLVED).astype(np.int8)
            return replace(screened, kind=kind, evaluations=state.evaluations)
        pooled = self._pooled(state)
        certified = self._certified(pooled.bounded)
        kind = pooled.kinds(certified, self.threshold)
        value, low, high = pooled.limits(certified)
        return replace(
            pooled.bounded,
            value=value,
            low=low,
            high=high,
            kind=kind,
            error=pooled.credible.error,
            slope=pooled.slope,
            left_out=np.where(kind == Kind.BOUNDED, np.nan, left_out(pooled, state)),
            evaluations=state.evaluations,
        )

    @override
    def reason(self, state: ScreenedState) -> str:
        # Why the run ended, how much is known, and what more would bring.
        if state.derivative.log.constant():
            return CONSTANT_SCORE
        if state.rows == 0:
            return f"time={self.time} is over before any cell had rows of its own: raise time"
        knowledge = self._knowledge(state)
        if self.focus or self._known(state):
            return f"all rows are done: {knowledge.words}" if self.focus else knowledge.words
        if self._out_of_time(state):
            return f"time={self.time} is over: {knowledge.words}{knowledge.forecast(state)}; raise time"
        if state.rows >= self.rows:
            return f"all rows are done: {knowledge.words}{knowledge.forecast(state)}; raise rows"
        return f"the budget is spent: {knowledge.words}{knowledge.forecast(state)}; raise budget"

    @override
    def continues(self, earlier: object) -> bool:
        # Runs with the same screening go on from each other, with other rows, budget, time and aims.
        if not isinstance(earlier, Screened):
            return False
        return (self.seed, self.gradient_rows) == (earlier.seed, earlier.gradient_rows)

    @override
    def deeper(self, state: ScreenedState) -> Screened | None:
        # Twice the price and the time, where the cells that matter most are not known yet.
        if self.focus:  # whose budget was that of its rows
            return replace(self, focus=(), budget=None).deeper(state)
        if state.derivative.log.constant() or (state.rows and self._known(state)):
            return None
        weights, groups = state.sizes
        screening = self.derivative.planned(weights, groups)
        budget = None if self.budget is None else 2 * self.planned(weights, groups)
        longer = None if self.time is None else 2 * self.time
        rows = 2 * self.rows + screening // _price(weights)
        return replace(self, rows=rows, budget=budget, time=longer)

    @override
    def focused(self, state: ScreenedState, weights: tuple[int, ...]) -> Screened | None:
        # As many rows again as these weights had, and no other end than these.
        ensure_focus(weights, state.sizes[0])
        which, cells = list(weights), min(CELLS, len(weights))
        if state.derivative.log.constant() or self._certified(state.bounded(self.derivative))[which].all():
            return None
        more = rows_for(len(weights), float(state.own.count[:, which].sum()), cells, state.spent)
        budget = state.spent + state.screening_left(self.derivative) + more * (1 + cells)
        return replace(self, rows=state.rows + more, budget=budget, time=None, focus=weights)

    @override
    def replayed(
        self, f: WeightFunction, state: ScreenedState, stream: int, evaluations: int
    ) -> ScreenedState:
        # There are no derivatives of that score: what is expected of a weight is an even share of its group.
        fresh = replace(self, budget=None).init(f, stream)  # what was affordable once, is repeated
        fresh.follow = state.choices
        while fresh.evaluations < evaluations:
            self.step(f, fresh)
        fresh.follow, fresh.seconds = None, state.seconds
        return fresh

    def _next(self, state: ScreenedState) -> Int[np.ndarray, "n m"]:
        """The weights that the next rows exchange; none for a block of derivatives."""
        if state.follow is not None:
            return state.follow[len(state.choices)]
        rows, log = self._affordable(state), state.derivative.log
        exchanged = state.evaluations - state.derivative.evaluations
        early = exchanged >= LATER * (state.spent - exchanged) or (bool(log.scores) and log.constant())
        if rows == 0 or (early and not self.derivative.finished(state.derivative)):
            return np.zeros((0, CELLS), np.int64)
        place, size = [self.seed, state.derivative.stream, 3], (min(BLOCK, rows), self._cells(state))
        known = self._knowledge(state) if state.rows else None
        if self.focus:
            wanted = interest_in(self.focus, known)
            return np.take(np.array(self.focus, np.int64), chosen(place, state.rows, wanted, size))
        expected = state.bounded(self.derivative).value if known is None else known.pooled.expected
        return chosen(place, state.rows, interest(expected, known, self.top), size)

    def _cells(self, state: ScreenedState) -> int:
        """Weights that a row exchanges."""
        return min(CELLS, len(self.focus) or state.own.count.shape[1])

    def _affordable(self, state: ScreenedState) -> int:
        """Rows of exchanges that rows and budget still allow, derivatives set aside."""
        left = self.planned(*state.sizes) - state.spent - state.screening_left(self.derivative)
        return max(0, min(self.rows - state.rows, left // (1 + self._cells(state))))

    def _out_of_time(self, state: ScreenedState) -> bool:
        return self.time is not None and 0 < self.time <= state.seconds

    def _known(self, state: ScreenedState) -> bool:
        return state.rows > 1 and self._knowledge(state).enough

    def _knowledge(self, state: ScreenedState) -> Knowledge:
        pooled = self._pooled(state)
        aim = Aim(self.top, self.tolerance, self.threshold, self.focus)
        return Knowledge(pooled, aim, self._certified(pooled.bounded))

    def _pooled(self, state: ScreenedState) -> Pooled:
        if state.pooled is None or state.pooled[0] != state.evaluations:
            state.pooled = (state.evaluations, pool(state.bounded(self.derivative), state))
        return state.pooled[1]

    def _certified(self, screened: Estimate) -> Bool[np.ndarray, " d"]:
        """Of which weights derivatives prove that they lie below the threshold."""
        return np.asarray((screened.high < self.threshold) & np.isfinite(screened.error))


def _price(weights: int) -> int:
    """Scores of a row of exchanges."""
    return 1 + min(CELLS, weights)
