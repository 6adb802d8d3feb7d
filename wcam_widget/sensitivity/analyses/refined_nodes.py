"""What is known of the nodes of a tree of weights, and what follows for the weights below them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from wcam_widget.sensitivity.function import Tree
from wcam_widget.sensitivity.statistics.jackknife import Replicated

Numbers = Int[np.ndarray, " k"]


@dataclass(eq=False)
class Nodes:
    """Total indices of the nodes asked so far.

    A set's total index is at least that of each of its members, so ``limit``, the least upper limit of a node
    and its ancestors, holds for all that lies below. ``nearest`` is the smallest node asked that holds each
    weight. The root takes in all of the variance: it is known before anything was asked.
    """

    tree: Tree
    value: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    symmetric_low: Float[np.ndarray, " m"]
    limit: Float[np.ndarray, " m"]
    error: Float[np.ndarray, " m"]
    left_out: Float[np.ndarray, "r m"]
    asked: Bool[np.ndarray, " m"]
    nearest: Int[np.ndarray, " d"]

    @classmethod
    def unasked(cls, tree: Tree, replicates: int) -> Nodes:
        """Nodes of which only the root is known.

        >>> nodes = Nodes.unasked(Tree.halving(np.array([0, 0, 1])), replicates=2)
        >>> nodes.open(0.01).tolist(), nodes.sizes.tolist(), nodes.limit[nodes.nearest].tolist()
        ([1, 2], [3, 2, 1, 1, 1], [1.0, 1.0, 1.0])
        """
        left_out = np.zeros((replicates, len(tree.parents)))
        value, low, symmetric_low, limit, error = np.zeros((5, len(tree.parents)))
        nearest = np.zeros(len(tree.members[0]), np.int64)
        value[0] = limit[0] = left_out[:, 0] = 1.0
        # A single weight is a root that can be asked about.
        asked = np.arange(len(value)) < (len(nearest) > 1)
        return cls(tree, value, low, symmetric_low, limit, error, left_out, asked, nearest)

    @cached_property
    def sizes(self) -> Int[np.ndarray, " m"]:
        """Weights under each node."""
        return np.array([len(node) for node in self.tree.members])

    @cached_property
    def parents(self) -> Int[np.ndarray, " m"]:
        """The node above each node; the root above itself."""
        return np.asarray(np.maximum(self.tree.parents, 0))

    def whole_groups(self, groups: Int[np.ndarray, " d"]) -> dict[int, int]:
        """The nodes that hold all of one group and nothing else, with that group."""
        sizes, found = np.bincount(groups), {}
        for node, held in enumerate(self.tree.members):
            group = int(groups[held[0]])
            if len(held) == sizes[group] and (groups[held] == group).all():
                found[node] = group
        return found

    def open(self, threshold: float) -> Numbers:
        """The nodes not asked about yet, of those split because they may reach ``threshold``."""
        split = (self.asked & (self.limit >= threshold))[self.parents]
        split[0] = True
        return np.flatnonzero(split & ~self.asked)

    def next(self, threshold: float, sets: int, singles: int, most: int) -> Int[np.ndarray, " n"]:
        """The open nodes with the highest limits, at most ``most``: sets or single weights.

        ``sets`` at a time, until ``singles`` single weights wait, or as many as may still be asked about.
        """
        waiting = self.open(threshold)
        waiting = waiting[np.argsort(-self.limit[self.parents[waiting]], kind="stable")]
        single = self.sizes[waiting] == 1
        if single.all() or single.sum() >= min(singles, most):
            return np.asarray(waiting[single][: min(singles, most)])
        return np.asarray(waiting[~single][: min(sets, most)])

    def learn(self, nodes: Numbers, found: Replicated) -> None:
        """Take in the totals of open nodes."""
        low, high = found.interval()
        symmetric_low, _ = found.symmetric_interval()
        for place, node in enumerate(nodes.tolist()):
            limit = min(high[place], self.limit[self.parents[node]])
            # Sampled totals need not fall from a set to its members, as the true ones do.
            self.value[node] = min(found.value[place], limit)
            self.low[node] = min(low[place], self.value[node])
            self.symmetric_low[node] = symmetric_low[place]
            self.limit[node] = limit
            self.error[node] = found.error[place]
            self.left_out[:, node] = found.left_out[:, place]
            self.nearest[self.tree.members[node]] = node
        self.asked[nodes] = True

    def group_limits(self, groups: Int[np.ndarray, " d"]) -> Float[np.ndarray, " g"]:
        """Upper limits of groups: the limits of the nearest nodes that cover a group, added up."""
        pairs = np.unique(np.stack([groups, self.nearest]), axis=1)
        return np.minimum(np.bincount(pairs[0], self.limit[pairs[1]]), 1.0)
