"""A worker: one thread for the work of others, so that whoever requests it never waits.

Messages of a front end arrive on whatever thread the kernel chooses, cells run on the main thread, and
neither may wait for a model. Both only leave work here. Two sorts of it: *requests*, short, answered first,
where a later one of a kind replaces an earlier one that still waits; and *streams*, long, taken step by step
in between, one after the other. A request that comes during a step is done between two batches of the model.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal, final

import torch

from wcam_widget.model.interlude import between_batches

logger = logging.getLogger(__name__)

Refusal = Literal["superseded", "cancelled", "closed"]
REFUSALS: dict[Refusal, str] = {
    "superseded": "a later question was asked",
    "cancelled": "the question was withdrawn",
    "closed": "the explorer is closed: run the cell again",
}


@dataclass(frozen=True, eq=False)
class Request:
    """A short piece of work. ``refuse`` is called instead of ``work``, with the reason, if it is not done.

    Of requests of one ``kind`` the latest wins. ``name`` finds a request again, to withdraw it.
    """

    kind: Hashable
    name: Hashable
    work: Callable[[], None]
    refuse: Callable[[Refusal], None]


@final
class Worker:
    """At most one daemon thread, which starts when there is work and ends when there is none.

    All methods may be called from any thread, and return at once; only ``close`` waits. Where no thread can
    start (Pyodide), work is done by the caller before the method returns.

    >>> done = []
    >>> worker = Worker("doctest")
    >>> worker.follow(iter(map(done.append, [1, 2])))
    >>> worker.close(finish=True)
    >>> done
    [1, 2]
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.RLock()  # re-entered where a garbage collection closes a widget
        self._requests: dict[Hashable, Request] = {}  # by kind, in the order they came
        self._streams: deque[Iterator[Any]] = deque()
        self._serving = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, request: Request) -> None:
        """Do a request before the next batch or step of any stream; refuse it where the worker is closed."""
        with self._lock:
            closed = self._closed
            earlier = None if closed else self._requests.pop(request.kind, None)
            if not closed:
                self._requests[request.kind] = request
        if closed:
            request.refuse("closed")
            return
        if earlier is not None:
            earlier.refuse("superseded")
        self._wake()

    def withdraw(self, name: Hashable) -> bool:
        """Refuse a request that still waits, as cancelled; whether there was one."""
        with self._lock:
            kind = next((kind for kind, waiting in self._requests.items() if waiting.name == name), None)
            request = None if kind is None else self._requests.pop(kind)
        if request is not None:
            request.refuse("cancelled")
        return request is not None

    def follow(self, stream: Iterator[Any]) -> None:
        """Exhaust an iterator, after those given before; a generator is closed where the worker is."""
        with self._lock:
            closed = self._closed
            if not closed:
                self._streams.append(stream)
        if closed:
            _end([stream])
        self._wake()

    def close(self, *, finish: bool = False, timeout: float | int | None = None) -> None:  # noqa: PYI041 a check at run time tells them apart
        """Refuse what waits, end the streams, and wait until the thread has ended.

        With ``finish`` all work is done first. A step that is under way is not broken off; after ``timeout``
        seconds it is left to end by itself.
        """
        with self._lock:
            thread = self._thread
        if finish and thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        with self._lock:
            self._closed = True
            refused, self._requests = list(self._requests.values()), {}
            streams = [] if self._serving else self._take_streams()
        for request in refused:
            request.refuse("closed")
        _end(streams)
        # A worker that closes itself, for instance from a garbage collection in its own thread, cannot wait.
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _wake(self) -> None:
        with self._lock:
            if self._serving or not (self._requests or self._streams):
                return
            self._serving = True
            self._thread = threading.Thread(target=self._serve, name=self.name, daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None  # no threads here
            else:
                return
        self._serve()

    def _serve(self) -> None:
        # Gradient mode, autocast and inference mode belong to a thread; nothing of the caller's is inherited.
        # No inference mode here: its tensors cannot take part in a gradient, which methods may ask for.
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(mode=False))
            stack.enter_context(torch.no_grad())
            while (work := self._next()) is not None:
                self._do(work)

    def _serve_request(self) -> None:
        """Do a request that came during a step of a stream."""
        with self._lock:
            request = None if self._closed else self._first_request()
        if request is not None:
            self._do(request.work)

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            logger.exception("%s: work failed that should have handled its own errors", self.name)

    def _first_request(self) -> Request | None:
        return self._requests.pop(next(iter(self._requests))) if self._requests else None

    def _next(self) -> Callable[[], None] | None:
        """The next piece of work; None, after which the thread must end, where there is none."""
        with self._lock:
            request = None if self._closed else self._first_request()
            if request is not None:
                return request.work
            if not self._closed and self._streams:
                stream = self._streams[0]
                return lambda: self._step(stream)
            streams = self._take_streams()
            self._serving = False
        _end(streams)
        return None

    def _step(self, stream: Iterator[Any]) -> None:
        try:
            with between_batches(self._serve_request):
                next(stream)
        except BaseException as end:
            with self._lock:
                self._streams.remove(stream)
            if not isinstance(end, StopIteration):
                raise

    def _take_streams(self) -> list[Iterator[Any]]:
        streams = list(self._streams)
        self._streams.clear()
        return streams


def _end(streams: list[Iterator[Any]]) -> None:
    for stream in streams:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
