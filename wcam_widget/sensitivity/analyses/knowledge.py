"""Whether a run knows what it was to find out, in words a reader can use, and what more time would bring."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from wcam_widget.sensitivity.analyses.screened_state import Pooled, ScreenedState
from wcam_widget.sensitivity.statistics.calibration import Rows
from wcam_widget.sensitivity.statistics.credibility import Credible, credible
from wcam_widget.sensitivity.statistics.jackknife import Replicated

MORE = 10.0  # seconds that a forecast is of


@dataclass(frozen=True)
class Aim:
    """The ``top`` weights above ``threshold`` are to be known to ``tolerance`` of their values.

    Where some are in ``focus``, these are instead.
    """

    top: int
    tolerance: float
    threshold: float
    focus: tuple[int, ...] = ()

    def validate(self) -> None:
        """Raise ValueError naming what is outside its range."""
        if not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance={self.tolerance!r} must be a part of the value, above 0 and below 1")
        if int(self.top) != self.top or self.top < 1:
            raise ValueError(f"top={self.top!r} must be a number of cells, at least 1")


@dataclass(frozen=True, eq=False)
class Knowledge:
    """How many of the weights that matter most are known; ``certified`` are those proven not to matter."""

    pooled: Pooled
    aim: Aim
    certified: Bool[np.ndarray, " d"]

    @cached_property
    def known(self) -> Bool[np.ndarray, " d"]:
        """Which weights are known to the tolerance, or proven small."""
        return np.asarray(self.certified | _within(self.pooled.credible, self.aim.tolerance))

    @cached_property
    def highest(self) -> Int[np.ndarray, " k"]:
        """The weights that matter most, those below the threshold left out."""
        value = self.pooled.credible.value
        order = np.argsort(-value, kind="stable")[: self.aim.top]
        return order[value[order] >= self.aim.threshold]

    @property
    def enough(self) -> bool:
        """Whether the aim is reached."""
        return bool(self.known[self.highest].all())

    @property
    def words(self) -> str:
        """What is known, in a sentence without its full stop."""
        if self.aim.focus:
            return self._chosen_words
        count, tolerance = len(self.highest), _part(self.aim.tolerance)
        known = int(self.known[self.highest].sum())
        if count == 0:
            return f"no cell reaches threshold={self.aim.threshold}; {self._order}"
        cells = "the cell that matters most" if count == 1 else f"the {count} cells that matter most"
        if known == count:
            verb = "is" if count == 1 else "are"
            whose = "its" if count == 1 else "their"
            return f"{cells} {verb} known to {tolerance} of {whose} value; {self._order}"
        verb = "is" if known == 1 else "are"
        return f"{known} of {cells} {verb} known to {tolerance} of their value; {self._order}"

    def forecast(self, state: ScreenedState) -> str:
        """What another ten seconds would bring, by the pace so far; empty where it is not known."""
        if state.seconds <= 0 or len(self.highest) == 0:
            return ""
        factor = 1 + MORE / state.seconds
        own = self.pooled.own
        rows = Rows(own.count * factor, own.mean, own.noise)
        then = credible(self.pooled.credible.value, self.pooled.noise, rows, self.pooled.common / factor)
        count = int((self.certified | _within(then, self.aim.tolerance))[self.highest].sum())
        more = count > self.known[self.highest].sum()
        return f"; another 10 s would bring {f'about {count}' if more else 'no more'}"

    @property
    def _chosen_words(self) -> str:
        """What is known of the weights in focus."""
        chosen, tolerance = list(self.aim.focus), _part(self.aim.tolerance)
        small, count = int(self.certified[chosen].sum()), len(chosen)
        known = int(self.known[chosen].sum()) - small
        if count == 1:
            return f"the chosen cell is {'known' if known else 'not yet known'} to {tolerance} of its value"
        which = f"all {count}" if known == count else f"{known} of the {count}"
        words = f"{which} chosen cells {'is' if known == 1 else 'are'} known to {tolerance} of their value"
        return f"{words}, {small} proven to lie below {self.aim.threshold}" if small else words

    @property
    def _order(self) -> str:
        """How far the order of the bands is certain."""
        certain, bands = certain_order(self.pooled.bounded.groups.total, self.pooled.bounded.groups.left_out)
        if bands == 1:
            return "there is one band"
        if certain == bands:
            return "the order of the bands is certain"
        if certain == 0:
            return "the order of the bands is not certain"
        return f"the order of the first {certain} bands is certain"


def certain_order(total: Float[np.ndarray, " g"], left_out: Float[np.ndarray, "r g"]) -> tuple[int, int]:
    """How many groups, from the highest on, are certainly higher than the next one, and how many there are.

    >>> certain_order(np.array([1.0, 3.0]), np.array([[1.0, 3.1], [1.0, 2.9], [1.0, 3.0]]))
    (2, 2)
    """
    order = np.argsort(-total, kind="stable")
    ahead = Replicated(-np.diff(total[order]), -np.diff(left_out[:, order], axis=1))
    apart = ahead.symmetric_interval()[0] > 0
    certain = len(apart) if apart.all() else int(np.argmin(apart))
    return certain + (certain == len(apart)), len(total)


def _within(credible: Credible, tolerance: float) -> Bool[np.ndarray, " d"]:
    """Which intervals are at most ``tolerance`` of the value to either side, on average."""
    low, high = credible.limits
    return np.asarray(high - low <= 2 * tolerance * credible.value)


def _part(tolerance: float) -> str:
    """A tolerance as a reader says it.

    >>> _part(0.25), _part(0.1)
    ('a quarter', '10 %')
    """
    return {0.5: "half", 0.25: "a quarter"}.get(tolerance, f"{tolerance:.0%}".replace("%", " %"))
