"""A function of the cells of a square grid that rests on three spots."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from wcam_widget.sensitivity import Analytic, Tree

SIDE = 32


@dataclass(frozen=True, eq=False)
class Grid:
    """A function of the cells of a square grid, with quarters of quarters as its tree."""

    inner: Analytic

    @property
    def groups(self) -> np.ndarray:
        return self.inner.groups

    @cached_property
    def tree(self) -> Tree:
        cells, parents, members = np.arange(SIDE**2).reshape(SIDE, SIDE), [-1], [np.arange(SIDE**2)]
        pending = [(0, cells)]
        while pending:
            parent, square = pending.pop(0)
            for half in np.split(square, 2):
                for quarter in np.split(half, 2, axis=1):
                    parents.append(parent)
                    members.append(quarter.ravel())
                    pending += [(len(parents) - 1, quarter)] if quarter.size > 1 else []
        return Tree(np.array(parents), tuple(members))

    def __call__(self, weights: Tensor) -> Tensor:
        return self.inner(weights)

    def one_at_a_time(self, start_row: Tensor, end_row: Tensor, which: np.ndarray | None = None) -> Tensor:
        return self.inner.one_at_a_time(start_row, end_row, which)

    def gradient(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        return self.inner.gradient(weights)


def three_spots() -> Grid:
    row, column = np.mgrid[:SIDE, :SIDE]

    def spot(top: float, left: float, width: float) -> Tensor:
        shape = np.exp(-((row - top) ** 2 + (column - left) ** 2) / 2 / width**2)
        return torch.tensor(2 * shape.ravel() / shape.sum(), dtype=torch.float32)

    spots = torch.stack([spot(6, 7, 1.6), spot(20, 24, 1.3), spot(25, 9, 1.0)], 1)

    def function(weights: Tensor) -> Tensor:
        one, two, three = (weights @ spots).T
        return one.tanh() + 0.8 * two.tanh() + (0.5 + 0.6 * one.tanh()) * three

    return Grid(Analytic(function, np.zeros(SIDE**2, int)))
