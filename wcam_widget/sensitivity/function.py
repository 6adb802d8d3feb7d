"""The function an analysis evaluates: a score for every row of weights."""

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

    Args:
        parents: (m,) the parent of each node, -1 for the root, which comes first; a parent comes before its
            children.
        members: The weights under each of the m nodes; a node with one member has no children.

    Examples:
        >>> tree = Tree.halving(np.array([0, 0, 1]))
        >>> tree.parents.tolist(), [node.tolist() for node in tree.members]
        ([-1, 0, 0, 1, 1], [[0, 1, 2], [0, 1], [2], [0], [1]])
    """

    parents: Int[np.ndarray, " m"]
    members: tuple[Int[np.ndarray, " _"], ...]

    @classmethod
    def halving(cls, groups: Int[np.ndarray, " d"]) -> Tree:
        """All weights, then each group, then halves of halves.

        Args:
            groups: (d,) the group of each weight, 0 to G-1.
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
    """Scores of rows of ``d`` weights in [0, 1], which is all that an analysis sees of a model.

    Examples:
        >>> isinstance(Analytic(lambda w: w.sum(1), np.array([0, 1])), WeightFunction)
        True
    """

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The group of each weight, 0 to G-1."""

    @property
    def tree(self) -> Tree:
        """Sets of weights, coarse to fine, that may be changed together."""

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights.

        Args:
            weights: (n, d) in [0, 1].

        Returns:
            (n,) one score for each row.
        """

    def one_at_a_time(
        self,
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of a row in which one weight at a time is changed.

        A function that knows what one weight changes can answer much faster than row by row.

        Args:
            start_row: (d,) in [0, 1], the row that is changed.
            end_row: (d,) in [0, 1], where the changed weight comes from.
            which: (m,) the weights to change; None for all.

        Returns:
            (m,) the score of ``start_row`` with weight i from ``end_row``, for each i of ``which``.
        """

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores of rows of weights and their derivatives by each weight.

        Args:
            weights: (n, d) in [0, 1].

        Returns:
            (n,) scores and (n, d) derivatives.
        """


@dataclass(frozen=True, eq=False)
class Analytic:
    """A plain torch function of weights as a ``WeightFunction``.

    Args:
        function: Takes rows of weights (n, d) and returns scores (n,); differentiable for ``gradient``.
        groups: (d,) the group of each weight, 0 to G-1.

    Examples:
        >>> f = Analytic(lambda w: w @ torch.tensor([1.0, 2.0]), np.array([0, 1]))
        >>> f.one_at_a_time(torch.zeros(2), torch.ones(2))
        tensor([1., 2.])
    """

    function: Callable[[Float[Tensor, "n d"]], Float[Tensor, " n"]]
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
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of a row in which one weight at a time is changed; rows are made in chunks.

        Args:
            start_row: (d,) in [0, 1], the row that is changed.
            end_row: (d,) in [0, 1], where the changed weight comes from.
            which: (m,) the weights to change; None for all.
        """
        indices = torch.arange(len(start_row)) if which is None else torch.from_numpy(np.asarray(which))
        scores = []
        for changed in torch.split(indices, max(1, CHUNK // len(start_row))):
            weights = start_row.repeat(len(changed), 1)
            weights[torch.arange(len(changed)), changed] = end_row[changed]
            scores.append(self.function(weights))
        return torch.cat(scores)

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores of the rows and their derivatives by each weight.

        Args:
            weights: (n, d) in [0, 1].
        """
        with torch.enable_grad():
            leaf = weights.detach().requires_grad_()
            scores = self.function(leaf)
            (slopes,) = torch.autograd.grad(scores.sum(), leaf)
        return scores.detach(), slopes
