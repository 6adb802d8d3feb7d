"""What a session follows step by step: the run of a method, further maps, and answers for saved pages."""

from __future__ import annotations

import logging
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import final

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.show.explorer.layers import Source
from wcam_widget.show.explorer.offer import Maps, Offer, focus_offer, offer_of, stop_words
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.progress import Progress, State
from wcam_widget.show.snapshot import Layer

logger = logging.getLogger(__name__)

LONGEST_DETAILS = 8000  # characters
CANCELLED = "cancelled: the map shows what was computed until then"


class Stream(ABC):
    """Work that a worker takes step by step, once.

    Args:
        changed: called by the worker at the start, after each step and at the end, if it is to be shown.
        cancelled: called before each step; the stream ends where it says so.
    """

    def __init__(self, changed: Callable[[], None], cancelled: Callable[[], bool]) -> None:
        self.ended = threading.Event()
        """Set when nothing more comes of it, however it ended."""
        self.error: BaseException | None = None
        """What ended it."""
        self._changed, self._cancelled = changed, cancelled

    @final
    def follow(self) -> Iterator[None]:
        """The steps, to be taken one at a time. Closing them ends the stream, also before the first one."""
        steps = self._follow()
        next(steps)
        return steps

    @abstractmethod
    def _steps(self) -> Iterator[None]:
        """The work itself."""

    @abstractmethod
    def _end(self, *, closed: bool) -> None:
        """Note how it ended; ``error`` says whether it failed. ``closed``: before it came to its end."""

    def _follow(self) -> Iterator[None]:
        closed = False
        try:
            yield
            yield from self._steps()
        except GeneratorExit:
            closed = True
            raise
        except BaseException as error:  # it is raised again by wait()
            logger.exception("%s ended with an error", self.title)
            self.error = error
        finally:
            try:
                self._end(closed=closed)
                self._changed()
            finally:
                self.ended.set()

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called in the log."""

    def _taken(self, maps: Maps) -> Iterator[Attribution]:
        """The maps until they end or are cancelled; none is begun where that was before."""
        if self._cancelled():
            return
        steps = maps()
        while not self._cancelled() and (step := next(steps, None)) is not None:
            yield step


@final
class RunStream(Stream):
    """The run of a method: how far it is, its latest attribution, how it ended, and what more there is.

    Args:
        method: what is run.
        maps: begins its steps.
        changed: as of every stream.
        cancelled: as of every stream.
        accepted: what an earlier run offered, if this one goes on with it.
        price: what it offers when it ends, if not more of itself.
    """

    title = "the run"

    def __init__(
        self,
        method: AbstractMethod,
        maps: Maps,
        changed: Callable[[], None],
        cancelled: Callable[[], bool],
        accepted: Offer | None = None,
        price: Offer | None = None,
    ) -> None:
        super().__init__(changed, cancelled)
        self.state: State = "waiting"
        self.attribution = None if accepted is None else accepted.shown
        self.offer: Offer | None = None
        self.method, self.price, self._maps, self._accepted = method, price, maps, accepted
        self._message = ""

    @property
    def progress(self) -> Progress:
        """How far it is; until its first step a run that goes on is planned as it was offered."""
        now, accepted, running = self.attribution, self._accepted, self.state == "running"
        done, total, seconds = (0, 0, 0.0) if now is None else (now.done, now.planned, now.seconds)
        if running and accepted is not None and accepted.shown is now:
            done, total = accepted.done, accepted.done + accepted.passes
            seconds = seconds if accepted.done else 0.0
        return Progress(
            state=self.state,
            done=done,
            total=total,
            seconds=seconds,
            message=self._message,
            stop=stop_words(now, self.state, accepted),
            more="" if self.offer is None else self.offer.words,
            details="" if self.error is None else details_of(self.error),
        )

    def offered(self, cells: tuple[int, ...] = ()) -> Offer:
        """More of the run that ended, of all cells or of some; RuntimeError where there is nothing."""
        if not self.ended.is_set():
            raise RuntimeError("the run goes on")
        if cells and self.state != "error":
            return focus_offer(self.method, self.attribution, cells)
        if self.offer is None:
            raise RuntimeError("there is nothing more to compute")
        return self.offer

    def leave(self, offer: Offer | None) -> None:
        """Let it wait for somebody who takes the offer; it is not to be followed."""
        self.offer = offer
        self.ended.set()

    def _steps(self) -> Iterator[None]:
        if not self._cancelled():
            self.state = "running"
            self._changed()
        for step in self._taken(self._maps):
            self.attribution = step
            self._changed()
            yield

    def _end(self, *, closed: bool) -> None:
        if self.error is not None:
            self.state, self._message = "error", brief(self.error)
        elif not closed and self.attribution is not None and self.attribution.complete:
            self.state = "done"
        else:
            self.state, self._message = "cancelled", CANCELLED
        if self.attribution is not None:
            self.attribution = self.attribution.stopped(self._message)
        if self.state != "error":
            self.offer = self.price or offer_of(self.method, self.attribution)


@final
class LayerStream(Stream):
    """One more map over the image; what ends it too early is put in its place.

    Args:
        name: what a reader calls it.
        source: what its maps are made from.
        maps: begins its steps.
        changed: as of every stream.
        cancelled: as of every stream.
    """

    title = "a layer"

    def __init__(
        self,
        name: str,
        source: Source,
        maps: Maps,
        changed: Callable[[], None],
        cancelled: Callable[[], bool],
    ) -> None:
        super().__init__(changed, cancelled)
        self.layer, self.source = Layer(name), source
        self._maps, self._left = maps, ""

    def leave(self, error: str) -> None:
        """End it before it begins, with the reason."""
        self._maps = lambda: iter(())
        self._left = error

    def _steps(self) -> Iterator[None]:
        for step in self._taken(self._maps):
            self.layer = replace(self.layer, attribution=step)
            self._changed()
            yield

    def _end(self, *, closed: bool) -> None:
        del closed
        details = ""
        if self.error is not None:
            self._left, details = brief(self.error), details_of(self.error)
        if self._left:
            self.layer = Layer(self.layer.name, error=self._left, details=details, ended=True)
        else:
            self.layer = replace(self.layer, ended=True)


@final
class AnswerStream(Stream):
    """Answers and the curve that a page without a kernel needs, in pieces that leave room for questions.

    Args:
        inquiry: what answers, and keeps the answers.
        run: which must have come to its end before.
        changed: as of every stream.
    """

    title = "preparing the answers for saved pages"

    def __init__(self, inquiry: Inquiry, run: RunStream, changed: Callable[[], None]) -> None:
        super().__init__(changed, lambda: run.state != "done")
        self._inquiry, self._run = inquiry, run

    def _steps(self) -> Iterator[None]:
        if self._cancelled():
            return
        yield from self._inquiry.prepare()
        self._changed()
        if self._run.attribution is not None:
            for _ in self._inquiry.retain(self._run.attribution):
                self._changed()
                yield

    def _end(self, *, closed: bool) -> None:
        """The inquiry has whatever was answered."""


def details_of(error: BaseException) -> str:
    r"""Where an error came from, as Python prints it; of a long way the end, which is nearest to it.

    >>> details_of(ValueError("no such class"))
    'ValueError: no such class'
    """
    text = "".join(traceback.format_exception(error)).strip()
    return text if len(text) <= LONGEST_DETAILS else f"…{text[1 - LONGEST_DETAILS :]}"


def brief(error: BaseException) -> str:
    r"""An error in one line, for the screen; the log has the rest.

    >>> brief(ValueError("no such class\nand a long story"))
    'ValueError: no such class'
    """
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
