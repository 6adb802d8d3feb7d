"""How far a run is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

State = Literal["waiting", "running", "done", "cancelled", "error"]


@final
@dataclass(frozen=True)
class Progress:
    """How far a run is, what it took, and how it ended.

    Args:
        state: "waiting" before its first step, "running", or how it ended.
        done: passes so far, a backward pass counted as two.
        total: passes of the complete run.
        seconds: what the passes so far took.
        message: why it ended before its end; empty otherwise.
        details: where in the program an error that ended it came from; empty otherwise.
        stop: why it ended, in a reader's words; empty while it goes on and after an error.
        more: what more of it can be computed, and how long that takes; empty where there is nothing.

    >>> Progress("running", done=30, total=90, seconds=1.5).seconds_left
    3.0
    """

    state: State = "waiting"
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    message: str = ""
    stop: str = ""
    more: str = ""
    details: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state not in ("waiting", "running")

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take at the speed so far; None where nothing is known of that."""
        if self.state != "running" or not self.done:
            return None
        return self.seconds / self.done * max(self.total - self.done, 0)
