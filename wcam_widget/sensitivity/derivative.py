"""Total indices bounded by derivatives: one backward pass measures every weight at once.

For independent uniform weights on [0, 1], T_i <= E[(df/dw_i)^2] / (pi^2 V) (Sobol' and Kucherenko 2009,
"Derivative based global sensitivity measures"); for a score linear in w_i, T_i = E[(df/dw_i)^2] / (12 V).
From below, T_i >= S_i >= 3 E[w_i (1 - w_i) df/dw_i]^2 / V: integrating Cov(f, w_i) by parts gives
E[w_i (1 - w_i) df/dw_i] / 2, and S_i is at least the squared correlation with w_i, 12 Cov(f, w_i)^2 / V.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

from wcam_widget.sensitivity import designs
from wcam_widget.sensitivity.analysis import AbstractAnalysis, Estimate, Kind, ensure_rows, vanishing
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.intervals import between_variance, jackknife, student
from wcam_widget.sensitivity.walks import GroupSums, walk, walk_length

BLOCKS = 8
FORWARDS = 3  # what a forward with its backward pass costs, in forwards
# Scores per gradient row, at least: a bound that uses a poor variance is none.
SCORES_PER_ROW = 4
WALKED_PER_ROW = 6  # scores on walks through the groups, which serve the variance too


@dataclass(eq=False)
class DerivativeState:
    """Sums over the gradient rows of each block, and all scores for the variance."""

    block: int
    squares: Float[np.ndarray, "r d"]
    slopes: Float[np.ndarray, "r d"]
    weighted: Float[np.ndarray, "r d"]
    groups: GroupSums
    seed: np.random.SeedSequence
    scores: list[np.ndarray] = field(default_factory=list)
    clusters: list[np.ndarray] = field(default_factory=list)
    blocks: list[np.ndarray] = field(default_factory=list)
    evaluations: int = 0

    def keep(self, scores: np.ndarray, *, together: bool) -> None:
        """Remember scores of this block; ``together`` marks rows that depend on each other."""
        first = self.clusters[-1][-1] + 1 if self.clusters else 0
        self.scores.append(scores)
        self.clusters.append(np.full(len(scores), first) if together else first + np.arange(len(scores)))
        self.blocks.append(np.full(len(scores), self.block))
        self.evaluations += len(scores)


@dataclass(frozen=True)
class Derivative(AbstractAnalysis[DerivativeState]):
    """Bounds and linear estimates of all total indices from mean squared derivatives.

    rows: rows with a backward pass, at least 2; each costs about three evaluations, and about six plain
    ones go to the variance and to the indices of the groups. The value is the linear estimate; ``low`` and
    ``high`` are confidence limits of the lower and the upper bound. Ranks cells better than hundreds of times
    as many Sobol evaluations; magnitudes err upwards. seed: runs with one seed repeat.

    >>> import torch
    >>> from wcam_widget.sensitivity import Analytic
    >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0]), np.array([0, 1]))
    >>> *_, estimate = Derivative(rows=64).run(f)
    >>> bool((estimate.low <= [0.2, 0.8]).all() and (estimate.high >= [0.2, 0.8]).all())
    True
    """

    rows: int = 32
    seed: int = 0
    design: str = "auto"

    gradients_needed = True

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        designs.ensure_kind(self.design)

    def _sizes(self) -> list[int]:
        parts = min(BLOCKS, self.rows)
        return [self.rows * (part + 1) // parts - self.rows * part // parts for part in range(parts)]

    def _walks(self, groups: int) -> list[int]:
        """Walks through the groups that go with each block of gradient rows, at least one."""
        sizes = self._sizes()
        total = max(len(sizes), WALKED_PER_ROW * self.rows // walk_length(groups))
        return [total * (part + 1) // len(sizes) - total * part // len(sizes) for part in range(len(sizes))]

    def _singles(self, groups: int) -> list[int]:
        """Single rows of each block: what gradient rows and walks leave missing of ``SCORES_PER_ROW``."""
        blocks = zip(self._sizes(), self._walks(groups), strict=True)
        return [max(0, (SCORES_PER_ROW - 1) * size - walks * walk_length(groups)) for size, walks in blocks]

    def planned(self, weights: int, groups: int) -> int:
        """Forward-equivalents of a whole run; the number of weights does not matter."""
        del weights
        walked = sum(self._walks(groups)) * walk_length(groups)
        return FORWARDS * self.rows + walked + sum(self._singles(groups))

    def init(self, f: WeightFunction, stream: int = 0) -> DerivativeState:
        """A state before the first block."""
        squares, slopes, weighted = np.zeros((3, len(self._sizes()), len(f.groups)))
        groups = GroupSums.zeros(len(self._sizes()), f.groups)
        return DerivativeState(
            0, squares, slopes, weighted, groups, np.random.SeedSequence([self.seed, stream])
        )

    def finished(self, state: DerivativeState) -> bool:
        """Whether all blocks are done."""
        return state.block >= len(self._sizes())

    def step(self, f: WeightFunction, state: DerivativeState) -> DerivativeState:
        """One more block: gradient rows, walks through the groups, single rows."""
        size = self._sizes()[state.block]
        groups = int(f.groups.max()) + 1
        walks, single = self._walks(groups)[state.block], self._singles(groups)[state.block]
        child, other, order = state.seed.spawn(3)
        rows = torch.from_numpy(designs.draw(size + single, len(f.groups), child, self.design))
        scores, gradients = f.gradient(rows[:size])
        slopes, weights = gradients.double().cpu().numpy(), rows[:size].double().numpy()
        state.squares[state.block] = (slopes**2).sum(0)
        state.slopes[state.block] = slopes.sum(0)
        state.weighted[state.block] = (slopes * weights * (1 - weights)).sum(0)
        state.keep(scores.double().cpu().numpy(), together=False)
        generator = np.random.default_rng(order)
        starts, stops = designs.pairs(walks, len(f.groups), other, self.design)
        for start, stop in zip(starts, stops, strict=True):
            path = walk(f, torch.from_numpy(start), torch.from_numpy(stop), generator)
            state.groups.add(state.block, path)
            state.keep(path.scores, together=True)
        if single:
            state.keep(f(rows[size:]).double().cpu().numpy(), together=False)
        state.block += 1
        return state

    def estimate(self, state: DerivativeState) -> Estimate:
        """Bounds from the blocks so far."""
        done, sizes = state.block, np.array(self._sizes())
        scores, clusters, blocks = (
            np.concatenate(part) for part in (state.scores, state.clusters, state.blocks)
        )

        def variance(kept: np.ndarray) -> float:
            chosen = np.isin(blocks, kept)
            return max(between_variance(scores[chosen], clusters[chosen]), float(np.finfo(float).tiny))

        def mean(sums: np.ndarray, kept: np.ndarray) -> np.ndarray:
            return np.asarray(sums[kept].sum(0) / sizes[kept].sum())

        everyone = np.arange(done)
        total, slope = variance(everyone), mean(state.slopes, everyone)
        gradients = int(sizes[:done].sum())
        if vanishing(total, float(scores[0])):
            return Estimate.of_constant(
                len(slope), state.groups.squares.shape[1], state.evaluations, gradients
            )
        found = bounds(
            lambda kept: mean(state.squares, kept) / variance(kept),
            lambda kept: mean(state.weighted, kept) * math.sqrt(3.0 / variance(kept)),
            done,
        )
        kind = np.full(len(slope), Kind.BOUNDED if done > 1 else Kind.UNRESOLVED, np.int8)
        groups = state.groups.indices(variance, found.first, found.total)
        return Estimate(
            found.linear, found.low, found.high, kind, slope, groups, total, state.evaluations, gradients
        )


@dataclass(frozen=True, eq=False)
class Bounds:
    """What derivatives tell of the indices of ``d`` weights.

    ``linear`` is the total if the score is linear in the weight; ``low`` and ``high`` hold the total with
    95 % confidence each; ``first`` and ``total`` estimate the lower bound of the first-order index and the
    upper bound of the total without bias, so that they may be summed over weights.
    """

    linear: Float[np.ndarray, " d"]
    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    first: Float[np.ndarray, " d"]
    total: Float[np.ndarray, " d"]


def bounds(
    squared: Callable[[np.ndarray], np.ndarray], root: Callable[[np.ndarray], np.ndarray], blocks: int
) -> Bounds:
    """The bounds from leave-one-block-out statistics.

    ``squared(kept)`` is E[(df/dw)^2] / V and ``root(kept)`` sqrt(3 / V) E[w (1 - w) df/dw], from the blocks
    in ``kept``. The upper limit is taken on a log scale: mean squares and variances are positive and skewed.
    """
    ratio, error = jackknife(squared, blocks)
    linear, total = ratio / 12, ratio / math.pi**2
    if blocks < 2:
        nothing, all_of_it = np.zeros_like(linear), np.maximum(linear, 1.0)
        return Bounds(linear, nothing, all_of_it, nothing, total)
    relative = np.divide(error, ratio, out=np.zeros_like(error), where=ratio > 0)
    high = total * np.exp(np.minimum(student(blocks) * relative, 50.0))
    correlation, spread = jackknife(root, blocks)
    low = np.clip(np.abs(correlation) - student(blocks) * spread, 0.0, None) ** 2
    # A squared mean is too large by its variance.
    first = correlation**2 - spread**2
    return Bounds(linear, np.minimum(low, linear), np.maximum(np.minimum(high, 1.0), linear), first, total)
