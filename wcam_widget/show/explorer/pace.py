"""How often a stream may be shown: as fast as the screen follows, and no faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

SHORTEST = 1 / 15  # seconds between two frames
PATIENCE = 1.0  # seconds after which a frame counts as seen: there may be no front end to say so
PROGRESS = 0.25  # seconds between two reports of progress alone


@final
@dataclass
class Pace:
    """When to send the next frame: some time after the last one, and once a front end has drawn it.

    Nothing in between tells a kernel that a browser is behind: messages would pile up in it.

    >>> pace = Pace()
    >>> pace.frame_due(now=10.0)
    True
    >>> pace.frame_sent(rev=1, now=10.0)
    >>> pace.frame_due(now=10.5), pace.frame_due(now=11.0)
    (False, True)
    >>> pace.frame_seen(rev=1)
    >>> pace.frame_due(now=10.05), pace.frame_due(now=10.5)
    (False, True)
    """

    sent: int = 0
    seen: int = 0
    frame_at: float = float("-inf")
    progress_at: float = float("-inf")

    def frame_due(self, now: float) -> bool:
        """Whether a frame may be sent at the time ``now``, in seconds."""
        waited = now - self.frame_at
        return waited >= (SHORTEST if self.seen >= self.sent else PATIENCE)

    def progress_due(self, now: float) -> bool:
        """Whether progress may be reported without a frame."""
        return now - self.progress_at >= PROGRESS

    def frame_sent(self, rev: int, now: float) -> None:
        """Note that a frame, and progress with it, was sent."""
        self.sent, self.frame_at, self.progress_at = rev, now, now

    def progress_sent(self, now: float) -> None:
        """Note that progress was reported."""
        self.progress_at = now

    def frame_seen(self, rev: int) -> None:
        """Note what a front end says it has drawn; of several, the quickest sets the pace."""
        if rev <= self.sent:
            self.seen = max(self.seen, rev)
