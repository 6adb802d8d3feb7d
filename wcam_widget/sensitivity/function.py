"""What an analysis asks: a score for every row of weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

CHUNK = 1 << 22  # numbers of an expanded design held at one time


@dataclass(frozen=True, eq=False)
class Tree:
    """A hierarchy of sets of weights, from all of them down to single ones.

    ``parents`` holds the parent of each node, -1 for the root, which comes first; a parent comes before its
    children. ``members`` are the weights under each node; a node with one member has no children.
    """

    parents: Int[np.ndarray, " m"]
    members: tuple[Int[np.ndarray, " _"], ...]

    @classmethod
    def halving(cls, groups: Int[np.ndarray, " d"]) -> Tree:
        """All weights, then each group, then halves of halves.

        >>> [node.tolist() for node in Tree.halving(np.array([0, 0, 1])).members]
        [[0, 1, 2], [0, 1], [2], [0], [1]]
        """
        everyone = np.arange(len(groups))
        parts = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
        parents, members = [-1], [everyone]
        children = parts if len(parts) > 1 else np.array_split(everyone, min(2, len(everyone)))
        pending = [(0, child) for child in children if len(child) < len(everyone)]
        while pending:
            parent, node = pending.pop(0)
            parents.append(parent)
            members.append(node)
            if len(node) > 1:
                pending += [(len(members) - 1, half) for half in np.array_split(node, 2)]
        return cls(np.array(parents), tuple(members))


@runtime_checkable
class WeightFunction(Protocol):
    """Scores of rows of ``d`` weights in [0, 1]; ``groups`` gives the group of each weight, 0 to G-1.

    ``one_at_a_time(base, other, which)`` are the scores of rows equal to ``base`` but for weight i, which is
    ``other[i]``, for each i of ``which``, or for all: a function that knows what one weight changes can
    answer much faster than row by row. ``tree`` is the order in which weights may be asked about together.
    """

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The group of each weight."""

    @property
    def tree(self) -> Tree:
        """Sets of weights, coarse to fine."""

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""

    def one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of ``base`` with one weight from ``other`` each."""

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores of rows of weights and their derivatives by each weight."""


@dataclass(frozen=True, eq=False)
class Analytic:
    """A plain torch function of weights (n, d) as a ``WeightFunction``.

    >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0]), np.array([0, 1]))
    >>> f.one_at_a_time(torch.zeros(2), torch.ones(2))
    tensor([1., 2.])
    """

    function: Callable[[Tensor], Tensor]
    groups: Int[np.ndarray, " d"]

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of the rows."""
        return self.function(weights)

    @property
    def tree(self) -> Tree:
        """All weights, the groups, then halves of halves."""
        return Tree.halving(self.groups)

    def one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of ``base`` with weight i from ``other``, for every i asked; rows are made in chunks."""
        asked = torch.arange(len(base)) if which is None else torch.from_numpy(np.asarray(which))
        scores = []
        for changed in torch.split(asked, max(1, CHUNK // len(base))):
            weights = base.repeat(len(changed), 1)
            weights[torch.arange(len(changed)), changed] = other[changed]
            scores.append(self.function(weights))
        return torch.cat(scores)

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores of the rows and their derivatives by each weight."""
        with torch.enable_grad():
            leaf = weights.detach().requires_grad_()
            scores = self.function(leaf)
            (slopes,) = torch.autograd.grad(scores.sum(), leaf)
        return scores.detach(), slopes
