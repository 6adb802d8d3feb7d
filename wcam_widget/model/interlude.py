"""What cannot wait for a run: done between two of its batches, which are small while something may come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

FORWARD, BACKWARD = 4, 2  # images of such a batch on a CPU: a large network takes about 0.2 s for them

_WORK: ContextVar[Callable[[], None] | None] = ContextVar("work between batches", default=None)


@contextmanager
def between_batches(work: Callable[[], None]) -> Iterator[None]:
    """Call ``work`` between the batches of the models that this thread runs inside; not inside ``work``.

    >>> calls = []
    >>> with between_batches(lambda: calls.append("now")):
    ...     interlude()
    >>> interlude()
    >>> calls
    ['now']
    """
    token = _WORK.set(work)
    try:
        yield
    finally:
        _WORK.reset(token)


def interlude() -> None:
    """Do what was to be done between batches."""
    work = _WORK.get()
    if work is None:
        return
    token = _WORK.set(None)
    try:
        work()
    finally:
        _WORK.reset(token)


def patience(device: torch.device, most: int, *, backward: bool) -> int:
    """How many of at most ``most`` images may be in a batch, so that nothing that may come waits long.

    An accelerator is through with a batch in any case.

    >>> patience(torch.device("cpu"), 32, backward=False)
    32
    >>> with between_batches(print):
    ...     patience(torch.device("cpu"), 32, backward=False)
    4
    """
    if _WORK.get() is None or device.type != "cpu":
        return most
    return min(most, BACKWARD if backward else FORWARD)
