"""The colour scale of a map, the same in figures and in the explorer.

It goes from 0 to the largest value of the frame that is shown; shares end at 1 at the latest. Where a few
cells hold nearly everything a linear scale would show them alone; left to itself the scale is then a square
root. It may be chosen linear, logarithmic or one of ranks instead, and for each level its own; the colour bar
says so. Signed values stand evenly around zero. js/src/picture/scale.ts states the same rule; a test compares
the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, final

import numpy as np
from jaxtyping import Float, Int

from wcam_widget.basis import Cells
from wcam_widget.show.words import MINUS, format_percent, format_value

ScaleChoice = Literal["auto", "linear", "log", "rank"]
SCALE_CHOICES: tuple[ScaleChoice, ...] = ("auto", "linear", "log", "rank")
PER_LEVEL = " per level"
SCALES = (*SCALE_CHOICES, *(choice + PER_LEVEL for choice in SCALE_CHOICES))
"""What a reader may choose: how values become colours, of all levels alike or of each by itself."""

SKEWED = 0.03
"""Median of the positive values, as a share of the largest, below which half the map has one colour."""
LEAST_COUNT = 9
"""Fewer positive values have no median worth the name."""
DECADES = 3
"""A logarithmic scale goes down so many powers of ten from its top."""

_WORDS = {
    "linear": "",
    "root": " (square-root scale)",
    "log": " (log scale)",
    "rank": " (rank scale: equally many in every colour)",
}


class Colours(NamedTuple):
    """What a reader chose: the colours of maps, and how values become colours, one of ``SCALES``.

    >>> Colours("cividis", "log per level").choice, Colours("cividis", "log per level").per_level
    ('log', True)
    """

    colormap: str = "cividis"
    scale: str = "auto"

    @property
    def choice(self) -> ScaleChoice:
        """The kind of scale."""
        kind = self.scale.removesuffix(PER_LEVEL)
        return next(choice for choice in SCALE_CHOICES if choice == kind)

    @property
    def per_level(self) -> bool:
        """Whether each level of the dyadic view has its own."""
        return self.scale.endswith(PER_LEVEL)


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
        kind: how a value's colour goes by its size: "linear", "root", "log" or "rank".
        signed: whether the scale goes from minus ``top`` to ``top``.
        ranks: of ranks: sizes, each once and ascending from 0, and the part of all that are no larger.
    """

    top: float
    kind: Literal["linear", "root", "log", "rank"]
    signed: bool
    ranks: tuple[tuple[float, ...], tuple[float, ...]] = field(default=((0.0,), (0.0,)), repr=False)

    @classmethod
    def of(
        cls, values: Float[np.ndarray, "*shape"], *, signed: bool, share: bool, choice: ScaleChoice = "auto"
    ) -> Scale:
        """The scale of a map by its numbers alone.

        >>> Scale.of(np.array([0.1, 3.5]), signed=False, share=True)
        Scale(top=1.0, kind='linear', signed=False)
        """
        numbers = np.asarray(values, np.float32).ravel()  # as the explorer receives them
        sizes = np.abs(numbers) if signed else numbers
        positive = np.sort(sizes[np.isfinite(sizes) & (sizes > 0)])
        top = float(positive[-1]) if len(positive) else 0.0
        if share:
            top = min(1.0, top)
        if choice == "auto":
            skewed = len(positive) >= LEAST_COUNT and float(positive[len(positive) // 2]) < SKEWED * top
            return cls(top, "root" if skewed else "linear", signed)
        scale = cls(top, choice, signed)
        if choice != "rank" or not len(positive):
            return scale
        unique, counts = np.unique(positive, return_counts=True)
        parts = counts.cumsum() / len(positive)
        return replace(scale, ranks=((0.0, *unique.tolist()), (0.0, *parts.tolist())))

    @property
    def words(self) -> str:
        """How values become colours, behind a unit; nothing where they do so plainly."""
        return _WORDS[self.kind]

    def place(self, values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """Positions of values on the scale, 0 to 1; NaN stays. Unless signed, values below 0 stand at 0.

        >>> Scale(1.0, "log", signed=False).place(np.array([0.0, 0.01, 1.0])).round(2).tolist()
        [0.0, 0.33, 1.0]
        """
        share = np.abs(values) / (self.top or np.inf)
        if self.kind == "rank":
            size = np.interp(np.abs(values), *self.ranks)
        elif self.kind == "log":
            with np.errstate(divide="ignore"):
                size = 1 + np.log10(share) / DECADES
        else:
            size = np.sqrt(share) if self.kind == "root" else share
        size = np.clip(size, 0.0, 1.0) * np.sign(values)
        return np.asarray((1 + size) / 2 if self.signed else np.maximum(size, 0.0))

    def values_at(self, positions: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The values at positions of the colour bar, 0 to 1: the inverse of ``place``."""
        at = 2 * positions - 1 if self.signed else np.asarray(positions)
        size = np.abs(at)
        if self.kind == "rank":
            values = np.interp(size, *self.ranks[::-1])
        elif self.kind == "log":
            values = self.top * 10.0 ** (DECADES * (size - 1))
            values = np.where((size == 0) & self.signed, 0.0, values)
        else:
            values = self.top * (size * size if self.kind == "root" else size)
        return np.asarray(np.where(at < 0, -values, values))

    def value_at(self, position: float) -> float:
        """The value at a position of the colour bar, 0 to 1.

        >>> Scale(0.5, "root", signed=False).value_at(0.5)
        0.125
        """
        return float(self.values_at(np.array(position)))

    def tick_words(self, position: float) -> str:
        """What stands at a tick of the colour bar.

        >>> Scale(0.5, "log", signed=False).tick_words(0.0)
        '≤ 5.00 × 10⁻⁴'
        """
        # The lowest colour of a logarithm is that of all smaller values, too.
        below = "≤ " if self.kind == "log" and not self.signed and position == 0 else ""
        like = None if self.kind == "log" else self.top
        return below + format_value(self.value_at(position), like=like)


def levels_of(cells: Cells) -> Int[np.ndarray, " d"]:
    """The level of each cell, coarse to fine; the coarse image is a level of its own."""
    names = [(band.level, band.orientation == "A") for band in cells.bands]
    levels = list(dict.fromkeys(names))
    return np.asarray(np.array([levels.index(name) for name in names])[cells.groups])


@final
@dataclass(frozen=True)
class LevelScales:
    """A scale for each level, coarse to fine."""

    scales: tuple[Scale, ...]

    @classmethod
    def of(
        cls,
        values: Float[np.ndarray, " d"],
        levels: Int[np.ndarray, " d"],
        *,
        signed: bool,
        share: bool,
        choice: ScaleChoice = "auto",
    ) -> LevelScales:
        """The scales of a map, by the level of each value."""
        return cls(
            tuple(
                Scale.of(values[levels == level], signed=signed, share=share, choice=choice)
                for level in range(int(levels.max()) + 1)
            )
        )

    @property
    def words(self) -> str:
        """How values become colours, behind a unit."""
        kinds = {scale.kind for scale in self.scales}
        mixed = len(kinds) > 1
        how = " (square-root scale where few cells hold most)" if mixed else self.scales[0].words
        return f"{how}, each level by its own largest value"

    def place(
        self, values: Float[np.ndarray, " d"], levels: Int[np.ndarray, " d"]
    ) -> Float[np.ndarray, " d"]:
        """Positions of values, each on the scale of its level."""
        placed = np.empty(len(values))
        for level, scale in enumerate(self.scales):
            own = levels == level
            placed[own] = scale.place(values[own])
        return placed

    @property
    def signed(self) -> bool:
        """Whether the scales go from minus their tops to these."""
        return self.scales[0].signed

    def tick_words(self, position: float) -> str:
        """What stands at a tick: its part of the largest value, where all levels agree on it."""
        first = self.scales[0]
        if first.kind == "rank":
            return {0.0: "lowest", 0.5: "middle", 1.0: "highest"}[position]
        if len({scale.kind for scale in self.scales}) > 1:
            return {0.0: "0", 0.5: "", 1.0: "100 %"}[position]
        share = replace(first, top=1.0).value_at(position)
        below = "≤ " if first.kind == "log" and not first.signed and position == 0 else ""
        sign = MINUS if share < 0 else ""
        small = 0 < abs(share) < 0.01
        return below + sign + (f"{100 * abs(share):.1g} %" if small else format_percent(abs(share)))
