"""Walks from one row of weights to another, a group at a time: totals and Shapley effects of the groups.

On the way from A to B every row is a uniform draw, and consecutive rows differ in one group, drawn anew. So
half the squared step of a group is a Jansen estimate of its total index, and half its step times the whole
climb f(B) - f(A) an estimate of its Shapley effect (Goda 2021, "A simple algorithm for global sensitivity
analysis with Shapley effects", algorithm 1). Each order of groups is walked forwards and backwards between
the same ends, which shares two evaluations and cancels part of the noise of the order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import optimize
from torch import Tensor

from wcam_widget.sensitivity.analysis import GroupEstimate
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.intervals import jackknife, student

Shares = Float[np.ndarray, " g"]


@dataclass(frozen=True, eq=False)
class Walk:
    """Scores of one pair of walks between A and B and the two statistics of each group.

    ``scores`` are those of A, B, then the rows between, 2 g in all.
    """

    scores: Float[np.ndarray, " n"]
    squares: Float[np.ndarray, " g"]
    shapley: Float[np.ndarray, " g"]


def walk_length(groups: int) -> int:
    """Evaluations of one pair of walks.

    >>> walk_length(10), walk_length(1)
    (20, 2)
    """
    return 2 * groups


def walk_rows(
    start: Float[Tensor, " d"], stop: Float[Tensor, " d"], groups: Int[np.ndarray, " d"], order: np.ndarray
) -> Float[Tensor, "n d"]:
    """Rows strictly between ``start`` and ``stop``, the groups of ``order`` exchanged one after another.

    >>> walk_rows(torch.zeros(3), torch.ones(3), np.array([0, 1, 1]), np.array([1, 0]))
    tensor([[0., 1., 1.]])
    """
    rank = torch.from_numpy(np.argsort(order)[groups])
    reached = torch.arange(1, len(order))[:, None] > rank[None]
    return torch.where(reached.to(start.device), stop, start)


def walk(
    f: WeightFunction, start: Float[Tensor, " d"], stop: Float[Tensor, " d"], generator: np.random.Generator
) -> Walk:
    """Walk from ``start`` to ``stop`` in a random order of the groups and in the reverse order."""
    count = int(f.groups.max()) + 1
    order = generator.permutation(count)
    orders = [order, order[::-1]] if count > 1 else [order]
    between = [walk_rows(start, stop, f.groups, one) for one in orders]
    rows = torch.cat([start[None], stop[None], *between])
    scores = f(rows).double().cpu().numpy()
    first, last, *inner = scores
    squares, shapley = np.zeros(count), np.zeros(count)
    for number, one in enumerate(orders):
        path = [first, *inner[number * (count - 1) : (number + 1) * (count - 1)], last]
        steps = np.diff(path)
        squares[one] += steps**2 / 2 / len(orders)
        shapley[one] += steps * (last - first) / 2 / len(orders)
    return Walk(scores, squares, shapley)


@dataclass(eq=False)
class GroupSums:
    """Statistics of walks added up, apart for each block of independent rows (the first axis)."""

    squares: Float[np.ndarray, "r g"]
    shapley: Float[np.ndarray, "r g"]
    walks: Float[np.ndarray, " r"]
    members: Int[np.ndarray, " d"]

    @classmethod
    def zeros(cls, blocks: int, groups: Int[np.ndarray, " d"]) -> GroupSums:
        """Sums before the first walk."""
        count = int(groups.max()) + 1
        return cls(np.zeros((blocks, count)), np.zeros((blocks, count)), np.zeros(blocks), groups)

    def add(self, block: int, path: Walk) -> None:
        """Count one walk in."""
        self.squares[block] += path.squares
        self.shapley[block] += path.shapley
        self.walks[block] += 1

    def indices(
        self,
        variance: Callable[[np.ndarray], float],
        first: Float[np.ndarray, " d"],
        total: Float[np.ndarray, " d"],
    ) -> GroupEstimate:
        """Indices of the groups, with intervals over the blocks done.

        ``variance(kept)`` is the score's variance from the blocks in ``kept``. ``first`` and ``total`` bound
        the members' first-order indices from below and their totals from above: they tell of the groups more
        precisely than a few walks can. A group's first-order index is at least the sum of its members', its
        total at most the sum of theirs, and its Shapley effect lies between the two (Owen 2014).
        """
        least, most = np.bincount(self.members, first), np.bincount(self.members, total)
        least = np.clip(least, 0.0, None)
        done = int(np.count_nonzero(self.walks))
        walked, error = jackknife(
            lambda kept: self.squares[kept].sum(0) / self.walks[kept].sum() / variance(kept), done
        )
        # A total index is at most 1: that is all one block tells.
        reach = error * student(done) if done > 1 else np.ones_like(walked)
        most = np.minimum(most, 1.0)
        value = np.clip(walked, np.minimum(least, most), most)
        low = np.minimum(np.clip(walked - reach, 0.0, None), value)
        high = np.maximum(np.minimum(walked + reach, 1.0), value)
        effects = self.shapley.sum(0)
        climb = effects.sum()
        shapley = shares_of_one(effects / climb, least, np.minimum(most, high)) if climb > 0 else 0 * effects
        return GroupEstimate(value, low, high, shapley)


def shares_of_one(shares: Shares, least: Shares, most: Shares) -> Shares:
    """The nearest shares between ``least`` and ``most`` that add to 1.

    Distance counts less where the two limits are far apart, that is, where little is known. Limits between
    which no shares add to 1, as noise may have it, are widened to 0 and 1.

    >>> shares_of_one(np.array([0.9, 0.3, -0.2]), np.zeros(3), np.array([1.0, 0.1, 1.0])).round(2)
    array([0.9, 0.1, 0. ])
    """
    least = np.minimum(least, most) if np.minimum(least, most).sum() < 1.0 else np.zeros_like(least)
    most = most if most.sum() > 1.0 else np.ones_like(most)
    freedom = np.maximum(most - least, 1e-9)

    def shifted(shift: float) -> Shares:
        return np.asarray(np.clip(shares - shift * freedom, least, most))

    # The sum falls from that of ``most`` to that of ``least`` as all shares are shifted down together.
    ends = ((shares - most) / freedom).min(), ((shares - least) / freedom).max()
    return shifted(optimize.brentq(lambda shift: shifted(shift).sum() - 1.0, *ends, xtol=1e-12))
