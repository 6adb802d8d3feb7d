"""The still picture beside an explorer: what a notebook shows where there is no kernel and no front end.

A widget is drawn by code that a saved notebook may not have, or may not run: JupyterLab then shows an error,
GitHub nothing. So an explorer displays two more outputs, a sentence and a picture, which every page can show,
and which a live explorer hides.
"""

from __future__ import annotations

import base64
import html
import io
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, final

from PIL import Image

from wcam_widget.show.frames import photograph
from wcam_widget.show.pages.notebook import STILL
from wcam_widget.show.scale import Colours
from wcam_widget.show.snapshot import Snapshot

logger = logging.getLogger(__name__)

LARGEST = 60_000  # bytes of a picture: every notebook that shows an explorer carries them
WIDTH = 1000  # pixels of the figure
PHOTOGRAPH = 320  # pixels of the longer side, where there is only the image to show
COLOURS = (256, 128, 64, 32)
USUAL = Colours()

# The view stands before the sentence, and the picture after it. A view that is drawn holds .wcam; one that
# waits for its code, or that says that it has none, holds nothing of ours and makes room for the picture.
_OUTPUT = ":is(.jp-OutputArea-child, .output_area)"
STYLE = f"""\
{_OUTPUT}:has(.wcam) + {_OUTPUT}:has(.wcam-still),
{_OUTPUT}:has(.wcam) + {_OUTPUT}:has(.wcam-still) + {_OUTPUT}:has(img) {{ display: none }}
{_OUTPUT}:has(.jupyter-widgets):has(+ {_OUTPUT} .wcam-still):not(:has(.wcam)) {{ display: none }}
"""


class Moment(NamedTuple):
    """What there is to show at one moment, and how to draw it."""

    key: tuple[Any, ...]
    words: tuple[str, ...]
    draw: Callable[[], bytes]


def moment_of(snapshot: Snapshot, colours: Colours = USUAL) -> Moment:
    """The map of a snapshot in words and as a picture, PNG of at most 60 kB; the image before a map."""
    progress, shown, picture = snapshot.progress, snapshot.on_cells, snapshot.picture
    evaluations = 0 if shown is None else shown.evaluations
    key = (progress.state, evaluations, snapshot.answer, colours)
    if shown is None or not progress.ended:
        reason = f"The run ended with an error: {progress.message}." if progress.state == "error" else ""
        words = (f"{picture.label}: no map yet.", reason, "Run this cell to see where the model looks.")
        return Moment(key, words, lambda: small(Image.fromarray(photograph(picture.image)), PHOTOGRAPH))
    notes = "" if progress.state == "done" else "The map is partial."

    def draw() -> bytes:
        # matplotlib takes a second to import, and who never displays an explorer does without it.
        from wcam_widget.show.plots import plot  # noqa: PLC0415

        figure, buffer = plot(shown, picture.image, **colours._asdict()), io.BytesIO()
        figure.savefig(buffer, format="png", dpi=WIDTH / figure.get_figwidth())
        return small(Image.open(buffer), 2 * WIDTH)

    return Moment(key, (snapshot.answer, notes, "This is a picture: run this cell to explore the map."), draw)


def moment_of_sides(snapshots: Sequence[Snapshot], colours: Colours = USUAL) -> Moment:
    """The maps of one side or of two, with what differs; of two only when both have ended."""
    moments = [moment_of(snapshot, colours) for snapshot in snapshots]
    if len(moments) == 1:
        return moments[0]
    maps = [snapshot.on_cells for snapshot in snapshots if snapshot.progress.ended]
    shown = [one for one in maps if one is not None]
    if len(shown) < len(snapshots):
        return moments[0]
    key = tuple(moment.key for moment in moments)
    *words, last = [word for moment in moments for word in moment.words[:-1]] + [moments[0].words[-1]]

    def draw() -> bytes:
        from wcam_widget.show.plots import plot  # noqa: PLC0415 as above

        figure, buffer = (
            plot(shown, [one.picture.image for one in snapshots], **colours._asdict()),
            io.BytesIO(),
        )
        figure.savefig(buffer, format="png", dpi=WIDTH / figure.get_figwidth())
        return small(Image.open(buffer), 2 * WIDTH)

    return Moment(key, (*words, last), draw)


def small(picture: Image.Image, longest: int) -> bytes:
    """A PNG of at most 60 kB: fewer colours, and then fewer pixels, until it is.

    >>> len(small(Image.effect_noise((900, 900), 90), 900)) <= 60_000
    True
    """
    picture = picture.convert("RGB")
    while True:
        picture.thumbnail((longest, longest))
        for colours in COLOURS:
            buffer = io.BytesIO()
            palette = picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            palette.save(buffer, format="png", optimize=True)
            if buffer.tell() <= LARGEST:
                return buffer.getvalue()
        longest = max(picture.size) * 3 // 4


@final
class Still:
    """The sentence and the picture of one session, wherever a notebook displays them.

    All methods may be called from any thread. What goes wrong is logged: a picture is never worth a run.

    Args:
        snapshots: gives all there is to show now, of one side or of two.
        colours: gives the colours of the reader's choice; None for the usual ones.
        follow: lets a worker exhaust an iterator, after what it has to do before.
    """

    def __init__(
        self,
        snapshots: Callable[[], Sequence[Snapshot]],
        colours: Callable[[], Colours | None],
        follow: Callable[[Iterator[None]], None],
    ) -> None:
        self._snapshots, self._colours, self._follow = snapshots, colours, follow
        picture = snapshots()[0].picture
        self._run, self._label = picture.run, picture.label
        self._ids = (f"wcam-{self._run}-words", f"wcam-{self._run}-picture")
        self._lock = threading.Lock()
        self._displayed = False
        self._drawn: tuple[tuple[Any, ...], list[dict[str, Any]]] = ((), [])

    @property
    def title(self) -> str:
        """What a page says that shows nothing else."""
        return f"Explorer of {self._label}"

    def display(self) -> None:
        """Show the latest moment below what the running cell has displayed."""
        self._displayed = True
        self._publish(self._moment(), update=False)

    def show(self, *, again: bool = False) -> None:
        """Show the latest moment where there was an earlier one; one that is shown only ``again``."""
        if self._displayed:
            moment = self._moment()
            if again or moment.key != self._drawn[0]:
                self._publish(moment, update=True)

    def show_later(self) -> None:
        """Let the worker show the latest moment, when it has done what it has to do before."""
        if self._displayed:
            self._follow(self._later())

    def forget(self) -> None:
        """Leave what is displayed as it is: its place belongs to others now."""
        self._displayed = False

    def _moment(self) -> Moment:
        return moment_of_sides(self._snapshots(), self._colours() or USUAL)

    def _later(self) -> Iterator[None]:
        self.show()
        yield

    def _publish(self, moment: Moment, *, update: bool) -> None:
        from IPython.display import display  # noqa: PLC0415 only a notebook displays anything

        try:
            for name, bundle in zip(self._ids, self._bundles(moment), strict=True):
                display(  # type: ignore[no-untyped-call]
                    bundle, raw=True, metadata={STILL: self._run}, display_id=name, update=update
                )
        except Exception:
            logger.exception("the picture of an explorer could not be shown")

    def _bundles(self, moment: Moment) -> list[dict[str, Any]]:
        with self._lock:
            if moment.key != self._drawn[0]:
                self._drawn = (moment.key, bundles(moment))
            return self._drawn[1]


def bundles(moment: Moment) -> list[dict[str, Any]]:
    """The two outputs: words, with the rules that hide one of view and picture, and the picture."""
    words = " ".join(word for word in moment.words if word)
    sentence = f'<style>{STYLE}</style><p class="wcam-still">{html.escape(words)}</p>'
    return [
        {"text/html": sentence, "text/plain": words},
        {"image/png": base64.b64encode(moment.draw()).decode("ascii"), "text/plain": moment.words[0]},
    ]


def display_widget(widget: Any, text: str, title: str, options: dict[str, Any]) -> bool:
    """Display a widget's view, as its class does; whether there may be a page, and not a terminal.

    ``widget`` is the part of it that knows its view. ``text`` stands for it in a terminal, ``title`` in pages
    that cannot draw it: what is displayed once must not tell of a progress that goes on.
    """
    from IPython import get_ipython  # noqa: PLC0415 only IPython asks for this
    from IPython.display import display  # noqa: PLC0415

    terminal = type(get_ipython()).__name__ == "TerminalInteractiveShell"
    if hasattr(widget, "_repr_mimebundle_"):
        data, metadata = widget._repr_mimebundle_(**options)
        display({**data, "text/plain": text if terminal else title}, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
    else:  # ipywidgets 7
        widget._ipython_display_(**options)
    return not terminal
