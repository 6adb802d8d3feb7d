"""Total indices by exchanging one weight at a time between two random rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float
from typing_extensions import override

from wcam_widget.sensitivity.analysis import (
    ALL_ROWS,
    CONSTANT_SCORE,
    REPLICATES,
    AbstractAnalysis,
    ensure_rows,
)
from wcam_widget.sensitivity.estimate import Estimate, kinds
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.sampling import designs
from wcam_widget.sensitivity.sampling.group_walks import walk, walk_length
from wcam_widget.sensitivity.statistics.estimators import TOTAL, ensure_estimator, first_order
from wcam_widget.sensitivity.statistics.group_sums import GroupSums, exchange_count, exchange_rows
from wcam_widget.sensitivity.statistics.jackknife import replicated, share_limits
from wcam_widget.sensitivity.statistics.pair_sums import PairSums
from wcam_widget.sensitivity.statistics.score_log import vanishing

MOST_WALKS = 8  # more tell little more of the groups, and their rows of many weights take memory
SAME = 0.9  # the part of the top cells that must stay for the map to count as stable


Pair = tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]


@final
class Place(NamedTuple):
    """The rows of one replicate in one generation."""

    generation: int
    replicate: int
    rows: int


@dataclass(eq=False)
class SobolState:
    """Sums over the rows done, apart for each replicate, so that memory does not grow with the rows.

    Rows come in generations of 16, 16, 32, 64, …, each as large as all before it, and each split evenly over
    the replicates. ``drawn`` holds the rows A and B of one place, so that they are drawn once.
    """

    stream: int
    pairs: PairSums
    groups: GroupSums
    moments: Float[np.ndarray, "r 3"]
    walks: int
    row: int = 0
    origin: float = 0.0
    evaluations: int = 0
    top: frozenset[int] | None = None
    stable: bool = False
    drawn: tuple[Place, Pair] | None = field(default=None, compare=False)

    def place(self) -> tuple[Place, int]:
        """Where the next row belongs, and its number among the rows of its replicate there."""
        replicates = len(self.moments)
        generation = (self.row // replicates).bit_length() + 1
        start = replicates << generation - 2 if generation > 1 else 0
        rows = max(start // replicates, 1)
        replicate, number = divmod(self.row - start, rows)
        return Place(generation, replicate, rows), number

    def done(self) -> int:
        """Replicates with at least one row."""
        return int(np.count_nonzero(self.moments[:, 0]))

    def variance(self, kept: np.ndarray) -> float:
        """Sample variance of the scores of A and B in the replicates ``kept``; positive, to divide by.

        Where nearly all of it sits in one replicate, the others keep their even part, to divide by too.
        """
        spreads = []
        for moments in (self.moments[kept], self.moments):
            count, total, squares = moments.sum(0)
            spreads.append((squares - total**2 / count) / (count - 1))
        return float(max(spreads[0], spreads[1] / len(self.moments), np.finfo(float).tiny))


@dataclass(frozen=True)
class Sobol(AbstractAnalysis[SobolState]):
    """Total and first-order indices by exchanging weights between rows, with intervals from replicates.

    The variance comes from A and B together. A run with more rows goes on where one with fewer ended, and
    its earlier rows are the same.

    Args:
        rows: Pairs of random rows A and B, at least 2; each costs d evaluations for d weights, and about a
            tenth more for the groups.
        seed: At least 0; runs with one seed repeat.
        design: How rows are drawn: ``auto``, ``sobol``, ``latin`` or ``random``.
        estimator: Of the totals: ``jansen``, ``janon``, ``homma``, ``saltelli`` or ``glen``.
        interactions: Whether to measure how much every two groups cause together, at one evaluation a row for
            each two.
        stable: Stop early once at least nine tenths of that many top weights stay the top ones when the rows
            are doubled; 0 for never.

    Raises:
        ValueError: A parameter outside its range is named.

    References:
        Jansen (1999), "Analysis of variance designs for model output", for the totals. Saltelli et al.
        (2010), "Variance based sensitivity analysis of model output", table 2 (b), for first-order indices.
        Gilquin et al. (2021), "Iterative estimation of Sobol' indices based on replicated designs", on
        stopping.

    Examples:
        >>> import torch
        >>> from wcam_widget.sensitivity import Analytic
        >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0]), np.array([0, 1]))
        >>> *_, estimate = Sobol(rows=64).run(f)
        >>> bool((estimate.low <= [0.2, 0.8]).all() and (estimate.high >= [0.2, 0.8]).all())
        True
    """

    rows: int = 16
    seed: int = 0
    design: str = "auto"
    estimator: str = "jansen"
    interactions: bool = False
    stable: int = 0

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        designs.ensure_kind(self.design)
        ensure_estimator(self.estimator)
        if int(self.stable) != self.stable or self.stable < 0:
            raise ValueError(f"stable={self.stable!r} must be a number of top weights, or 0 for never")

    @override
    def planned(self, weights: int, groups: int) -> int:
        walked = walks_per_row(weights, groups) * walk_length(groups)
        return self.rows * (weights + walked + exchange_count(groups, pairs=self.interactions))

    @override
    def init(self, f: WeightFunction, stream: int = 0) -> SobolState:
        weights = len(f.groups)
        groups = GroupSums.zeros(REPLICATES, f.groups, pairs=self.interactions)
        walks = walks_per_row(weights, groups.squares.shape[1])
        sums = PairSums.zeros(REPLICATES, weights)
        return SobolState(stream, sums, groups, np.zeros((REPLICATES, 3)), walks)

    @override
    def finished(self, state: SobolState) -> bool:
        # Whether all rows are done or the top weights stay the same.
        return state.row >= self.rows or (self.stable > 0 and state.stable)

    @override
    def step(self, f: WeightFunction, state: SobolState) -> None:
        # One more pair of rows: its walks and exchanges through the groups, then every weight alone.
        place, number = state.place()
        drawn, first, replicate = self._rows(state, place), number * state.walks, place.replicate
        starts, stops = (half[first : first + state.walks] for half in drawn)
        a, b = torch.from_numpy(starts), torch.from_numpy(stops)
        order = np.random.default_rng([self.seed, state.stream, 1, state.row])
        paths = [walk(f, start, stop, order) for start, stop in zip(a, b, strict=True)]
        exchanges = f(exchange_rows(a[0], b[0], f.groups, pairs=self.interactions)).double().cpu().numpy()
        scores = f.one_at_a_time(a[0], b[0]).double().cpu().numpy()
        if state.row == 0:
            state.origin = float(paths[0].scores[0])
        ends = np.array([path.scores[:2] for path in paths]) - state.origin
        state.moments[replicate] += [ends.size, ends.sum(), (ends**2).sum()]
        for path in paths:
            state.groups.add_walk(replicate, path)
        pair = (float(ends[0, 0]), float(ends[0, 1]))
        state.groups.add_exchanges(replicate, pair, exchanges - state.origin)
        change = (b[0] - a[0]).double().numpy()
        state.pairs.add(replicate, slice(None), pair, scores - state.origin, change)
        state.evaluations += sum(len(path.scores) for path in paths) + len(exchanges) + len(scores)
        state.row += 1
        state.drawn = (place, drawn)
        if self.stable and state.place()[0].generation > place.generation:
            self._compare(state)

    @override
    def estimate(self, state: SobolState) -> Estimate:
        everyone = np.arange(state.done())
        total = state.variance(everyone)
        count, summed, _ = state.moments[everyone].sum(0)
        sums = state.pairs.of(everyone).centred(summed / count)
        weights, groups = len(sums.count), state.groups.squares.shape[1]
        if vanishing(total, state.origin):
            return Estimate.of_constant(weights, groups, state.evaluations)
        totals = replicated(lambda kept: self._totals(state, kept), len(everyone))
        low, high = share_limits(totals, positive=self.estimator == "jansen")
        most = totals.value if self.estimator == "jansen" else np.ones(weights)
        return Estimate(
            value=totals.value,
            low=low,
            high=high,
            kind=kinds(totals.symmetric_interval()[0], high),
            error=totals.error,
            first=first_order(sums, total),
            slope=sums.slope,
            left_out=totals.left_out,
            groups=state.groups.indices(state.variance, summed / count, np.zeros(weights), most),
            variance=total,
            evaluations=state.evaluations,
        )

    @override
    def continues(self, earlier: object) -> bool:
        # Runs that differ in ``rows``, ``stable`` and ``estimator`` only go on from each other.
        if not isinstance(earlier, Sobol):
            return False
        return self == replace(earlier, rows=self.rows, stable=self.stable, estimator=self.estimator)

    @override
    def deeper(self, state: SobolState) -> Sobol | None:
        # Twice the rows, none left out because the top weights stayed the same.
        constant = vanishing(state.variance(np.arange(state.done())), state.origin)
        return None if constant else replace(self, rows=2 * state.row, stable=0)

    @override
    def reason(self, state: SobolState) -> str:
        # All rows are done, or the top weights stayed the same.
        if vanishing(state.variance(np.arange(state.done())), state.origin):
            return CONSTANT_SCORE
        if state.stable and state.row < self.rows:
            return f"the {self.stable} top cells stayed the same when the rows were doubled to {state.row}"
        return ALL_ROWS

    def _rows(self, state: SobolState, place: Place) -> Pair:
        """Rows A and B of one place, held until the run leaves it."""
        if state.drawn is not None and state.drawn[0] == place:
            return state.drawn[1]
        seed = np.random.SeedSequence([self.seed, state.stream, 0, place.generation, place.replicate])
        return designs.pairs(place.rows * state.walks, state.pairs.count.shape[1], seed, self.design)

    def _totals(self, state: SobolState, kept: np.ndarray) -> Float[np.ndarray, " d"]:
        count, summed, _ = state.moments[kept].sum(0)
        sums = state.pairs.of(kept).centred(summed / count)
        return TOTAL[self.estimator](sums, state.variance(kept))

    def _compare(self, state: SobolState) -> None:
        """At the end of a generation: are the top weights those of the generation before?"""
        value = self._totals(state, np.arange(state.done()))
        top = frozenset(np.argsort(-value, kind="stable")[: self.stable].tolist())
        state.stable = state.top is not None and len(top & state.top) >= SAME * len(top)
        state.top = top


def walks_per_row(weights: int, groups: int) -> int:
    """Walks that cost about a tenth of the evaluations of one row, from one to ``MOST_WALKS``.

    >>> walks_per_row(weights=640, groups=10)
    3
    """
    return min(max(1, weights // (10 * walk_length(groups))), MOST_WALKS)
