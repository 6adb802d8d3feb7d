"""Rows of exchanges: which weights a row draws anew, and from where.

A half squared step of the score is nearly proportional to the squared change of the weight, so that the noise
of an even draw is for the most part that of the change. An end drawn with a density in proportion to its
distance, and weighted by the inverse, has the same mean and about two thirds of the variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

NEAREST = 1e-4


@dataclass(frozen=True, eq=False)
class Exchanges:
    """Rows (n, d) of uniform weights, the weights each exchanges, their new values and importance."""

    rows: Float[np.ndarray, "n d"]
    which: Int[np.ndarray, "n m"]
    ends: Float[np.ndarray, "n m"]
    importance: Float[np.ndarray, "n m"]

    @property
    def changes(self) -> Float[np.ndarray, "n m"]:
        """By how much the exchanged weights change."""
        return np.asarray(self.ends - np.take_along_axis(self.rows, self.which, 1), float)

    def all_rows(self) -> Float[Tensor, "k d"]:
        """Each row, then the same with one weight exchanged, for each of its weights."""
        count, cells = self.which.shape
        rows = np.repeat(self.rows, 1 + cells, axis=0)
        places = np.arange(count)[:, None] * (1 + cells) + 1 + np.arange(cells)
        rows[places, self.which] = self.ends
        return torch.from_numpy(rows)


def distant(start: Float[np.ndarray, "*n m"], chance: Float[np.ndarray, "*n m"]) -> Float[np.ndarray, "*n m"]:
    """Ends in [0, 1] with a density in proportion to their distance from ``start``.

    ``chance`` is uniform in [0, 1).

    >>> distant(np.array([0.0, 0.5]), np.array([0.25, 0.5]))
    array([0.5, 0.5])
    """
    below, above = start**2, (1 - start) ** 2
    reached = chance * (below + above)
    left = reached < below
    reach = np.sqrt(np.where(left, below - reached, reached - below))
    return np.asarray(np.where(left, start - reach, start + reach))


def exchanges(place: list[int], first: int, which: Int[np.ndarray, "n m"], weights: int) -> Exchanges:
    """Rows number ``first`` on of the stream ``place``, in which the weights ``which`` are exchanged."""
    drawn = [np.random.default_rng([*place, first + number]) for number in range(len(which))]
    rows = np.stack([generator.random(weights, np.float32) for generator in drawn])
    chance = np.stack([generator.random(which.shape[1]) for generator in drawn])
    start = np.take_along_axis(rows, which, 1).astype(float)
    ends = distant(start, chance).astype(np.float32)
    # Nearer ends, one in a hundred million, would weigh the rounding of scores.
    distance = np.maximum(np.abs(ends - start), NEAREST)
    return Exchanges(rows, which, ends, (start**2 + (1 - start) ** 2) / (2 * distance))


def chosen(
    place: list[int], first: int, interest: Float[np.ndarray, " d"], size: tuple[int, int]
) -> Int[np.ndarray, "n m"]:
    """Weights to exchange in rows number ``first`` on: (n, m) different ones a row, by their ``interest``.

    Without replacement, chances in proportion to the interest (Efraimidis and Spirakis 2006, "Weighted random
    sampling with a reservoir").
    """
    rows, cells = size
    picked = []
    for number in range(rows):
        generator = np.random.default_rng([*place, first + number, 1])
        keys = generator.standard_exponential(len(interest)) / interest
        picked.append(np.sort(np.argsort(keys, kind="stable")[:cells]))
    return np.stack(picked)
