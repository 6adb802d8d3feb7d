"""Total indices by exchanging one weight at a time between two random rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

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
from wcam_widget.sensitivity.walks import Walk, group_indices, nothing, walk


@dataclass(eq=False)
class SobolState:
    """Sums over the rows done, apart for each replicate (the first axis)."""

    seed: np.random.SeedSequence
    sizes: np.ndarray
    design: tuple[np.ndarray, np.ndarray]
    row: int
    squares: Float[np.ndarray, "r d"]
    climbs: Float[np.ndarray, "r d"]
    spans: Float[np.ndarray, "r d"]
    ends: list[tuple[float, float]] = field(default_factory=list)
    walks: list[Walk] = field(default_factory=list)
    evaluations: int = 0

    @property
    def replicates(self) -> np.ndarray:
        """The replicate of every row done."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)[: self.row]


@dataclass(frozen=True)
class Sobol(AbstractAnalysis[SobolState]):
    """Total indices by Jansen's estimator, with intervals from independent replicates.

    rows: pairs of random rows A and B, at least 2; every pair costs d + 2 g evaluations for d weights in g
    groups. seed: runs with one seed repeat. replicates: independent parts the rows are split into, which
    give the intervals. design: ``auto``, ``sobol``, ``latin`` or ``random``. The variance comes from A and B
    together. Source: Jansen (1999), "Analysis of variance designs for model output"; Saltelli et al. (2010).

    >>> import torch
    >>> from wcam_widget.sensitivity import Analytic
    >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0]), np.array([0, 1]))
    >>> *_, estimate = Sobol(rows=256).run(f)
    >>> estimate.value.round(1)
    array([0.2, 0.8])
    """

    rows: int = 16
    seed: int = 0
    replicates: int = 8
    design: designs.Kind = "auto"

    gradients_needed = False

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        if not 2 <= self.replicates:
            raise ValueError(f"replicates={self.replicates} gives no interval: at least 2 do")
        if self.design not in designs.KINDS:
            raise ValueError(f"design={self.design!r} is unknown; {', '.join(designs.KINDS)} are known")

    def planned(self, weights: int, groups: int) -> int:
        """Evaluations of a whole run."""
        return self.rows * (weights + (2 * groups if groups > 1 else 2))

    def init(self, f: WeightFunction, stream: int = 0) -> SobolState:
        """A state before the first row."""
        parts = min(self.replicates, self.rows)
        sizes = np.diff([self.rows * part // parts for part in range(parts + 1)])
        sums = (np.zeros((parts, len(f.groups))) for _ in range(3))
        empty = np.zeros((0, len(f.groups)), np.float32)
        return SobolState(np.random.SeedSequence([self.seed, stream]), sizes, (empty, empty), 0, *sums)

    def finished(self, state: SobolState) -> bool:
        """Whether all rows are done."""
        return state.row >= self.rows

    def step(self, f: WeightFunction, state: SobolState) -> SobolState:
        """One more pair of rows: its walks through the groups, then every weight exchanged alone."""
        starts = np.concatenate([[0], np.cumsum(state.sizes)])
        replicate = int(np.searchsorted(starts, state.row, side="right")) - 1
        if state.row == starts[replicate]:
            # The rows of one replicate are drawn when it begins, so memory does not grow with all rows.
            (child,) = state.seed.spawn(1)
            state.design = designs.pairs(int(state.sizes[replicate]), len(f.groups), child, self.design)
        place = state.row - starts[replicate]
        a, b = (torch.from_numpy(half[place]) for half in state.design)
        order = np.random.default_rng([self.seed, state.row, *np.atleast_1d(state.seed.entropy)])
        path = walk(f, a, b, order)
        score_a, score_b = float(path.scores[0]), float(path.scores[1])
        change = f.one_at_a_time(a, b).double().cpu().numpy() - score_a
        span = (b - a).double().numpy()
        state.squares[replicate] += change**2 / 2
        state.climbs[replicate] += change * span
        state.spans[replicate] += span**2
        state.ends.append((score_a, score_b))
        state.walks.append(path)
        state.evaluations += len(f.groups) + len(path.scores)
        state.row += 1
        return state

    def estimate(self, state: SobolState) -> Estimate:
        """Total indices from the rows so far."""
        blocks, ends = state.replicates, np.array(state.ends)
        done = int(blocks.max()) + 1
        counts = np.bincount(blocks, minlength=done)

        def variance(kept: np.ndarray) -> float:
            return max(float(ends[np.isin(blocks, kept)].var(ddof=1)), np.finfo(float).tiny)

        total = variance(np.arange(done))
        slope = state.climbs.sum(0) / np.maximum(state.spans.sum(0), np.finfo(float).tiny)
        cost = state.evaluations
        if vanishing(total, ends):
            zero = np.zeros_like(slope)
            kind = np.full(len(slope), Kind.ESTIMATED, np.int8)
            groups = nothing(len(state.walks[0].squares))
            return Estimate(zero, zero, zero, kind, zero, groups, 0.0, cost, 0)
        value, error = jackknife(
            lambda kept: state.squares[kept].sum(0) / counts[kept].sum() / variance(kept), done
        )
        reach = error * student(done) if done > 1 else np.ones_like(value)
        low, high = np.clip(value - reach, 0.0, None), value + reach
        kind = np.where((low <= 0.0) & (high > RESOLUTION), Kind.UNRESOLVED, Kind.ESTIMATED).astype(np.int8)
        groups = group_indices(state.walks, blocks, variance)
        return Estimate(value, low, high, kind, slope, groups, total, cost, 0)
