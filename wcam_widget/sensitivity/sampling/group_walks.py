"""Walks from one row of weights to another, a group at a time: totals and Shapley effects of the groups.

On the way from A to B every row is a uniform draw, and consecutive rows differ in one group, drawn anew. So
half the squared step of a group is a Jansen estimate of its total index, and half its step times the total
climb f(B) - f(A) an estimate of its Shapley effect (Goda 2021, "A simple algorithm for global sensitivity
analysis with Shapley effects", algorithm 1). Each order of groups is walked forwards and backwards between
the same ends, which shares two evaluations and cancels part of the noise of the order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.sensitivity.function import WeightFunction


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
