"""What a session follows step by step: the run of its method, and the maps that are put over the image."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Literal, final

from wcam_widget.explain import Attribution
from wcam_widget.show.explorer.layers import Layer
from wcam_widget.show.progress import State

logger = logging.getLogger(__name__)


Moment = Literal["start", "step", "end"]
Maps = Callable[[], Iterator[Attribution]]
"""Begins a method's steps; called by the worker, when the stream's turn comes."""

CANCELLED = "cancelled: the map shows what was computed until then"


@final
class RunStream:
    """The run of a method: how far it is, its latest attribution, and how it ended.

    ``show`` is called from the worker's thread at its start, after each of its steps and at its end.
    ``finished`` is set while nothing more comes of it; it may be followed again, to go on.
    """

    def __init__(self, show: Callable[[Moment], None]) -> None:
        self.state: State = "waiting"
        self.message = ""
        self.attribution: Attribution | None = None
        self.error: BaseException | None = None
        self.finished = threading.Event()
        self._show = show

    def follow(self, maps: Maps, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Steps to be taken one at a time, until they end or ``cancelled`` says so.

        Closing them ends the run, also before the first one is taken.
        """
        self.state, self.message = "waiting", ""
        self.finished.clear()
        steps = self._steps(maps, cancelled)
        next(steps)
        return steps

    def _steps(self, maps: Maps, cancelled: Callable[[], bool]) -> Iterator[None]:
        try:
            yield
            if not cancelled():
                self.state = "running"
                self._show("start")
                steps = maps()
                while not cancelled() and (step := next(steps, None)) is not None:
                    self.attribution = step
                    self._show("step")
                    yield
            ended = self.attribution is not None and self.attribution.complete
            self._end("done" if ended else "cancelled", "" if ended else CANCELLED)
        except GeneratorExit:
            self._end("cancelled", CANCELLED)
            raise
        except BaseException as error:  # it is raised again by wait()
            logger.exception("the run ended with an error")
            self.error = error
            self._end("error", brief(error))

    def _end(self, state: State, message: str) -> None:
        self.state, self.message = state, message
        if self.attribution is not None:
            self.attribution = self.attribution.stopped(message)
        self._show("end")
        self.finished.set()


@final
class LayerStream:
    """One map over the image, which ``put`` takes after every step; what ends it is put in its place.

    ``ended`` is called when nothing more comes of it, and ``drawn`` is set then.
    """

    def __init__(self, name: str, put: Callable[[Layer], None], ended: Callable[[], None]) -> None:
        self.name = name
        self.error: BaseException | None = None
        self.drawn = threading.Event()
        self._put, self._ended = put, ended

    def follow(self, maps: Maps, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Take the steps one at a time, until they end or ``cancelled`` says so."""
        try:
            steps = maps()
            while not cancelled() and (step := next(steps, None)) is not None:
                self._put(Layer(self.name, step))
                yield
        except Exception as error:
            logger.exception("a layer ended with an error")
            self.error = error
            self._put(Layer(self.name, error=brief(error)))
        finally:
            self._ended()
            self.drawn.set()


def brief(error: BaseException) -> str:
    r"""An error in one line, for the screen; the log has the rest.

    >>> brief(ValueError("no such class\nand a long story"))
    'ValueError: no such class'
    """
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
