"""Plasma: a random field that is rough at all scales, for fog and ice."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.stress.corruptions.draws import Draws

_FIRST = 100.0  # the displacement of the coarsest grid is uniform in this squared, as published


def plasma(draws: Draws, height: int, width: int, decay: float) -> Float[Tensor, "n 1 h w"]:
    """Diamond-square fields on a torus, from 0 to 1 before they are cut to size.

    Midpoints of a grid are means of four neighbours plus a displacement; the grid is halved, and the
    factor of the displacement divided by ``decay``, until there is a value for every pixel of a square whose
    side is the next power of 2. A lower ``decay`` is rougher.

    Fournier, Fussell and Carpenter (1982), "Computer rendering of stochastic models".
    """
    side = 1 << (max(height, width) - 1).bit_length()
    field = torch.zeros(len(draws.generators), side, side, device=draws.device)
    step, wander = side, _FIRST

    def moved(sums: Tensor) -> Tensor:
        return sums / 4 + wander * draws.uniform(-wander, wander, *sums.shape[1:])

    while step >= 2:
        half = step // 2
        corners = field[:, ::step, ::step]
        pairs = corners + corners.roll(-1, 1)
        middles = moved(pairs + pairs.roll(-1, 2))
        field[:, half::step, half::step] = middles
        # The middles of edges lie between two corners and two middles of squares.
        field[:, ::step, half::step] = moved(middles + middles.roll(1, 1) + corners + corners.roll(-1, 2))
        field[:, half::step, ::step] = moved(middles + middles.roll(1, 2) + corners + corners.roll(-1, 1))
        step, wander = half, wander / decay
    field = field - field.amin((1, 2), keepdim=True)
    field = field / field.amax((1, 2), keepdim=True)
    return field[:, None, :height, :width]
