"""The explorer: an attribution that streams into a notebook and can be taken apart there."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anywidget
import traitlets

from wcam_widget.explain import Attribution, MethodLike
from wcam_widget.model import ImageLike, ModelLike, TargetLike
from wcam_widget.show.explorer.arguments import ensure_method, ensure_pixels, load
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.guard import Guard
from wcam_widget.show.explorer.heartbeat import HEART
from wcam_widget.show.explorer.layers import LayerLike, LayersLike, Source, ensure_layers
from wcam_widget.show.explorer.linking import Linked, written
from wcam_widget.show.explorer.messages import Messages
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.explorer.weak import WeakCall
from wcam_widget.show.pages import page as export
from wcam_widget.show.pages.exporter import write_report
from wcam_widget.show.pages.network import page_network
from wcam_widget.show.pages.still import Still, display_widget
from wcam_widget.show.selection import CellsLike, ensure_cells
from wcam_widget.show.snapshot import Snapshot
from wcam_widget.show.traits import FRAMES, NAMES, OUTCOME, RESENT, side_name

STATIC = Path(__file__).parents[1] / "static"
LARGEST_PICTURE = 32 * 2**20  # bytes; every page and every reload carries them
AT_EXIT = 60.0  # seconds an ending interpreter waits for a step of a run: cut inside torch, it would crash
ExplorerT = TypeVar("ExplorerT", bound="Explorer")
RELOADING = os.environ.get("ANYWIDGET_HMR") == "1"


class Explorer(Linked, anywidget.AnyWidget):
    """A widget that explains one image to its reader; made by ``explore``, which says what it takes.

    The map streams in from the moment it is made. What the reader does in the browser can be read and set
    here, and ``observe`` tells of its changes. All of it may be used from any thread.
    The model's tensors are held until ``close``, also by ``with explore(...) as explorer:``.

    Attributes:
        selection: sorted ids of cells; nothing selected means everything is kept.
        mode: "keep" the selected cells, or "remove" them.
        target: what is explained: a class id, or a target where it is no plain class. Setting it, also to a
            class name, explains another one: from the class scores of the rows so far where they were kept;
            else ``deepen`` computes the map, and the button in the view says how long that takes.
        progress: the share of the run that is done, 0 to 1.
        layer: the name of the map over the image, "" for that of the run.
        theme: "auto", "light" or "dark".
        colormap: "cividis" or "viridis".
        scale: how values become colours, "auto", "linear", "log" or "rank", or "log per level" and so on.
        opacity: that of the map over the image, 0 to 1.
    """

    # A path is watched by anywidget, which then keeps every explorer alive for ever: only while developing.
    _esm: Any = STATIC / "widget.js" if RELOADING else traitlets.Unicode().tag(sync=True)
    _css: Any = STATIC / "widget.css" if RELOADING else traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        model: ModelLike | str,
        image: ImageLike,
        target: TargetLike = None,
        method: MethodLike = None,
        class_names: Sequence[Any] | None = None,
        layers: LayersLike = (),
    ) -> None:
        # ipywidgets keeps per-widget state while it sends and receives; messages come on other threads.
        self._guard = Guard()
        network = load(model, class_names)
        pixels = ensure_pixels(image, "image", network)
        session = Session(network, pixels, target, ensure_method(method), WeakCall(self._receive))
        self._open(session, ensure_layers(layers, session.probe.cells.image_size))

    def _open(self, session: Session, layers: Mapping[str, Source]) -> None:
        """Become the widget of a session, and begin."""
        code = {} if RELOADING else {"_esm": export.built("widget.js"), "_css": export.built("widget.css")}
        encoder = Encoder()
        traits = encoder.news(session.snapshot())
        if (size := len(traits["_picture"])) > LARGEST_PICTURE:
            _, height, width = session.picture.image.shape
            raise ValueError(
                f"image: {height}x{width} pixels in {len(session.probe.cells)} cells make a widget of "
                f"{size >> 20} MiB, too much for a page; accepted are {LARGEST_PICTURE >> 20} MiB: make the "
                "image smaller or the grid coarser"
            )
        super().__init__(**code, **traits)
        self.set_trait("target", written(session.probe.target))
        self._own_layout = self.layout
        self._still = Still(self._pictured(session), WeakCall(self._colours), session.worker.follow)
        self._session, self._encoder = session, encoder
        send, beat, state = WeakCall(self._say), WeakCall(self.send), WeakCall(self.send_state)
        resend, run = partial(state, self._names_of(RESENT)), session.picture.run
        greeted, together = partial(HEART.greeted, run, beat), WeakCall(self._together)
        self._messages = Messages(session, encoder, send, resend, greeted, together)
        self._at_exit = weakref.finalize(self, session.close, AT_EXIT)
        self._begin(session, layers)

    def _begin(self, session: Session, layers: Mapping[str, Source]) -> None:
        """Set the worker to work."""
        session.start()
        for name, source in layers.items():
            session.add_layer(name, source)

    def _pictured(self, session: Session) -> Callable[[], Sequence[Snapshot]]:
        """What the still picture shows; it must not keep the widget alive."""
        return lambda: (session.snapshot(),)

    def _names_of(self, names: Sequence[str]) -> list[str]:
        """The traits of these names, on all sides."""
        return list(names)

    def __repr__(self) -> str:
        if self._session is None:
            return "Explorer(closed)"
        snapshot = self._session.snapshot()
        progress = snapshot.progress
        passes = f", {progress.done} of {progress.total} passes" if progress.total else ""
        return f"Explorer({progress.state}{passes}. {snapshot.answer})"

    def __enter__(self: ExplorerT) -> ExplorerT:  # noqa: PYI019 checks at run time know no Self
        return self

    def _ipython_display_(self, **options: Any) -> None:
        """Show the view, and below it the picture that stays when nothing draws the view any more."""
        still = self._still
        if still is None:
            print(repr(self))  # noqa: T201 what IPython does with what it cannot show
        elif display_widget(super(), repr(self), still.title, options):
            still.display()

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The view, the sentence and the picture as one output, where a host asks for this itself."""
        shown, still = super()._repr_mimebundle_(**options), self._still
        if shown is None or still is None:
            return shown
        data, metadata = shown
        return {**data, **still.bundle(), "text/plain": still.title}, metadata

    def wait(self, timeout: float | int | None = None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        """Wait until the run and all layers have ended.

        An executed notebook keeps the map if the cell waits for it. Interrupting the kernel cancels the run;
        ``attribution`` is then the partial map.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            The attribution, partial if the run was cancelled.

        Raises:
            TimeoutError: after ``timeout`` seconds; the run goes on.
            RuntimeError: when the explorer is closed, an observer waits, or there is no map.
            Exception: the error that ended the run or a layer, as it was.
        """
        if self._guard.held:
            raise RuntimeError("wait was called by an observer, which the run itself waits for")
        try:
            return self._wait(timeout)
        finally:
            # Sent once more on behalf of the waiting cell: what another thread sends, nbclient does not keep.
            self.send_state(self._names_of(OUTCOME))
            if self._still is not None:
                self._still.show(again=True)

    def _wait(self, timeout: float | int | None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        return self._open_session.wait(timeout)

    def cancel(self) -> None:
        """End the run after the step that is under way; the partial map stays, in ``attribution`` too."""
        self._open_session.cancel()

    def deepen(self, cells: CellsLike | None = None) -> None:
        """Go on with the run that ended, with about twice its rows or budget, into the same views.

        A run that was cancelled is finished instead. Returns at once; ``wait`` waits, ``cancel`` ends it.

        Args:
            cells: what all further rows are of: ids such as ``selection`` has, or the name of a band. These
                get about as many rows again as they had. None for all cells.

        Raises:
            ValueError: naming ``cells``, where there are none of these.
            RuntimeError: while the run goes on; where nothing more, or not of some cells, can be computed.

        >>> import torch
        >>> from wcam_widget import Sobol, Wcam, explore
        >>> image, method = torch.rand(3, 16, 16), Wcam(Sobol(rows=4), levels=2, grid=2)
        >>> with explore(lambda images: images.mean((2, 3)), image, method=method) as explorer:
        ...     before = explorer.wait().evaluations
        ...     explorer.deepen()
        ...     explorer.wait().evaluations > before
        True
        """
        session = self._open_session
        session.deepen(() if cells is None else ensure_cells(cells, session.probe.cells))

    def add_layer(self, layer: LayerLike, name: str | None = None) -> str:
        """Put one more map over the image; setting ``explorer.layer`` to its name shows it.

        Args:
            layer: a method, which explains the same image and target after what is under way, or an
                attribution of an image of this size.
            name: what it is called; None for the name of its method.

        Returns:
            The name, with a number where it was taken.

        Raises:
            TypeError: for anything else; ValueError for a map of another size.
            RuntimeError: when the explorer is closed.
        """
        session = self._open_session
        size = session.probe.cells.image_size
        named = ensure_layers(layer if name is None else {name: layer}, size, "layer")
        (added,) = (session.add_layer(*each) for each in named.items())
        return added

    def to_html(self, path: str | Path, model: bool = False) -> Path:
        """Write a page that explores the map of this moment (``wait`` first) without kernel or network.

        Args:
            path: the file, in a folder that exists.
            model: whether the page carries the model and scores every selection by itself, not only single
                bands. The size, two bytes a weight or more, is logged first, as INFO. Needs ``[fast]``.

        Returns:
            The path.

        Raises:
            RuntimeError: when the explorer is closed; OSError where the file cannot be written.
            ImportError, ValueError: where pages cannot run the model; no page is written.
        """
        session, state = self._open_session, self.page_state()
        network = {"network": page_network(session.probe, len(self.attributions)).data} if model else {}
        return write_report(path, [state | network], session.picture.label)

    def page_state(self) -> dict[str, Any]:
        """The traits that make up the explorer's pictures, as ``write_report`` takes them."""
        title, still = self._open_session.picture.label, self._still
        picture = None if still is None else still.page_picture()
        with self._guard:
            return {"title": title, "picture": picture} | {
                name: getattr(self, name) for name in self._names_of(NAMES)
            }

    def _free(self) -> None:
        for name in FRAMES:
            setattr(self, name, b"")
        self._own_layout.close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a front end changed."""
        with self._guard:
            super().set_state(sync_data)

    def send_state(self, key: Any = None) -> None:
        """Send traits to the front ends."""
        with self._guard:
            super().send_state(key)

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        del buffers  # no message has any
        messages = self._messages
        if messages is not None:
            messages.receive(content)

    def _receive(self, snapshot: Snapshot) -> None:
        self._take(snapshot, self._encoder, 0)

    def _take(self, snapshot: Snapshot, encoder: Encoder | None, side: int) -> None:
        """Put into the traits of a side what is new of it."""
        with self._guard:
            news = {} if encoder is None else encoder.news(snapshot)
            with self.hold_sync():
                for name, value in news.items():
                    setattr(self, side_name(name, side), value)
                if side == 0:
                    self._tell(snapshot)
        if snapshot.progress.ended and not news.keys().isdisjoint({"_status", "_scores"}):
            self._show_still()

    @traitlets.observe("colormap", "scale")
    def _show_still(self, change: Any = None) -> None:
        """Bring the picture up to date, when the worker has done what it has to do before."""
        del change
        if self._still is not None:
            self._still.show_later()

    def _say(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        with self._guard:
            self.send(content, buffers)
