"""The colour scale of a map, the same in figures and in the explorer.

It goes from 0 to the largest value of the frame that is shown; shares end at 1 at the latest. Where a few
cells hold nearly everything a linear scale would show them alone; the scale is then a square root, and the
colour bar says so. Signed values stand evenly around zero. js/src/picture/scale.ts states the same rule; a
test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

SKEWED = 0.03
"""Median of the positive values, as a share of the largest, below which half the map has one colour."""
LEAST_COUNT = 9
"""Fewer positive values have no median worth the name."""


def is_share(unit: str) -> bool:
    """Whether a unit says that its numbers are shares of a total.

    >>> is_share("share of the score's variance, total"), is_share("logit")
    (True, False)
    """
    return unit.startswith("share ")


def cut_shares(values: Float[np.ndarray, "*shape"], unit: str) -> Float[np.ndarray, "*shape"]:
    """Numbers as they are shown: shares, which a few rows may estimate beyond it, are cut to [0, 1].

    >>> cut_shares(np.array([-0.1, 0.5, 1.9]), "share of the score's variance").tolist()
    [0.0, 0.5, 1.0]
    """
    return np.clip(values, 0.0, 1.0) if is_share(unit) else values


@final
@dataclass(frozen=True)
class Scale:
    """What the colours of a map mean.

    Args:
        top: value drawn with the last colour, at least 0; 0 while nothing is known.
        root: whether a value's colour goes by the square root of it.
        signed: whether the scale goes from minus ``top`` to ``top``.
    """

    top: float
    root: bool
    signed: bool

    @classmethod
    def of(cls, values: Float[np.ndarray, "*shape"], *, signed: bool, share: bool) -> Scale:
        """The scale of a map by its numbers alone.

        >>> Scale.of(np.array([0.1, 3.5]), signed=False, share=True)
        Scale(top=1.0, root=False, signed=False)
        """
        numbers = np.asarray(values, np.float32).ravel()  # as the explorer receives them
        sizes = np.abs(numbers) if signed else numbers
        positive = np.sort(sizes[np.isfinite(sizes) & (sizes > 0)])
        top = float(positive[-1]) if len(positive) else 0.0
        if share:
            top = min(1.0, top)
        skewed = len(positive) >= LEAST_COUNT and float(positive[len(positive) // 2]) < SKEWED * top
        return cls(top, skewed, signed)

    def value_at(self, position: float) -> float:
        """The value at a position of the colour bar, 0 to 1.

        >>> Scale(0.5, root=True, signed=False).value_at(0.5)
        0.125
        """
        size = 2 * position - 1 if self.signed else position
        return self.top * (size * abs(size) if self.root else size)
