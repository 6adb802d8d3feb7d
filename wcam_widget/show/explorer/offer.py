"""Why a run stopped, in a reader's words, and what more of it can be bought at which price."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, final, runtime_checkable

import numpy as np

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.sensitivity import Kind
from wcam_widget.sensitivity.analysis import ALL_ROWS
from wcam_widget.show.progress import State
from wcam_widget.show.words import duration, format_percent

LEAST_NARROWER = 0.01  # less is not worth a word

Maps = Callable[[], Iterator[Attribution]]
"""Begins a method's steps; called by the worker, when the stream's turn comes."""

# Advice that a button on the screen replaces.
_ADVICE = re.compile(
    r": raise rows for that$|: raise budget, or raise threshold$|; raise (rows|budget|time)$"
)
_COUNTED = re.compile(r"; \d+ of them are not resolved")


@runtime_checkable
class Resumable(Protocol):
    """A method whose runs go on where they ended."""

    def further(self, attribution: Attribution) -> AbstractMethod | None:
        """The method that ``resume`` goes on with; None where more would tell nothing new."""

    def focused(self, attribution: Attribution, cells: Sequence[int]) -> AbstractMethod | None:
        """The method that ``resume`` goes on with to know more of some cells alone; None where it cannot."""

    def planned(self, attribution: Attribution) -> int:
        """Forward-equivalents of a complete run on the cells of an attribution."""

    def resume(self, attribution: Attribution) -> Iterator[Attribution]:
        """The attributions that follow."""


@final
@dataclass(frozen=True, eq=False)
class Offer:
    """More of a run, or another run, and what it will take.

    Args:
        does: what a click on it does, in words.
        steps: begins it.
        shown: the map that stays in sight until its first one.
        done: forward-equivalents it starts from.
        passes: forward-equivalents it takes at most.
        seconds: what these take at the speed of the run so far.
        cells: what it is of; all where there are none.
    """

    does: str
    steps: Maps
    shown: Attribution
    done: int
    passes: int
    seconds: float
    cells: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        """What stands on the button."""
        return f"{self.does}: about {duration(self.seconds)}{' more' if self.done else ''}"


def offer_of(method: AbstractMethod, attribution: Attribution | None) -> Offer | None:
    """What more a method's run can bring; None where nothing can be bought."""
    if attribution is None or not isinstance(method, Resumable) or not attribution.done:
        return None
    further = method.further(attribution)
    return _bought("Run deeper" if attribution.complete else "Continue", further, attribution)


def focus_offer(method: AbstractMethod, attribution: Attribution | None, cells: tuple[int, ...]) -> Offer:
    """More rows of some cells alone; RuntimeError saying why there can be none.

    Args:
        method: what ran.
        attribution: the map so far.
        cells: their ids, ascending, at least one.
    """
    if attribution is None or not attribution.done:
        raise RuntimeError("there is no map yet that could go on")
    traces = attribution.traces
    if not isinstance(method, Resumable) or not traces:
        raise RuntimeError("this method has no rows of single cells")
    if not traces[0].analysis.focusable:
        name = type(traces[0].analysis).__name__
        raise RuntimeError(f"every row of {name} is of all cells: it goes deeper in all of them or in none")
    these = "this cell" if len(cells) == 1 else f"these {len(cells)} cells"
    further = method.focused(attribution, cells)
    offer = _bought(f"Run {these} deeper", further, attribution, cells)
    if offer is None:
        raise RuntimeError(f"more rows of {these} would tell nothing new")
    return offer


def _bought(
    does: str, further: AbstractMethod | None, attribution: Attribution, cells: tuple[int, ...] = ()
) -> Offer | None:
    """What a method that goes on takes; None where it takes nothing."""
    if further is None or not isinstance(further, Resumable):
        return None
    passes = further.planned(attribution) - attribution.done
    if passes <= 0:
        return None
    steps, price = partial(further.resume, attribution), _price(attribution, passes)
    return Offer(does, steps, attribution, attribution.done, passes, price, cells)


def fresh_offer(steps: Maps, earlier: Attribution | None) -> Offer | None:
    """A run from the beginning, at the price of an earlier one; None where that never began."""
    if earlier is None or not earlier.done:
        return None
    passes = max(earlier.planned, earlier.done)
    return Offer("Explain again", steps, earlier, 0, passes, _price(earlier, passes))


def _price(attribution: Attribution, passes: int) -> float:
    """Seconds that so many passes take at the speed of a run so far."""
    return attribution.seconds / attribution.done * passes


def stop_words(attribution: Attribution | None, state: State, accepted: Offer | None = None) -> str:
    """Why a run ended; empty while it goes on, and after an error, which has words of its own.

    Args:
        attribution: the map; None where there was none.
        state: how the run ended.
        accepted: what it went on with; None where it never did.

    Returns:
        A sentence.
    """
    if state == "cancelled":
        if attribution is None:
            return "Cancelled before the first map."
        return f"Cancelled after {attribution.done} of {attribution.planned} passes."
    if state != "done" or attribution is None:
        return ""
    reason = _COUNTED.sub("", _ADVICE.sub("", attribution.stop or ALL_ROWS)).replace(
        ALL_ROWS, "the planned rows are done"
    )
    before = None if accepted is None else accepted.shown
    chosen = () if accepted is None else accepted.cells
    narrower = "" if before is None else _narrower(before, attribution, chosen)
    return f"Stopped: {reason}{narrower}{_resolution(before, attribution, chosen)}."


def _resolution(before: Attribution | None, now: Attribution, chosen: tuple[int, ...]) -> str:
    """How many of the chosen cells, or of all, are not resolved, and were not before."""
    cells = np.array(chosen) if chosen else np.arange(len(now.kind))
    left = int(np.count_nonzero(now.kind[cells] == Kind.UNRESOLVED))
    open_before = None if before is None else int(np.count_nonzero(before.kind[cells] == Kind.UNRESOLVED))
    if left:
        of = f"{left} of them" if chosen else f"{left} of {len(cells)} cells"
        words = f"; {of} {'is' if left == 1 else 'are'} not resolved"
        return words + (f" (before: {open_before})" if open_before is not None else "")
    return f"; all of the {open_before} cells that were open are resolved now" if open_before else ""


def _narrower(before: Attribution, now: Attribution, chosen: tuple[int, ...]) -> str:
    """By how much the intervals of the chosen cells are narrower, at the median."""
    cells = list(chosen)
    widths = [one.high[cells] - one.low[cells] for one in (before, now)]
    open_before = widths[0] > 0
    if not open_before.any():
        return ""
    share = 1 - float(np.median(widths[1][open_before] / widths[0][open_before]))
    if share < LEAST_NARROWER:
        return "; their intervals are as wide as before"
    return f"; their intervals are {format_percent(share)} narrower"
