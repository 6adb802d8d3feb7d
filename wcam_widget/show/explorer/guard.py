"""A lock around what belongs to one thread at a time."""

from __future__ import annotations

import threading
from typing import final


@final
class Guard:
    """A lock that its holder may take again, and that knows its holder.

    Observers of a widget are called under it. Lets ``wait()`` detect that an observer is calling it, and
    raise instead of waiting for ever.

    >>> guard = Guard()
    >>> with guard, guard:
    ...     guard.held
    True
    >>> guard.held
    False
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._mine = threading.local()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._mine.depth = self._depth + 1

    def __exit__(self, *error: object) -> None:
        self._mine.depth -= 1
        self._lock.release()

    @property
    def held(self) -> bool:
        """Whether the calling thread holds it."""
        return self._depth > 0

    @property
    def _depth(self) -> int:
        return int(getattr(self._mine, "depth", 0))
