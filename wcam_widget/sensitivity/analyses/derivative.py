"""Total indices bounded by derivatives: one backward pass measures every weight at once.

For independent uniform weights on [0, 1], T_i <= E[(df/dw_i)^2] / (pi^2 V) (Sobol' and Kucherenko 2009,
"Derivative based global sensitivity measures"); for a score linear in w_i, T_i = E[(df/dw_i)^2] / (12 V).
From below, T_i >= S_i >= 3 E[w_i (1 - w_i) df/dw_i]^2 / V: integrating Cov(f, w_i) by parts gives
E[w_i (1 - w_i) df/dw_i] / 2, and S_i is at least the squared correlation with w_i, 12 Cov(f, w_i)^2 / V.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from typing_extensions import override

from wcam_widget.sensitivity.analysis import ALL_ROWS, CONSTANT_SCORE, AbstractAnalysis, ensure_rows
from wcam_widget.sensitivity.estimate import Estimate, Kind
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.sampling import designs
from wcam_widget.sensitivity.sampling.group_walks import walk, walk_length
from wcam_widget.sensitivity.statistics.group_sums import GroupSums
from wcam_widget.sensitivity.statistics.jackknife import Replicated, replicated
from wcam_widget.sensitivity.statistics.score_log import ScoreLog

BLOCKS = 16
FORWARDS = 3  # what a forward with its backward pass costs, in forwards
WALKED_PER_ROW = 4  # scores on walks through the groups
# Plain scores with each gradient row where no walk is: a bound that uses a poor variance bounds nothing.
PLAIN_PER_ROW = 3


@dataclass(eq=False)
class DerivativeState:
    """Sums over the gradient rows of each block, and all scores for the variance."""

    stream: int
    squares: Float[np.ndarray, "r d"]
    slopes: Float[np.ndarray, "r d"]
    weighted: Float[np.ndarray, "r d"]
    groups: GroupSums
    rows: Int[np.ndarray, " r"]  # gradient rows done
    singles: Int[np.ndarray, " r"]  # plain rows done
    log: ScoreLog = field(default_factory=ScoreLog)
    evaluations: int = 0

    @property
    def begun(self) -> int:
        """Blocks with at least one row; the first ones."""
        return int(np.count_nonzero(self.rows))


@dataclass(frozen=True)
class Derivative(AbstractAnalysis[DerivativeState]):
    """Bounds and linear estimates of all total indices from mean squared derivatives.

    The value is the linear estimate; ``low`` and ``high`` are confidence limits of the lower and the upper
    bound. Ranks cells better than hundreds of times as many Sobol evaluations; magnitudes err upwards.

    Args:
        rows: Rows with a backward pass, at least 2; each costs about three evaluations, and about six plain
            ones go to the variance and to the indices of the groups.
        seed: At least 0; runs with one seed repeat.
        design: How rows are drawn: ``auto``, ``sobol``, ``latin`` or ``random``.

    Raises:
        ValueError: A parameter outside its range is named.

    References:
        Sobol' and Kucherenko (2009), "Derivative based global sensitivity measures and their link with global
        sensitivity indices", for the upper bound E[(df/dw)^2] / (pi^2 V). The lower bound follows from
        integrating the covariance by parts, as the module states.

    Examples:
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
    replayable = False

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        designs.ensure_kind(self.design)

    def _sizes(self) -> list[int]:
        parts = min(BLOCKS, self.rows)
        return [self.rows * (part + 1) // parts - self.rows * part // parts for part in range(parts)]

    def _walks(self, groups: int) -> list[int]:
        """Walks through the groups that go with each block of gradient rows, two at least."""
        sizes = self._sizes()
        total, parts = max(2, WALKED_PER_ROW * self.rows // walk_length(groups)), len(sizes)
        # Rounded up, so that the first block has one.
        done = [-(-total * part // parts) for part in range(parts + 1)]
        return [after - before for before, after in pairwise(done)]

    def _singles(self, groups: int) -> list[int]:
        """Plain rows of each block, for the variance, where no walk serves it."""
        blocks = zip(self._sizes(), self._walks(groups), strict=True)
        return [0 if walks else PLAIN_PER_ROW * size for size, walks in blocks]

    @override
    def planned(self, weights: int, groups: int) -> int:
        # Forward-equivalents of a complete run; the number of weights does not matter.
        del weights
        walked = sum(self._walks(groups)) * walk_length(groups)
        return FORWARDS * self.rows + walked + sum(self._singles(groups))

    @override
    def init(self, f: WeightFunction, stream: int = 0) -> DerivativeState:
        blocks = len(self._sizes())
        squares, slopes, weighted = np.zeros((3, blocks, len(f.groups)))
        rows, singles = np.zeros((2, blocks), np.int64)
        groups = GroupSums.zeros(blocks, f.groups)
        return DerivativeState(stream, squares, slopes, weighted, groups, rows, singles)

    @override
    def finished(self, state: DerivativeState) -> bool:
        return bool((state.rows >= self._sizes()).all())

    @override
    def step(self, f: WeightFunction, state: DerivativeState) -> None:
        # One more block: gradient rows, walks through the groups, single rows.
        done, groups = state.rows, state.groups.squares.shape[1]
        block = int(np.argmax(done < self._sizes()))
        size = self._sizes()[block] - int(done[block])
        # A run that goes on has walked elsewhere than a longer one would have by now: its price stays.
        spent = state.evaluations + (FORWARDS - 1) * int(done.sum())
        left = self.planned(0, groups) - spent - FORWARDS * (self.rows - int(done.sum()))
        wanted = max(0, self._walks(groups)[block] - int(state.groups.walks[block]))
        walks = min(wanted, max(0, left) // walk_length(groups))
        plain = max(0, self._singles(groups)[block] - int(state.singles[block]))
        single = min(plain, max(0, left - walks * walk_length(groups)))
        place = [self.seed, state.stream, block, *([int(done[block])] if done[block] else [])]
        child, other, order = np.random.SeedSequence(place).spawn(3)
        rows = torch.from_numpy(designs.draw(size + single, len(f.groups), child, self.design))
        scores, gradients = f.gradient(rows[:size])
        generator = np.random.default_rng(order)
        ends = zip(*designs.pairs(walks, len(f.groups), other, self.design), strict=True)
        paths = [walk(f, torch.from_numpy(start), torch.from_numpy(stop), generator) for start, stop in ends]
        more = f(rows[size:]).double().cpu().numpy() if single else np.zeros(0)
        slopes, weights = gradients.double().cpu().numpy(), rows[:size].double().numpy()
        state.squares[block] += (slopes**2).sum(0)
        state.slopes[block] += slopes.sum(0)
        state.weighted[block] += (slopes * weights * (1 - weights)).sum(0)
        state.log.keep(scores.double().cpu().numpy(), block, together=False)
        for path in paths:
            state.groups.add_walk(block, path)
            state.log.keep(path.scores, block, together=True)
        state.log.keep(more, block, together=False)
        state.evaluations += size + len(more) + sum(len(path.scores) for path in paths)
        state.rows[block] += size
        state.singles[block] += single

    @override
    def estimate(self, state: DerivativeState) -> Estimate:
        weights, groups = state.squares.shape[1], state.groups.squares.shape[1]
        gradients = int(state.rows.sum())
        if state.log.constant():
            return Estimate.of_constant(weights, groups, state.evaluations, gradients)
        bounds = self.bounds(state, state.log)
        everyone = np.arange(state.begun)
        return Estimate(
            value=bounds.linear.value,
            low=bounds.low,
            high=bounds.high,
            kind=np.full(weights, Kind.BOUNDED if state.begun > 1 else Kind.UNRESOLVED, np.int8),
            error=bounds.linear.error,
            first=np.full(weights, np.nan),
            slope=_mean(state, state.slopes, everyone),
            left_out=bounds.linear.left_out,
            groups=state.groups.indices(
                state.log.variance,
                state.log.mean(),
                bounds.first,
                bounds.total,
                bounds.of_groups(state.groups),
            ),
            variance=state.log.variance(everyone),
            evaluations=state.evaluations,
            gradients=gradients,
        )

    @override
    def reason(self, state: DerivativeState) -> str:
        return CONSTANT_SCORE if state.log.constant() else ALL_ROWS

    @override
    def continues(self, earlier: object) -> bool:
        # Runs that differ in ``rows`` only go on from each other where they have as many blocks.
        if not isinstance(earlier, Derivative) or min(BLOCKS, earlier.rows) != min(BLOCKS, self.rows):
            return False
        return self == replace(earlier, rows=self.rows)

    @override
    def deeper(self, state: DerivativeState) -> Derivative | None:
        return None if state.log.constant() or self.rows < BLOCKS else replace(self, rows=2 * self.rows)

    @override
    def replayed(
        self, f: WeightFunction, state: DerivativeState, stream: int, evaluations: int
    ) -> DerivativeState:
        # Not possible: derivatives belong to one score.
        del f, state, stream, evaluations
        raise ValueError(
            "target: the derivatives of Derivative() belong to the target they were taken for; "
            "explain the image again for another, or use Sobol() or Screened(), which keep all class scores"
        )

    def bounds(self, state: DerivativeState, log: ScoreLog) -> Bounds:
        """The bounds from the blocks so far.

        Args:
            state: A state after at least one step.
            log: The scores whose variance the bounds are shares of.
        """

        def linear(kept: np.ndarray) -> Float[np.ndarray, " d"]:
            return _mean(state, state.squares, kept) / (12 * log.variance(kept))

        def root(kept: np.ndarray) -> Float[np.ndarray, " d"]:
            return _mean(state, state.weighted, kept) * math.sqrt(3.0 / log.variance(kept))

        return Bounds(replicated(linear, state.begun), replicated(root, state.begun))


def _mean(
    state: DerivativeState, sums: Float[np.ndarray, "r d"], kept: np.ndarray
) -> Float[np.ndarray, " d"]:
    return np.asarray(sums[kept].sum(0) / state.rows[kept].sum())


@dataclass(frozen=True, eq=False)
class Bounds:
    """What derivatives tell of the indices of ``d`` weights.

    ``linear`` is E[(df/dw)^2] / (12 V), the total if the score is linear in the weight; ``root`` is
    sqrt(3 / V) E[w (1 - w) df/dw], whose square bounds the first-order index from below.
    """

    linear: Replicated
    root: Replicated

    @cached_property
    def high(self) -> Float[np.ndarray, " d"]:
        """The upper end of the 95 % interval of the upper bound, 12/pi^2 times ``linear``."""
        _, limit = self.linear.interval()
        return np.asarray(np.maximum(np.minimum(limit * 12 / math.pi**2, 1.0), self.linear.value))

    @cached_property
    def low(self) -> Float[np.ndarray, " d"]:
        """The lower end of the 95 % interval of the lower bound."""
        low, high = self.root.symmetric_interval()
        nearest = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
        return np.asarray(np.minimum(np.minimum(nearest**2, 1.0), self.linear.value))

    @cached_property
    def total(self) -> Float[np.ndarray, " d"]:
        """The upper bound of the total, unbiased, so that it may be summed over weights."""
        return self.linear.value * 12 / math.pi**2

    def of_groups(self, groups: GroupSums) -> Float[np.ndarray, " g"]:
        """The upper end of the 95 % interval of what bounds a group's total: the sum of its members' bounds.

        Over many members it is much less noisy than the bound of each.
        """
        member = np.eye(groups.squares.shape[1])[groups.members]
        together = Replicated(self.linear.value @ member, self.linear.left_out @ member)
        return np.asarray(together.interval()[1] * 12 / math.pi**2)

    @cached_property
    def first(self) -> Float[np.ndarray, " d"]:
        """The lower bound of the first-order index, unbiased: a squared mean is too large by its variance."""
        if len(self.root.left_out) < 2:
            return np.zeros_like(self.root.value)
        return np.asarray(self.root.value**2 - self.root.error**2)
