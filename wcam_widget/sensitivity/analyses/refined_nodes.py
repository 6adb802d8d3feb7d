"""The state of a refinement: its rows, the nodes of the tree, and what follows for the weights below them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wcam_widget.sensitivity.function import Tree
from wcam_widget.sensitivity.statistics.group_sums import GroupSums
from wcam_widget.sensitivity.statistics.jackknife import Replicated
from wcam_widget.sensitivity.statistics.score_log import ScoreLog

Numbers = Int[np.ndarray, " k"]


@dataclass(eq=False)
class Nodes:
    """Total indices of the nodes measured so far.

    A set's total index is at least that of each of its members, so ``limit``, the least upper limit of a node
    and its ancestors, holds for all that lies below. ``nearest`` is the smallest measured node around each
    weight. The root takes in all of the variance: it is known before anything was measured.
    """

    tree: Tree
    value: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    symmetric_low: Float[np.ndarray, " m"]
    limit: Float[np.ndarray, " m"]
    error: Float[np.ndarray, " m"]
    left_out: Float[np.ndarray, "r m"]
    is_measured: Bool[np.ndarray, " m"]
    nearest: Int[np.ndarray, " d"]

    @classmethod
    def unmeasured(cls, tree: Tree, replicates: int) -> Nodes:
        """Nodes of which only the root is known.

        >>> nodes = Nodes.unmeasured(Tree.halving(np.array([0, 0, 1])), replicates=2)
        >>> nodes.open(0.01).tolist(), nodes.sizes.tolist(), nodes.limit[nodes.nearest].tolist()
        ([1, 2], [3, 2, 1, 1, 1], [1.0, 1.0, 1.0])
        """
        left_out = np.zeros((replicates, len(tree.parents)))
        value, low, symmetric_low, limit, error = np.zeros((5, len(tree.parents)))
        nearest = np.zeros(len(tree.members[0]), np.int64)
        value[0] = limit[0] = left_out[:, 0] = 1.0
        # A single weight is a root that can be measured.
        is_measured = np.arange(len(value)) < (len(nearest) > 1)
        return cls(tree, value, low, symmetric_low, limit, error, left_out, is_measured, nearest)

    @cached_property
    def sizes(self) -> Int[np.ndarray, " m"]:
        """Weights under each node."""
        return np.array([len(node) for node in self.tree.members])

    @cached_property
    def parents(self) -> Int[np.ndarray, " m"]:
        """The node above each node; the root above itself."""
        return np.asarray(np.maximum(self.tree.parents, 0))

    def complete_groups(self, groups: Int[np.ndarray, " d"]) -> dict[int, int]:
        """The nodes that hold all of one group and nothing else, with that group."""
        sizes, complete = np.bincount(groups), {}
        for node, held in enumerate(self.tree.members):
            group = int(groups[held[0]])
            if len(held) == sizes[group] and (groups[held] == group).all():
                complete[node] = group
        return complete

    def open(self, threshold: float) -> Numbers:
        """The nodes not measured yet, of those split because they may reach ``threshold``."""
        split = (self.is_measured & (self.limit >= threshold))[self.parents]
        split[0] = True
        return np.flatnonzero(split & ~self.is_measured)

    def next(self, threshold: float, sets: int, singles: int, most: int) -> Int[np.ndarray, " n"]:
        """The open nodes with the highest limits, at most ``most``: sets or single weights.

        ``sets`` at a time, until ``singles`` single weights wait, or as many as may still be measured.
        """
        waiting = self.open(threshold)
        waiting = waiting[np.argsort(-self.limit[self.parents[waiting]], kind="stable")]
        single = self.sizes[waiting] == 1
        if single.all() or single.sum() >= min(singles, most):
            return np.asarray(waiting[single][: min(singles, most)])
        return np.asarray(waiting[~single][: min(sets, most)])

    def update(self, nodes: Numbers, totals: Replicated) -> None:
        """Take in the totals of open nodes."""
        low, high = totals.interval()
        symmetric_low, _ = totals.symmetric_interval()
        for place, node in enumerate(nodes.tolist()):
            limit = min(high[place], self.limit[self.parents[node]])
            # Sampled totals need not fall from a set to its members, as the true ones do.
            self.value[node] = min(totals.value[place], limit)
            self.low[node] = min(low[place], self.value[node])
            self.symmetric_low[node] = symmetric_low[place]
            self.limit[node] = limit
            self.error[node] = totals.error[place]
            self.left_out[:, node] = totals.left_out[:, place]
            self.nearest[self.tree.members[node]] = node
        self.is_measured[nodes] = True

    def group_limits(self, groups: Int[np.ndarray, " d"]) -> Float[np.ndarray, " g"]:
        """Upper limits of groups: the limits of the nearest nodes that cover a group, added up."""
        pairs = np.unique(np.stack([groups, self.nearest]), axis=1)
        return np.minimum(np.bincount(pairs[0], self.limit[pairs[1]]), 1.0)


@dataclass(eq=False)
class RefinedState:
    """The rows, their scores ``ends`` (NaN before the first step) and the nodes, in ``choices`` by step."""

    stream: int
    a: Float[Tensor, "n d"]
    b: Float[Tensor, "n d"]
    replicates: Int[np.ndarray, " n"]
    nodes: Nodes
    groups: GroupSums
    ends: Float[np.ndarray, "n 2"]
    slope: Float[np.ndarray, " d"]
    first: Float[np.ndarray, " d"]
    log: ScoreLog = field(default_factory=ScoreLog)
    choices: list[Int[np.ndarray, " k"]] = field(default_factory=list)
    evaluations: int = 0

    @property
    def begun(self) -> bool:
        """Whether the rows A and B have been evaluated."""
        return self.evaluations > 0

    @cached_property
    def group_of(self) -> dict[int, int]:
        """The group each node is, for those nodes that are a complete group."""
        return self.nodes.complete_groups(self.groups.members)

    @cached_property
    def spread(self) -> Float[np.ndarray, " r1"]:
        """The score's variance from all rows, then without each replicate; 1 where it is only rounding."""
        count = int(self.replicates.max()) + 1
        everyone = np.arange(count)
        if self.log.constant():
            return np.ones(count + 1)
        total = self.log.variance(everyone)
        # A replicate that carries all of the variance would leave none to divide by.
        left_out = [max(self.log.variance(np.delete(everyone, one)), total / count) for one in everyone]
        return np.array([total, *left_out])

    def variance(self, kept: Int[np.ndarray, " k"]) -> float:
        """The score's variance from all replicates, or from all but one."""
        missing = np.setdiff1d(np.arange(len(self.spread) - 1), kept)
        return float(self.spread[missing[0] + 1 if len(missing) else 0])
