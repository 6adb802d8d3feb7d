"""A heartbeat: how a front end tells a kernel that works through a long cell from one that is gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

logger = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two beats of one widget
LEASE = 600.0  # seconds a greeting is good for: a page that was closed says nothing, and is forgotten then
FASTEST = 50  # messages in a second, however many widgets there are

Send = Callable[[dict[str, Any]], None]


@dataclass
class _Listener:
    send: Send
    until: float


@final
class Heartbeat:
    """One daemon thread for all widgets of a process; it runs while a front end listens.

    A beat is ``{"t": "beat", "next": seconds}``: the time within which another one follows, None after the
    last. A front end may thus take a beat that stays away for a sign, and only then. Beats are sent from a
    thread of their own, so they come while a cell runs. All methods may be called from any thread.

    Args:
        every: seconds between two beats of one widget.
        lease: seconds for which a greeting is good.

    >>> from queue import Queue
    >>> beats, heart = Queue(), Heartbeat()
    >>> heart.greeted("widget", beats.put)
    >>> beats.get(timeout=60)
    {'t': 'beat', 'next': 1.0}
    >>> heart.forget("widget")
    """

    def __init__(self, every: float = EVERY, lease: float = LEASE) -> None:
        self._every, self._lease = every, lease
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._listeners: dict[str, _Listener] = {}
        self._thread: threading.Thread | None = None

    def greeted(self, name: str, send: Send) -> None:
        """Begin to beat, or go on, because a front end of the widget ``name`` has sent a greeting.

        ``send`` gets each beat. One that raises is not called again.
        """
        with self._lock:
            self._listeners[name] = _Listener(send, time.monotonic() + self._lease)
            # After a fork the thread stayed in the parent.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="wcam heartbeat", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # no threads here: nothing was promised
                    self._thread = None
                    self._listeners.clear()
        self._changed.set()

    def forget(self, name: str) -> None:
        """Send no more beats of a widget."""
        with self._lock:
            self._listeners.pop(name, None)
        self._changed.set()

    def _beat(self) -> None:
        while True:
            self._changed.clear()
            with self._lock:
                now = time.monotonic()
                over = [name for name, one in self._listeners.items() if one.until <= now]
                last = [self._listeners.pop(name).send for name in over]
                listeners = dict(self._listeners)
                pause = max(self._every, len(listeners) / FASTEST)
                if not listeners:
                    self._thread = None
            for send in last:
                self._send(send, None)
            for name, one in listeners.items():
                if not self._send(one.send, pause):
                    self.forget(name)
            if not listeners:
                return
            self._changed.wait(pause)

    def _send(self, send: Send, following: float | None) -> bool:
        try:
            send({"t": "beat", "next": following})
        except Exception:
            logger.exception("a heartbeat could not be sent")
            return False
        return True


HEART = Heartbeat()
"""The heartbeat of this process."""
