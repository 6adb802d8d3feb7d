"""The explorer as a figure of matplotlib: for ipympl and any other backend that tells of mouse and keys."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any, final

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.backend_bases import Event, KeyEvent, LocationEvent, MouseEvent, TimerBase
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from wcam_widget.explain import Attribution, MethodLike
from wcam_widget.model import ImageLike, ModelLike, TargetLike
from wcam_widget.show.explorer.arguments import ensure_method, load
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.explorer.weak import WeakCall
from wcam_widget.show.figures.board import Board, cell_words, score_lines
from wcam_widget.show.selection import Mode, Question, ensure_question
from wcam_widget.show.snapshot import Snapshot

logger = logging.getLogger(__name__)

EVERY = 250  # milliseconds between two looks at what is new
REST = 2.0  # times what drawing takes, left to the notebook before it is drawn again
AT_EXIT = 60.0  # seconds an ending interpreter waits for a step of a run
GESTURES = "click: a cell; Shift and click: its band; m: keep or remove; Escape: all"
STILL = (
    "matplotlib's backend {name!r} draws a picture that answers no clicks: "
    'use %matplotlib widget (pip install "wcam_widget[ipympl]") or another interactive backend'
)
_TITLES = {"keep": "What is kept", "remove": "What is left"}


@final
class LiveFigure:
    """A figure of one image's map that grows while it is computed and answers clicks; made by ``live``.

    Attributes:
        figure: the figure of matplotlib.
        interactive: whether its backend tells of clicks; without, ``wait`` and ``refresh`` draw what is new.
    """

    def __init__(
        self,
        model: ModelLike | str,
        image: ImageLike,
        target: TargetLike = None,
        method: MethodLike = None,
        class_names: Sequence[Any] | None = None,
    ) -> None:
        network = load(model, class_names)
        session = Session(network, image, target, ensure_method(method), WeakCall(self._receive))
        self._session, self._news = session, session.snapshot()
        self._question = Question((), "keep")
        self._drawn: dict[str, Any] = {}
        self._refusal, self._pointed, self._rest = "", "", 0.0
        self.figure = plt.figure(figsize=(9.0, 4.6), layout=ConstrainedLayoutEngine(h_pad=0.08))
        self._board = Board(self.figure, session.picture.image, session.probe.cells)
        self._timer = self.figure.canvas.new_timer(interval=EVERY)
        self.interactive = type(self._timer) is not TimerBase
        if not self.interactive:
            logger.warning("%s", STILL.format(name=plt.get_backend()))
        self._at_exit = weakref.finalize(self, session.close, AT_EXIT)
        self._listen()
        self.refresh()
        session.start()

    def __repr__(self) -> str:
        progress = self._news.progress
        passes = f", {progress.done} of {progress.total} passes" if progress.total else ""
        return f"LiveFigure({progress.state}{passes}. {self._news.answer})"

    @property
    def attribution(self) -> Attribution | None:
        """The latest map; partial while the run goes on, None before its first step."""
        return self._session.attribution

    @property
    def selection(self) -> list[int]:
        """Sorted ids of the selected cells; none means that everything is kept. It can be set."""
        return list(self._question.selection)

    @selection.setter
    def selection(self, cells: Sequence[int]) -> None:
        self._ask(ensure_question(cells, self.mode, self._session.probe.cells))

    @property
    def mode(self) -> Mode:
        """What is done with the selected cells: "keep" them alone, or "remove" them. It can be set."""
        return self._question.mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._ask(ensure_question(self.selection, mode, self._session.probe.cells))

    @property
    def reconstruction(self) -> Float[Tensor, "c h w"]:
        """The image of the kept cells, float32 on the CPU, not clamped to [0, 1]."""
        return self._session.inquiry.rebuild(self._question)

    @property
    def scores(self) -> dict[str, tuple[float, float]]:
        """Of the highest classes, the probability for the image and for the reconstruction."""
        answer = self._session.answer(self._question)
        return {one["label"]: (one["original"], one["reconstruction"]) for one in answer["classes"]}

    def wait(self, timeout: float | int | None = None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        """Wait until the run has ended, and draw its map.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            The attribution, partial if the run was cancelled.

        Raises:
            TimeoutError: after ``timeout`` seconds; the run goes on.
            Exception: the error that ended the run, as it was.
        """
        try:
            return self._session.wait(timeout)
        finally:
            self.refresh()

    def cancel(self) -> None:
        """End the run after the step that is under way; the partial map stays."""
        self._session.cancel()

    def close(self) -> None:
        """Free the model's tensors and close the figure."""
        self._end()
        plt.close(self.figure)

    def refresh(self) -> None:
        """Draw the latest there is; an interactive backend does so by itself."""
        started, news, changed = time.monotonic(), self._news, False
        attribution = news.on_cells
        if attribution is not None and self._is_new("map", attribution.done):
            self._board.draw_map(attribution)
            self._drawn.pop("kept", None)
            changed = True
        if self._is_new("rebuilt", self._question):
            title = _TITLES[self.mode] if self.selection else "Everything is kept"
            self._board.draw_rebuilt(self.reconstruction, title)
            changed = True
        if self._is_new("kept", self._question):
            self._board.draw_kept(self._question.mask(len(self._board.cells)))
        answer = news.latest if news.latest and news.latest["key"] == self._question.key else None
        words = (news.answer, self._line(), tuple(self._score_lines(answer)), self._question)
        if self._is_new("words", words) or changed:
            self._board.say_answer(words[0])
            self._board.say(words[1])
            self._board.say_scores(words[2])
            self.figure.canvas.draw_idle()
            self._rest = time.monotonic() + REST * (time.monotonic() - started)

    def _is_new(self, part: str, state: Any) -> bool:
        if part in self._drawn and self._drawn[part] == state:
            return False
        self._drawn[part] = state
        return True

    def _score_lines(self, answer: Any) -> list[str]:
        if not self.selection:
            return []
        if answer is None:
            return [self._refusal or "asking the model …"]
        return score_lines(answer)

    def _line(self) -> str:
        """What is pointed at, else how far the run is, and what a click does."""
        progress = self._news.progress
        far = f"{progress.state}: {progress.done} of {progress.total} passes" if progress.total else ""
        said = progress.message or far
        hint = GESTURES if self.interactive else STILL.format(name=plt.get_backend())
        return self._pointed or "   ·   ".join(part for part in (said, hint) if part)

    def _receive(self, news: Snapshot) -> None:
        """Take a snapshot, on any thread; it is drawn on the figure's own, by its timer."""
        if news.number > self._news.number:
            self._news = news

    def _listen(self) -> None:
        """Take what happens to the figure, which keeps this alive as long as it is open."""
        connect = self.figure.canvas.mpl_connect
        connect("button_press_event", partial(self._click))  # a method alone would be held weakly
        connect("motion_notify_event", partial(self._hover))
        connect("key_press_event", partial(self._press))
        connect("close_event", lambda _: self._end())
        self._timer.add_callback(self._tick)
        self._timer.start()

    def _tick(self) -> bool:
        if time.monotonic() >= self._rest:
            self.refresh()
        return True

    def _end(self) -> None:
        self._timer.stop()
        self._session.close(timeout=0)

    def _click(self, event: Event) -> None:
        """Toggle the cell under the mouse, or with Shift all of its band."""
        cell = self._board.cell_under(event)
        toolbar = self.figure.canvas.toolbar  # which may take clicks, to pan and to zoom
        if cell is None or not isinstance(event, MouseEvent) or (toolbar is not None and toolbar.mode):
            return
        cells = {cell}
        if "shift" in (event.modifiers or ()) or event.key == "shift":
            groups = self._board.cells.groups
            cells = set(np.flatnonzero(groups == groups[cell]).tolist())
        chosen = set(self.selection)
        self.selection = sorted(chosen - cells if cells <= chosen else chosen | cells)

    def _hover(self, event: Event) -> None:
        """Outline the place of a cell, or the cells over a place."""
        cell, nothing = self._board.cell_under(event), np.zeros(0, int)
        places, scales = nothing, nothing
        if cell is not None:
            places = scales = np.array([cell])
        elif isinstance(event, LocationEvent) and event.inaxes in {self._board.where, self._board.rebuilt}:
            scales = self._board.cells.at(float(event.ydata or 0.0), float(event.xdata or 0.0))
        if not self._is_new("pointed", (places.tolist(), scales.tolist())):
            return
        attribution = self._news.on_cells
        self._pointed = "" if cell is None or attribution is None else cell_words(attribution, cell)
        self._board.point(places, scales)
        self._board.say(self._line())
        self.figure.canvas.draw_idle()

    def _press(self, event: Event) -> None:
        """Escape selects nothing, m changes what is done with the selection."""
        key = event.key if isinstance(event, KeyEvent) else None
        if key == "escape":
            self.selection = []
        elif key == "m":
            self.mode = "remove" if self.mode == "keep" else "keep"

    def _ask(self, question: Question) -> None:
        """Rebuild the image at once, and let the model answer when it can."""
        self._question, self._refusal = question, ""
        if question.selection:
            self._session.ask(question, id(self), question.key, lambda: None, self._refuse)
        self.refresh()

    def _refuse(self, _code: str, message: str) -> None:
        self._refusal = message


def live(
    model: ModelLike | str,
    image: ImageLike,
    target: TargetLike = None,
    method: MethodLike = None,
    class_names: Sequence[Any] | None = None,
) -> LiveFigure:
    """Explain one image in a figure of matplotlib that grows with the map and answers clicks.

    The explorer for those who stay with matplotlib: in a notebook after ``%matplotlib widget`` (ipympl; ``pip
    install "wcam_widget[ipympl]"``), in a window with any interactive backend. The notebook goes on
    meanwhile. Pointing at a cell outlines its place in the image, pointing at the image outlines the cells
    over this place at every scale. A click toggles a cell, Shift and a click its band: the image is built
    from these alone, and the model is asked again. The key m removes them instead, Escape selects nothing.
    A backend that knows no clicks, such as inline, shows a picture that says so.

    Args:
        model: a BlackBox, a torch module, a callable from images (n, c, h, w) to scores (n, k), or a name
            for ``load_model``.
        image: (C, H, W), floats in [0, 1] or integers of 8 or 16 bits; or a path or an image of PIL.
        target: None for the highest class, a class id, a class name, or a Logit, Probability or Margin.
        method: None for ``Wcam()``, or any other.
        class_names: one name per score; those of ``model`` if None.

    Returns:
        The figure with its ``selection``, ``mode``, ``scores`` and ``wait()``.

    Raises:
        TypeError: naming the argument, as ValueError does, for what is not valid.
        ModelError: where the model itself fails.

    >>> import matplotlib, torch
    >>> matplotlib.use("agg")
    >>> from wcam_widget import Sobol, Wcam
    >>> method = Wcam(Sobol(rows=2), levels=2, grid=2)
    >>> shown = live(lambda images: images.mean((2, 3)), torch.rand(3, 16, 16), method=method)
    >>> shown.wait().complete, shown.interactive
    (True, False)
    >>> shown.selection = [0, 1]
    >>> tuple(shown.reconstruction.shape)
    (3, 16, 16)
    >>> shown.close()
    """
    return LiveFigure(model, image, target, method, class_names)
