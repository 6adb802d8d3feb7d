"""What is known of the nodes of a tree of weights, and what follows for the weights below them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from wcam_widget.sensitivity.function import Tree
from wcam_widget.sensitivity.intervals import Replicated

Numbers = Int[np.ndarray, " k"]


@dataclass(eq=False)
class Nodes:
    """Total indices of the nodes asked so far.

    A set's total index is at least that of each of its members, so ``limit``, the least upper limit of a node
    and its ancestors, holds for all that lies below. ``nearest`` is the smallest node asked that holds each
    weight, ``open`` the nodes that may matter and are not asked yet. The root takes in all of the variance:
    it is known before anything was asked.
    """

    tree: Tree
    value: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    symmetric_low: Float[np.ndarray, " m"]
    limit: Float[np.ndarray, " m"]
    error: Float[np.ndarray, " m"]
    left_out: Float[np.ndarray, "r m"]
    nearest: Int[np.ndarray, " d"]
    open: list[int]

    @classmethod
    def unasked(cls, tree: Tree, replicates: int) -> Nodes:
        """Nodes of which only the root is known.

        >>> nodes = Nodes.unasked(Tree.halving(np.array([0, 0, 1])), replicates=2)
        >>> nodes.children(0).tolist(), nodes.sizes.tolist(), nodes.limit[nodes.nearest].tolist()
        ([1, 2], [3, 2, 1, 1, 1], [1.0, 1.0, 1.0])
        """
        left_out = np.zeros((replicates, len(tree.parents)))
        value, low, symmetric_low, limit, error = np.zeros((5, len(tree.parents)))
        nearest = np.zeros(len(tree.members[0]), np.int64)
        value[0] = limit[0] = left_out[:, 0] = 1.0
        nodes = cls(tree, value, low, symmetric_low, limit, error, left_out, nearest, [])
        nodes.open = nodes.children(0).tolist() or [0]
        return nodes

    @cached_property
    def sizes(self) -> Int[np.ndarray, " m"]:
        """Weights under each node."""
        return np.array([len(node) for node in self.tree.members])

    @cached_property
    def _families(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes in the order of their parents, and where the children of each parent begin."""
        order = np.argsort(self.tree.parents, kind="stable")
        return order, np.searchsorted(self.tree.parents[order], np.arange(len(order) + 1))

    def children(self, node: int) -> Numbers:
        """The nodes a node is split into; none below a single weight."""
        order, starts = self._families
        return np.asarray(order[starts[node] : starts[node + 1]])

    def next(self, sets: int, singles: int, most: int) -> Numbers:
        """The open nodes with the highest limits, at most ``most``: sets of weights or single ones.

        ``sets`` at a time, until ``singles`` single weights wait, or as many as may still be asked about.
        """
        waiting = np.array(self.open)
        above = self.limit[np.maximum(self.tree.parents[waiting], 0)]
        waiting = waiting[np.argsort(-above, kind="stable")]
        single = self.sizes[waiting] == 1
        if single.all() or single.sum() >= min(singles, most):
            return np.asarray(waiting[single][: min(singles, most)])
        return np.asarray(waiting[~single][: min(sets, most)])

    def learn(self, nodes: Numbers, found: Replicated, threshold: float) -> None:
        """Take in the totals of open nodes, and open those below them that may reach ``threshold``."""
        low, high = found.interval()
        symmetric_low, _ = found.symmetric_interval()
        for place, node in enumerate(nodes.tolist()):
            limit = min(high[place], self.limit[self.tree.parents[node]] if node else 1.0)
            # Sampled totals need not fall from a set to its members, as the true ones do.
            self.value[node] = min(found.value[place], limit)
            self.low[node] = min(low[place], self.value[node])
            self.symmetric_low[node] = symmetric_low[place]
            self.limit[node] = limit
            self.error[node] = found.error[place]
            self.left_out[:, node] = found.left_out[:, place]
            self.nearest[self.tree.members[node]] = node
        done = set(nodes.tolist())
        self.open = [node for node in self.open if node not in done]
        for node in nodes[self.limit[nodes] >= threshold].tolist():
            self.open += self.children(node).tolist()

    def group_limits(self, groups: Int[np.ndarray, " d"]) -> Float[np.ndarray, " g"]:
        """Upper limits of groups: the limits of the nearest nodes that cover a group, added up."""
        pairs = np.unique(np.stack([groups, self.nearest]), axis=1)
        return np.minimum(np.bincount(pairs[0], self.limit[pairs[1]]), 1.0)
