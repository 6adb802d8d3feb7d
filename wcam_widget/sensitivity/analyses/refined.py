"""Total indices from the coarse to the fine: sets of weights are split only where they may matter.

The total index of a set of weights, T_u = E[(f(A) - f(A with u from B))^2] / (2 V), is at least that of each
of its members. So a set with a small total needs no further rows: branch and bound over a tree of sets.
Every weight is drawn at the finest grid, once, so that refining never changes what is measured, and every set
is exchanged on the same rows A and B.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from typing_extensions import override

from wcam_widget.sensitivity.analyses.refined_nodes import Nodes, RefinedState
from wcam_widget.sensitivity.analysis import (
    CONSTANT_SCORE,
    REPLICATES,
    AbstractAnalysis,
    ensure_rows,
    ensure_share,
)
from wcam_widget.sensitivity.estimate import RESOLUTION, Estimate, GroupEstimate, Kind, kinds
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.sampling.group_walks import walk, walk_length
from wcam_widget.sensitivity.statistics.group_sums import GroupSums
from wcam_widget.sensitivity.statistics.jackknife import Replicated
from wcam_widget.sensitivity.statistics.pair_sums import over

BATCH = 64  # rows of weights with sets exchanged that a step evaluates, at least
SINGLES = 32  # single weights a step exchanges: enough to fill a batch from one row


@dataclass(frozen=True)
class Refined(AbstractAnalysis[RefinedState]):
    """Total indices by dyadic refinement, for models without gradients and scores that few weights decide.

    The sets are the nodes of ``f.tree``: levels, bands, quarters of a band, cells. Those with the highest
    upper limit come first; one whose upper limit is below ``threshold`` is not split, and its weights are
    bounded by that limit. Weights reached one by one are estimated, with slopes and first-order indices.
    Every limit holds with 95 % on its own.

    Args:
        rows: Pairs of random rows A and B, at least 2; each costs an evaluation for every set exchanged, and
            two for every group.
        seed: At least 0; runs with one seed repeat.
        threshold: A share of the variance, in (0, 1), below which a set is not split.
        budget: Evaluations to spend at most; None for as many as it takes.

    Raises:
        ValueError: A parameter outside its range is named; ``validate`` and ``init`` do so for a budget that
            is too small.

    References:
        Sobol' (2001), "Global sensitivity indices for nonlinear mathematical models", and Jansen (1999) for
        total indices of sets; that they bound those of their members follows from the decomposition of the
        variance (Owen 2013, "Variance components and generalized Sobol' indices").

    Examples:
        >>> from wcam_widget.sensitivity import Analytic
        >>> f = Analytic(lambda w: w[:, 3] + 2 * w[:, 40], np.arange(64) // 16)
        >>> *_, estimate = Refined(rows=64).run(f)
        >>> np.argsort(-estimate.value)[:2].tolist(), bool(estimate.evaluations < 64 * 64)
        ([40, 3], True)
    """

    rows: int = 16
    seed: int = 0
    threshold: float = RESOLUTION
    budget: int | None = None

    def __post_init__(self) -> None:
        ensure_rows(self.rows, 2)
        ensure_share(self.threshold, "threshold")

    @override
    def planned(self, weights: int, groups: int) -> int:
        # A node has two children or none, so that there are fewer than twice as many nodes as weights.
        return self.rows * (walk_length(groups) + 2 * weights) if self.budget is None else int(self.budget)

    @override
    def validate(self, weights: int, groups: int) -> None:
        # Refuse a budget that allows no set to be exchanged; the number of weights does not matter.
        del weights
        least = self.rows * (walk_length(groups) + 1)
        if self.budget is not None and self.budget < least:
            raise ValueError(
                f"budget={self.budget} is too small: with rows={self.rows} the first answer takes {least} "
                "evaluations; lower rows or raise budget"
            )

    @override
    def init(self, f: WeightFunction, stream: int = 0) -> RefinedState:
        # A state before the first evaluation: the rows are drawn, nothing is evaluated.
        weights, parts = len(f.groups), min(REPLICATES, self.rows)
        generator = np.random.default_rng([self.seed, stream])
        a, b = torch.from_numpy(generator.random((2, self.rows, weights), np.float32))
        groups = GroupSums.zeros(parts, f.groups)
        self.validate(weights, groups.squares.shape[1])
        return RefinedState(
            stream=stream,
            a=a,
            b=b,
            replicates=np.arange(self.rows) * parts // self.rows,
            nodes=Nodes.unmeasured(f.tree, parts),
            groups=groups,
            ends=np.full((self.rows, 2), np.nan),
            slope=np.full(weights, np.nan),
            first=np.full(weights, np.nan),
        )

    @override
    def finished(self, state: RefinedState) -> bool:
        # Whether no node is left that may matter, or the budget allows none.
        spent = state.begun and (state.log.constant() or self._affordable(state) < 1)
        return spent or (state.begun and len(state.nodes.open(self.threshold)) == 0)

    @override
    def step(self, f: WeightFunction, state: RefinedState) -> None:
        # First A and B and the walks between them; then some sets of weights, or some single ones.
        if not state.begun:
            self._begin(f, state)
            return
        sets = max(1, BATCH // self.rows)
        chosen = state.nodes.next(self.threshold, sets, SINGLES, self._affordable(state))
        self._measure(f, state, chosen)

    @override
    def replayed(self, f: WeightFunction, state: RefinedState, stream: int, evaluations: int) -> RefinedState:
        # Another score of the nodes of ``state``. A weight that mattered to the first score only, or to this
        # one only, may be left bounded loosely.
        fresh = self.init(f, stream)
        self._begin(f, fresh)
        for nodes in state.choices:
            if fresh.evaluations < evaluations:
                self._measure(f, fresh, nodes)
        return fresh

    @override
    def continues(self, earlier: object) -> bool:
        # Runs that differ in ``threshold`` and ``budget`` only go on from each other.
        if not isinstance(earlier, Refined):
            return False
        return self == replace(earlier, threshold=self.threshold, budget=self.budget)

    @override
    def deeper(self, state: RefinedState) -> Refined | None:
        more = self.budget is not None and not state.log.constant() and len(state.nodes.open(self.threshold))
        return replace(self, budget=2 * (self.budget or 0)) if more else None

    def _affordable(self, state: RefinedState) -> int:
        """Nodes the rest of the budget allows."""
        budget = self.planned(len(state.slope), state.groups.squares.shape[1])
        return (budget - state.evaluations) // self.rows

    def _begin(self, f: WeightFunction, state: RefinedState) -> None:
        order = np.random.default_rng([self.seed, state.stream, 1])
        paths = [walk(f, a, b, order) for a, b in zip(state.a, state.b, strict=True)]
        for replicate, path in zip(state.replicates.tolist(), paths, strict=True):
            state.groups.add_walk(replicate, path)
            state.log.keep(path.scores, replicate, together=True)
            state.evaluations += len(path.scores)
        state.ends = np.stack([path.scores[:2] for path in paths])

    def _measure(self, f: WeightFunction, state: RefinedState, chosen: Int[np.ndarray, " k"]) -> None:
        """Exchange nodes, all sets or all single weights, on every row."""
        members = [state.nodes.tree.members[node] for node in chosen]
        if state.nodes.sizes[chosen[0]] == 1:
            weights = np.concatenate(members)
            rows = zip(state.a, state.b, strict=True)
            scores = torch.stack([f.one_at_a_time(a, b, weights) for a, b in rows])
        else:
            taken = torch.zeros(len(chosen), 1, state.a.shape[1], dtype=torch.bool)
            for mask, held in zip(taken, members, strict=True):
                mask[0, held] = True
            scores = f(torch.where(taken, state.b, state.a).flatten(0, 1)).view(len(chosen), -1).T
        self._update(state, chosen, scores.double().cpu().numpy())
        state.choices.append(chosen)
        state.evaluations += scores.numel()

    def _update(
        self, state: RefinedState, chosen: Int[np.ndarray, " k"], scores: Float[np.ndarray, "n k"]
    ) -> None:
        """Take in the scores of the rows A with each of some nodes from B."""
        nodes = state.nodes
        change = scores - state.ends[:, :1]
        parts = np.arange(len(nodes.left_out))[:, None] == state.replicates
        squares, rows = parts @ (change**2 / 2), np.repeat(parts.sum(1, dtype=float)[:, None], len(chosen), 1)
        for place, node in enumerate(chosen.tolist()):
            group = state.group_of.get(node)
            if group is not None:
                # The walks exchanged this set as well, in other surroundings.
                squares[:, place] += state.groups.squares[:, group]
                rows[:, place] += state.groups.walks
                own = slice(group, group + 1)
                for row, (replicate, ends) in enumerate(zip(state.replicates, state.ends, strict=True)):
                    pair = (float(ends[0]), float(ends[1]))
                    state.groups.exchanged.add(int(replicate), own, pair, scores[row, [place]], 0.0)
        single = nodes.sizes[chosen] == 1
        weights = [int(nodes.tree.members[node][0]) for node in chosen[single]]
        span = (state.b[:, weights] - state.a[:, weights]).double().numpy()
        state.slope[weights] = over((change[:, single] * span).sum(0), (span**2).sum(0))
        other = state.ends[:, 1:] - state.log.mean()
        state.first[weights] = (other * change[:, single]).mean(0) / state.spread[0]
        left_out = (squares.sum(0) - squares) / (rows.sum(0) - rows) / state.spread[1:, None]
        value = squares.sum(0) / rows.sum(0) / state.spread[0]
        nodes.update(chosen, Replicated(value, left_out))

    @override
    def estimate(self, state: RefinedState) -> Estimate:
        # Estimates of the weights reached, limits for the others.
        weights, groups = len(state.slope), state.groups.squares.shape[1]
        if state.log.constant():
            return Estimate.of_constant(weights, groups, state.evaluations)
        nodes, near = state.nodes, state.nodes.nearest
        size, reached, high = nodes.sizes[near], ~np.isnan(state.slope), nodes.limit[near]
        bounded = np.where(high < self.threshold, Kind.BOUNDED, Kind.UNRESOLVED)
        return Estimate(
            value=nodes.value[near] / size,
            low=np.where(reached, nodes.low[near], 0.0),
            high=high,
            kind=np.where(reached, kinds(nodes.symmetric_low[near], high), bounded).astype(np.int8),
            error=nodes.error[near] / size,
            first=state.first.copy(),
            slope=state.slope.copy(),
            left_out=nodes.left_out[:, near] / size,
            groups=self._groups(state),
            variance=float(state.spread[0]),
            evaluations=state.evaluations,
        )

    def _groups(self, state: RefinedState) -> GroupEstimate:
        """Indices of the groups from walks and from nodes that are groups, below the nodes' limits."""
        weights = len(state.slope)
        groups = state.groups.indices(state.variance, state.log.mean(), np.zeros(weights), np.ones(weights))
        high = np.minimum(groups.high, state.nodes.group_limits(state.groups.members))
        total = np.minimum(groups.total, high)
        closed = np.where(state.groups.exchanged.count.any(0), groups.closed, np.nan)
        return replace(groups, total=total, low=np.minimum(groups.low, total), high=high, closed=closed)

    @override
    def reason(self, state: RefinedState) -> str:
        # Nothing left that may matter, or out of budget, and what to change for more.
        if state.log.constant():
            return CONSTANT_SCORE
        together = state.nodes.sizes[state.nodes.nearest] > 1
        if len(state.nodes.open(self.threshold)):
            waiting = int((together & (state.nodes.limit[state.nodes.nearest] >= self.threshold)).sum())
            return (
                f"the budget of {self.budget} evaluations is spent; {waiting} cells are known only together: "
                "raise budget, or raise threshold"
            )
        unsure = int((self.estimate(state).kind == Kind.UNRESOLVED).sum())
        more = f"; {unsure} of them are not resolved: raise rows for that" if unsure else ""
        return (
            f"all cells that may reach threshold={self.threshold} were measured one by one, "
            f"{int((~together).sum())} of {len(together)}{more}"
        )
