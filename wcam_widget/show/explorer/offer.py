"""Why a run stopped, in a reader's words, and what more of it can be bought at which price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.sensitivity import Kind
from wcam_widget.sensitivity.analysis import ALL_ROWS
from wcam_widget.show.progress import State
from wcam_widget.show.words import duration

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
@dataclass(frozen=True)
class Offer:
    """More of a run: the method that goes on, and what it will take.

    Args:
        method: what goes on.
        attribution: from where it goes on.
        passes: forward-equivalents at most.
        seconds: what these take at the speed of the run so far.
    """

    method: Resumable
    attribution: Attribution
    passes: int
    seconds: float

    @property
    def words(self) -> str:
        """What stands on the button."""
        does = "Run deeper" if self.attribution.complete else "Continue"
        return f"{does}: about {duration(self.seconds)} more"

    def steps(self) -> Iterator[Attribution]:
        """Go on."""
        return self.method.resume(self.attribution)


def offer_of(method: AbstractMethod, attribution: Attribution | None) -> Offer | None:
    """What more a method's run can bring; None where nothing can be bought."""
    if attribution is None or not isinstance(method, Resumable) or not attribution.done:
        return None
    further = method.further(attribution)
    if further is None or not isinstance(further, Resumable):
        return None
    passes = further.planned(attribution) - attribution.done
    seconds = attribution.seconds / attribution.done * passes
    return Offer(further, attribution, passes, seconds) if passes > 0 else None


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
