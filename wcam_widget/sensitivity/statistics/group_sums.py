"""Indices of groups of weights: totals, closed and Shapley effects, and what two groups cause together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import optimize
from torch import Tensor

from wcam_widget.sensitivity.estimate import GroupEstimate
from wcam_widget.sensitivity.sampling.group_walks import Walk
from wcam_widget.sensitivity.statistics.estimators import first_order
from wcam_widget.sensitivity.statistics.jackknife import Replicated, replicated, share_limits
from wcam_widget.sensitivity.statistics.pair_sums import PairSums, over

Shares = Float[np.ndarray, " g"]


def exchange_rows(
    start: Float[Tensor, " d"], stop: Float[Tensor, " d"], groups: Int[np.ndarray, " d"], *, pairs: bool
) -> Float[Tensor, "n d"]:
    """``start`` with each group from ``stop``, then, with ``pairs``, with every two groups from ``stop``.

    >>> exchange_rows(torch.zeros(3), torch.ones(3), np.array([0, 1, 1]), pairs=True).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    count = int(groups.max()) + 1
    sets = [(one,) for one in range(count)] + (list(combinations(range(count), 2)) if pairs else [])
    taken = torch.from_numpy(np.stack([np.isin(groups, chosen) for chosen in sets]))
    return torch.where(taken.to(start.device), stop, start)


def exchange_count(groups: int, *, pairs: bool) -> int:
    """Rows of ``exchange_rows``.

    >>> exchange_count(10, pairs=False), exchange_count(10, pairs=True)
    (10, 55)
    """
    return groups + (groups * (groups - 1) // 2 if pairs else 0)


@dataclass(eq=False)
class GroupSums:
    """Statistics of walks and exchanges added up, apart for each replicate (the first axis).

    ``joint`` adds up (a - c_g - c_h + c_gh)^2 / 4 over rows in which groups g and h were exchanged: the
    superset importance of the pair (Liu and Owen 2006, "Estimating mean dimensionality of analysis of
    variance decompositions"). It is None where pairs are not measured.
    """

    squares: Float[np.ndarray, "r g"]
    shapley: Float[np.ndarray, "r g"]
    walks: Float[np.ndarray, " r"]
    exchanged: PairSums
    joint: Float[np.ndarray, "r g g"] | None
    members: Int[np.ndarray, " d"]

    @classmethod
    def zeros(cls, replicates: int, groups: Int[np.ndarray, " d"], *, pairs: bool = False) -> GroupSums:
        """Sums before the first walk."""
        count = int(groups.max()) + 1
        squares, shapley = np.zeros((2, replicates, count))
        joint = np.zeros((replicates, count, count)) if pairs else None
        return cls(squares, shapley, np.zeros(replicates), PairSums.zeros(replicates, count), joint, groups)

    def add_walk(self, replicate: int, path: Walk) -> None:
        """Count one walk in."""
        self.squares[replicate] += path.squares
        self.shapley[replicate] += path.shapley
        self.walks[replicate] += 1

    def add_exchanges(
        self, replicate: int, ends: tuple[float, float], scores: Float[np.ndarray, " n"]
    ) -> None:
        """Count one row in: the scores of its ends A and B, and those of its ``exchange_rows``."""
        count = self.squares.shape[1]
        alone = scores[:count]
        self.exchanged.add(replicate, slice(None), ends, alone, 0.0)
        if self.joint is None:
            return
        for score, (one, other) in zip(scores[count:], combinations(range(count), 2), strict=True):
            part = (ends[0] - alone[one] - alone[other] + score) ** 2 / 4
            self.joint[replicate, one, other] += part
            self.joint[replicate, other, one] += part

    def indices(
        self,
        variance: Callable[[np.ndarray], float],
        centre: float,
        first: Float[np.ndarray, " d"],
        total: Float[np.ndarray, " d"],
        limit: Float[np.ndarray, " g"] | None = None,
    ) -> GroupEstimate:
        """Indices of the groups, with intervals over the replicates done.

        ``variance(kept)`` is the score's variance from the replicates in ``kept``, ``centre`` about its mean.
        ``first`` and ``total`` bound the members' first-order indices from below and their totals from above:
        they tell of the groups more precisely than a few walks can. A group's closed index is at least the
        sum of its members' first-order ones, its total at most the sum of theirs, and its Shapley effect lies
        between the two (Owen 2014, "Sobol' indices and Shapley value"). ``limit`` are upper limits of the
        groups' totals that are known otherwise.
        """
        least = np.clip(np.bincount(self.members, first), 0.0, None)
        most = np.minimum(np.bincount(self.members, total), 1.0)
        everyone = np.flatnonzero(self.walks + self.exchanged.count[:, 0])

        def totals(numbers: np.ndarray) -> Shares:
            kept = everyone[numbers]
            exchanged = self.exchanged.of(kept)
            rows = self.walks[kept].sum() + exchanged.count
            return over(self.squares[kept].sum(0) + exchanged.squares, rows * variance(kept))

        replicates = replicated(totals, len(everyone))
        low, high = share_limits(replicates)
        value = np.clip(replicates.value, np.minimum(least, most), most)
        high = high if limit is None else np.minimum(high, limit)
        low, high = np.minimum(low, value), np.maximum(high, value)
        spread, alone = variance(everyone), self.exchanged.of(everyone)
        known = alone.count.any()
        closed = first_order(alone.centred(centre), spread) if known else np.full(len(value), np.nan)
        effects = self._effects(least, np.minimum(most, high))
        joint = None if self.joint is None else self._superset(self.joint[everyone].sum(0), spread)
        return GroupEstimate(
            total=value,
            low=low,
            high=high,
            shapley=effects.value,
            closed=closed,
            left_out=replicates.left_out,
            superset=joint,
            shapley_left_out=effects.left_out,
        )

    def _effects(self, least: Shares, most: Shares) -> Replicated:
        """Shapley effects between their limits, and without each replicate that has walks."""
        walked = np.flatnonzero(self.walks)

        def climbs(numbers: np.ndarray) -> Shares:
            sums = self.shapley[walked[numbers]].sum(0)
            return over(sums, sums.sum())

        free = replicated(climbs, len(walked))
        value = shares_of_one(free.value, least, most) if self.shapley.sum() > 0 else free.value
        # What the limits move is known, and so the same without any of the replicates.
        return Replicated(value, free.left_out + (value - free.value))

    def _superset(self, sums: Float[np.ndarray, "g g"], variance: float) -> Float[np.ndarray, "g g"]:
        return np.asarray(sums / (self.exchanged.count[:, 0].sum() * variance))


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
