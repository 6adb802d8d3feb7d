"""Total indices by exchanging one weight at a time between two random rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from wcam_widget.sensitivity import designs
from wcam_widget.sensitivity.analysis import (
    RESOLUTION,
    AbstractAnalysis,
    Estimate,
    Kind,
    ensure_rows,
    vanishing,
)
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.intervals import jackknife, student
from wcam_widget.sensitivity.walks import GroupSums, Walk, walk, walk_length


@dataclass(eq=False)
class SobolState:
    """Sums over the rows done, apart for each replicate (the first axis), so that memory stays the same."""

    seed: np.random.SeedSequence
    sizes: Int[np.ndarray, " r"]
    design: tuple[np.ndarray, np.ndarray]
    squares: Float[np.ndarray, "r d"]
    climbs: Float[np.ndarray, "r d"]
    spans: Float[np.ndarray, "r d"]
    moments: Float[np.ndarray, "r 3"]
    rows: Float[np.ndarray, " r"]
    groups: GroupSums
    walks: int
    origin: float = 0.0
    row: int = 0
    evaluations: int = 0

    @property
    def replicate(self) -> tuple[int, int]:
        """The replicate of the next row and its place there."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        number = int(np.searchsorted(starts, self.row, side="right")) - 1
        return number, self.row - int(starts[number])

    def count(self, replicate: int, path: Walk) -> None:
        """Add a walk to the sums of the groups and its ends to those of the variance."""
        if self.evaluations == 0:
            self.origin = float(path.scores[0])
        ends = path.scores[:2] - self.origin
        self.moments[replicate] += [2.0, ends.sum(), (ends**2).sum()]
        self.groups.add(replicate, path)
        self.evaluations += len(path.scores)

    def variance(self, kept: np.ndarray) -> float:
        """Sample variance of the scores of A and B in the replicates ``kept``; positive, to divide by."""
        count, total, squares = self.moments[kept].sum(0)
        spread = (squares - total**2 / count) / (count - 1)
        return float(max(spread, np.finfo(float).tiny))


@dataclass(frozen=True)
class Sobol(AbstractAnalysis[SobolState]):
    """Total indices by Jansen's estimator, with intervals from independent replicates.

    rows: pairs of random rows A and B, at least 2; every pair costs d evaluations for d weights, and about a
    tenth more for the groups. seed: runs with one seed repeat. replicates: independent parts the rows are
    split into, which give the intervals. design: ``auto``, ``sobol``, ``latin`` or ``random``. The variance
    comes from A and B together. Source: Jansen (1999), "Analysis of variance designs for model output";
    Saltelli et al. (2010).

    >>> import torch
    >>> from wcam_widget.sensitivity import Analytic
    >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0]), np.array([0, 1]))
    >>> *_, estimate = Sobol(rows=512).run(f)
    >>> bool(abs(estimate.value - [0.2, 0.8]).max() < 0.05)
    True
    """

    rows: int = 16
    seed: int = 0
    replicates: int = 8
    design: str = "auto"

    gradients_needed = False

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        if not self.replicates >= 2:
            raise ValueError(f"replicates={self.replicates} gives no interval: at least 2 do")
        designs.ensure_kind(self.design)

    def planned(self, weights: int, groups: int) -> int:
        """Evaluations of a whole run."""
        return self.rows * (weights + walks_per_row(weights, groups) * walk_length(groups))

    def init(self, f: WeightFunction, stream: int = 0) -> SobolState:
        """A state before the first row."""
        parts = min(self.replicates, self.rows)
        sizes = np.diff([self.rows * part // parts for part in range(parts + 1)])
        squares, climbs, spans = np.zeros((3, parts, len(f.groups)))
        nothing_drawn = np.zeros((0, len(f.groups)), np.float32)
        seed = np.random.SeedSequence([self.seed, stream])
        groups = GroupSums.zeros(parts, f.groups)
        return SobolState(
            seed=seed,
            sizes=sizes,
            design=(nothing_drawn, nothing_drawn),
            squares=squares,
            climbs=climbs,
            spans=spans,
            moments=np.zeros((parts, 3)),
            rows=np.zeros(parts),
            groups=groups,
            walks=walks_per_row(len(f.groups), groups.squares.shape[1]),
        )

    def finished(self, state: SobolState) -> bool:
        """Whether all rows are done."""
        return state.row >= self.rows

    def step(self, f: WeightFunction, state: SobolState) -> SobolState:
        """One more pair of rows: its walks through the groups, then every weight exchanged alone."""
        replicate, place = state.replicate
        if place == 0:
            # The rows of one replicate are drawn when it begins: memory does not grow with all rows.
            (child,) = state.seed.spawn(1)
            pairs = int(state.sizes[replicate]) * state.walks
            state.design = designs.pairs(pairs, len(f.groups), child, self.design)
        first = place * state.walks
        a, b = (torch.from_numpy(half[first : first + state.walks]) for half in state.design)
        (child,) = state.seed.spawn(1)
        order = np.random.default_rng(child)
        paths = [walk(f, start, stop, order) for start, stop in zip(a, b, strict=True)]
        for path in paths:
            state.count(replicate, path)
        change = f.one_at_a_time(a[0], b[0]).double().cpu().numpy() - paths[0].scores[0]
        span = (b[0] - a[0]).double().numpy()
        state.squares[replicate] += change**2 / 2
        state.climbs[replicate] += change * span
        state.spans[replicate] += span**2
        state.rows[replicate] += 1
        state.evaluations += len(f.groups)
        state.row += 1
        return state

    def estimate(self, state: SobolState) -> Estimate:
        """Total indices from the rows so far."""
        rows = state.rows
        done = int(np.count_nonzero(rows))
        slope = state.climbs.sum(0) / np.maximum(state.spans.sum(0), np.finfo(float).tiny)
        total = state.variance(np.arange(done))
        if vanishing(total, state.origin):
            return Estimate.of_constant(len(slope), state.groups.squares.shape[1], state.evaluations, 0)
        value, error = jackknife(
            lambda kept: state.squares[kept].sum(0) / rows[kept].sum() / state.variance(kept), done
        )
        reach = error * student(done) if done > 1 else np.ones_like(value)
        low, high = np.clip(value - reach, 0.0, None), value + reach
        kind = np.where((low <= 0.0) & (high > RESOLUTION), Kind.UNRESOLVED, Kind.ESTIMATED).astype(np.int8)
        groups = state.groups.indices(state.variance, np.zeros_like(value), value)
        return Estimate(value, low, high, kind, slope, groups, total, state.evaluations, 0)


def walks_per_row(weights: int, groups: int) -> int:
    """Walks that cost about a tenth of the evaluations of one row, at least one.

    >>> walks_per_row(weights=640, groups=10)
    3
    """
    return max(1, weights // (10 * walk_length(groups)))
