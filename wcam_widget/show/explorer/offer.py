"""Why a run stopped, in a reader's words, and what more of it can be bought at which price."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, final, runtime_checkable

import numpy as np

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.sensitivity import Kind
from wcam_widget.sensitivity.analysis import ALL_ROWS
from wcam_widget.show.progress import State
from wcam_widget.show.words import duration

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
    """

    does: str
    steps: Maps
    shown: Attribution
    done: int
    passes: int
    seconds: float

    @property
    def words(self) -> str:
        """What stands on the button."""
        return f"{self.does}: about {duration(self.seconds)}{' more' if self.done else ''}"


def offer_of(method: AbstractMethod, attribution: Attribution | None) -> Offer | None:
    """What more a method's run can bring; None where nothing can be bought."""
    if attribution is None or not isinstance(method, Resumable) or not attribution.done:
        return None
    further = method.further(attribution)
    if further is None or not isinstance(further, Resumable):
        return None
    passes = further.planned(attribution) - attribution.done
    if passes <= 0:
        return None
    does = "Run deeper" if attribution.complete else "Continue"
    steps = partial(further.resume, attribution)
    return Offer(does, steps, attribution, attribution.done, passes, _price(attribution, passes))


def fresh_offer(steps: Maps, earlier: Attribution | None) -> Offer | None:
    """A run from the beginning, at the price of an earlier one; None where that never began."""
    if earlier is None or not earlier.done:
        return None
    passes = max(earlier.planned, earlier.done)
    return Offer("Explain again", steps, earlier, 0, passes, _price(earlier, passes))


def _price(attribution: Attribution, passes: int) -> float:
    """Seconds that so many passes take at the speed of a run so far."""
    return attribution.seconds / attribution.done * passes


def unresolved(attribution: Attribution) -> int:
    """Cells that were not resolved."""
    return int(np.count_nonzero(attribution.kind == Kind.UNRESOLVED))


def stop_words(attribution: Attribution | None, state: State, before: int | None = None) -> str:
    """Why a run ended; empty while it goes on, and after an error, which has words of its own.

    Args:
        attribution: the map; None where there was none.
        state: how the run ended.
        before: how many cells were not resolved when it went on for the last time; None if it never did.

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
    left, cells = unresolved(attribution), len(attribution.values)
    more = ""
    if left:
        more = f"; {left} of {cells} cells {'is' if left == 1 else 'are'} not resolved"
        more += f" (before: {before})" if before is not None else ""
    elif before:
        more = f"; all of the {before} cells that were open are resolved now"
    return f"Stopped: {reason}{more}."
