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
from wcam_widget.show.selection import Question
from wcam_widget.show.snapshot import Snapshot

logger = logging.getLogger(__name__)

LARGEST = 60_000  # bytes of a picture: every notebook that shows an explorer carries them
LARGEST_IN_PAGE = 36_000  # of one in a page of its own, which holds the explorer as well
WIDTH = 1000  # pixels of the figure
PHOTOGRAPH = 320  # pixels of the longer side, where there is only the image to show
COLOURS = (256, 128, 64, 32)
USUAL = Colours()

# The view stands before the sentence, and the picture after it. A view that is drawn holds .wcam; one that
# waits for its code, or that says that it has none, holds nothing of ours and makes room for the picture.
# An output is an element of JupyterLab, Notebook 7 and Voila; of Notebook 6; of Colab; of VS Code.
_OUTPUT = ":is(.jp-OutputArea-child, .output_area, .display_data, .output_container)"
STYLE = f"""\
{_OUTPUT}:has(.wcam) + {_OUTPUT}:has(.wcam-still),
{_OUTPUT}:has(.wcam) + {_OUTPUT}:has(.wcam-still) + {_OUTPUT}:has(img) {{ display: none }}
{_OUTPUT}:has(.jupyter-widgets):has(+ {_OUTPUT} .wcam-still):not(:has(.wcam)) {{ display: none }}
"""


class Moment(NamedTuple):
    """What there is to show at one moment, and how to draw it; pictures of equal keys are equal."""

    key: tuple[Any, ...]
    words: tuple[str, ...]
    draw: Callable[[], bytes]

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(word for word in self.words if word)


def moment_of(snapshot: Snapshot, colours: Colours = USUAL) -> Moment:
    """The map of a snapshot in words and as a picture, PNG of at most 60 kB; the image before a map."""
    progress, shown, picture = snapshot.progress, snapshot.on_cells, snapshot.picture
    key = (picture.run, picture.about, progress.ended, 0 if shown is None else shown.evaluations, colours)
    if shown is None or not progress.ended:
        reason = f"The run ended with an error: {progress.message}." if progress.state == "error" else ""
        words: tuple[str, ...] = (
            f"{picture.label}: no map yet.",
            reason,
            "Run this cell to see where the model looks.",
        )
        return Moment(key, words, lambda: small(Image.fromarray(photograph(picture.image)), PHOTOGRAPH))
    partial = "" if progress.state == "done" else "The map is partial."
    words = (
        snapshot.answer,
        partial,
        _chosen(snapshot),
        "This is a picture: run this cell to explore the map.",
    )

    def draw() -> bytes:
        # matplotlib takes a second to import, and who never displays an explorer does without it.
        from wcam_widget.show.plots import plot  # noqa: PLC0415

        figure, buffer = plot(shown, picture.image, **colours._asdict()), io.BytesIO()
        figure.savefig(buffer, format="png", dpi=WIDTH / figure.get_figwidth())
        return small(Image.open(buffer), 2 * WIDTH)

    return Moment(key, words, draw)


def _chosen(snapshot: Snapshot) -> str:
    """What the reader has selected last, and what the model makes of it; "" for nothing."""
    latest = snapshot.latest
    if latest is None or latest["about"] != snapshot.picture.about:
        return ""
    selection, mode = Question.from_key(latest["key"])
    if not selection:
        return ""
    done = "kept alone" if mode == "keep" else "removed"
    cells = f"{len(selection)} of {len(snapshot.picture.perturbation.cells)} cells"
    return f"{cells} {done}: {latest['verdict']}."


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


def small(picture: Image.Image, longest: int, largest: int = LARGEST) -> bytes:
    """A PNG of at most 60 kB, or ``largest``: fewer colours, and then fewer pixels, until it is.

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
            if buffer.tell() <= largest:
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
        self._drawn: tuple[tuple[Any, ...], str] = ((), "")
        self._shown: tuple[Any, ...] = ()

    @property
    def title(self) -> str:
        """What a page says that shows nothing else."""
        return f"Explorer of {self._label}"

    def display(self) -> None:
        """Show the latest moment below what the running cell has displayed."""
        self._displayed = True
        self._publish(update=False)

    def show(self, *, again: bool = False) -> None:
        """Show what is new of the latest moment where an earlier one is shown; all of it ``again``."""
        if self._displayed:
            self._publish(update=True, again=again)

    def bundle(self) -> dict[str, Any]:
        """The latest moment in one piece, for hosts that show one of its kinds; empty where it fails."""
        try:
            moment = self._moment()
            return {"text/html": sentence_html(moment.text), "image/png": self._png(moment)}
        except Exception:
            logger.exception("the picture of an explorer could not be drawn")
            return {}

    def page_picture(self) -> str | None:
        """The picture of the latest moment for a page, PNG as base64 text; None where it fails."""
        png = self.bundle().get("image/png")
        if png is None:
            return None
        picture = Image.open(io.BytesIO(base64.b64decode(png)))
        return base64.b64encode(small(picture, 2 * WIDTH, LARGEST_IN_PAGE)).decode("ascii")

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

    def _publish(self, *, update: bool, again: bool = False) -> None:
        from IPython.display import display  # noqa: PLC0415 only a notebook displays anything

        try:
            moment, before = self._moment(), self._shown if update and not again else ((), "")
            words = {"text/html": sentence_html(moment.text), "text/plain": moment.text}
            picture = {"image/png": self._png(moment), "text/plain": moment.words[0]}
            for name, bundle, now, then in zip(
                self._ids, (words, picture), (moment.text, moment.key), before[::-1], strict=True
            ):
                if now != then:
                    display(  # type: ignore[no-untyped-call]
                        bundle, raw=True, metadata={STILL: self._run}, display_id=name, update=update
                    )
            self._shown = (moment.key, moment.text)
        except Exception:
            logger.exception("the picture of an explorer could not be shown")

    def _png(self, moment: Moment) -> str:
        with self._lock:
            if moment.key != self._drawn[0]:
                self._drawn = (moment.key, base64.b64encode(moment.draw()).decode("ascii"))
            return self._drawn[1]


def sentence_html(words: str) -> str:
    """The words as an element, with the rules that hide it and the picture where the view is drawn."""
    return f'<style>{STYLE}</style><p class="wcam-still">{html.escape(words)}</p>'


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
