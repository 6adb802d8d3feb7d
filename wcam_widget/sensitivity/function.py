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


@runtime_checkable
class WeightFunction(Protocol):
    """Scores of rows of ``d`` weights in [0, 1]; ``groups`` gives the group of each weight, 0 to G-1.

    ``one_at_a_time(base, other)`` are the ``d`` scores of rows equal to ``base`` but for weight i, which is
    ``other[i]``: a function that knows what one weight changes can answer much faster than row by row.
    """

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The group of each weight."""

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""

    def one_at_a_time(self, base: Float[Tensor, " d"], other: Float[Tensor, " d"]) -> Float[Tensor, " d"]:
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

    def one_at_a_time(self, base: Float[Tensor, " d"], other: Float[Tensor, " d"]) -> Float[Tensor, " d"]:
        """Scores of ``base`` with weight i from ``other``, for every i; rows are made chunk by chunk."""
        d = len(base)
        rows = max(1, CHUNK // d)
        scores = []
        for start in range(0, d, rows):
            changed = torch.arange(start, min(start + rows, d))
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
