"""Several explorers in one widget: two sides beside each other, or one of many images at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, final

import numpy as np
import traitlets

from wcam_widget.explain import Attribution, MethodLike
from wcam_widget.model import ImageLike, ModelLike, TargetLike
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.explorer import LARGEST_PICTURE, Explorer
from wcam_widget.show.explorer.guard import Guard
from wcam_widget.show.explorer.heartbeat import HEART
from wcam_widget.show.explorer.layers import LayersLike, Source, ensure_layers
from wcam_widget.show.explorer.messages import Messages
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.explorer.side_arguments import Compared, Several, sides_of
from wcam_widget.show.explorer.side_map import placed
from wcam_widget.show.explorer.side_readout import SideReadout
from wcam_widget.show.explorer.side_sessions import explain_alike, in_turn, paired_frame, sessions_of
from wcam_widget.show.explorer.weak import WeakCall
from wcam_widget.show.explorer.worker import Request
from wcam_widget.show.frames import thumbnails_frame
from wcam_widget.show.selection import CellsLike, Question, ensure_cells
from wcam_widget.show.snapshot import Snapshot
from wcam_widget.show.traits import COMPARED, FRAMES, OUTCOME, RESENT, names_of, side_name, side_traits


class _Side(NamedTuple):
    """A side beyond the first: what runs, what is sent of it, and what answers its front ends."""

    session: Session
    encoder: Encoder
    messages: Messages


@final
class ComparisonExplorer(Explorer):
    """An explorer of several sides: images, models or methods; made by ``explore``, which says what it takes.

    What an explorer tells and takes is that of the first side; ``wait``, ``cancel``, ``deepen`` and ``close``
    are for all, and so is another ``target`` where all sides explained one when they were made. One worker
    serves all sides, two of them in turn.

    Attributes:
        shown: the numbers of the sides that are shown: one, or two side by side.
    """

    def __init__(
        self,
        model: ModelLike | str | Several[ModelLike | str],
        image: ImageLike | Several[ImageLike],
        target: TargetLike | Sequence[TargetLike] = None,
        method: MethodLike | Several[MethodLike] = None,
        class_names: Sequence[Any] | None = None,
        layers: LayersLike = (),
    ) -> None:
        self._guard = Guard()
        self._further: tuple[_Side, ...] = ()
        # Of which maps the difference and the places of the sides were made last.
        self._compared_maps: tuple[Attribution | None, ...] = ()
        self._placed_maps: tuple[Attribution | None, ...] = ()
        self._at_close: tuple[Attribution | None, ...] = ()
        compared, arguments = sides_of(model, image, target, method)
        receive: list[Callable[[Snapshot], None]] = [
            WeakCall(self._receive),
            *(partial(WeakCall(self._receive_side), side) for side in range(1, len(arguments))),
        ]
        sessions = sessions_of(compared, arguments, class_names, receive)
        wanted = ensure_layers(layers, sessions[0].probe.cells.image_size)
        self._names = tuple(side.name for side in arguments)
        self._add_sides(sessions, compared)
        self._open(sessions[0], wanted)

    def _add_sides(self, sessions: Sequence[Session], compared: Compared) -> None:
        """Give every side but the first its traits, with what there is to show."""
        beat, run = WeakCall(self.send), sessions[0].picture.run
        for side, session in enumerate(sessions[1:], 1):
            self.add_traits(**side_traits(side))
            encoder = Encoder()
            names = [side_name(name, side) for name in (*RESENT, *COMPARED)]
            resend = partial(WeakCall(self.send_state), names)
            greeted = partial(HEART.greeted, run, beat)
            together = partial(WeakCall(self._together), side)
            messages = Messages(session, encoder, WeakCall(self._say), resend, greeted, together)
            self._further += (_Side(session, encoder, messages),)
            for name, value in encoder.news(session.snapshot()).items():
                setattr(self, side_name(name, side), value)
        size = sum(len(getattr(self, side_name("_picture", side))) for side in range(1, len(sessions)))
        if size > LARGEST_PICTURE:
            raise ValueError(
                f"{compared}: {len(sessions)} sides make a widget of more than {size >> 20} MiB, too much "
                f"for a page; accepted are {LARGEST_PICTURE >> 20} MiB: compare fewer or smaller images"
            )
        self._linked = explain_alike(sessions)
        self._sides = {
            "compared": compared,
            "names": list(self._names),
            "points": None,
            "words": "",
            "linked": self._linked,
        }
        self._thumbnails = thumbnails_frame([session.picture.image for session in sessions])
        self.shown = [0, 1] if len(sessions) == 2 else [0]

    def session_of_side(self, side: int) -> Session | None:
        """The session of a side beyond the first; None before and after there is one."""
        return self._further[side - 1].session if side <= len(self._further) else None

    @property
    def attributions(self) -> tuple[Attribution | None, ...]:
        """The latest attribution of every side; partial while its run goes on, None before its first step."""
        if self._session is None:
            return self._at_close
        return tuple(session.attribution for session in self._sessions)

    @property
    def sides(self) -> tuple[SideReadout, ...]:
        """What the reader has chosen on each side, and what the model makes of it.

        Raises:
            RuntimeError: when the explorer is closed.
        """
        return tuple(
            SideReadout(
                name, session, Question(tuple(getattr(self, side_name("selection", side))), self.mode)
            )
            for side, (name, session) in enumerate(zip(self._names, self._sessions, strict=True))
        )

    @property
    def _sessions(self) -> tuple[Session, ...]:
        return (self._open_session, *(side.session for side in self._further))

    def _together(self, side: int = 0) -> tuple[Session, ...]:
        return self._sessions if self._linked else (self._sessions[side],)

    def select_band(self, name: str) -> None:
        """Select all cells of one band, on every side that has it.

        Args:
            name: the band, for instance "HL2".

        Raises:
            KeyError: for a name that the first side has no band of, with the bands there are.
            RuntimeError: when the explorer is closed.
        """
        super().select_band(name)
        for side, (session, _, _) in enumerate(self._further, 1):
            cells = session.probe.cells
            if name in {band.name for band in cells.bands}:
                setattr(self, side_name("selection", side), cells.in_band(name).tolist())

    def cancel(self) -> None:
        """End the runs of all sides after the step that is under way; the partial maps stay."""
        for session in self._sessions:
            session.cancel()

    def deepen(self, cells: CellsLike | None = None) -> None:
        """Go on with the runs of all sides that have more to give, with about twice their rows or budget.

        Args:
            cells: what all further rows are of: ids of cells that are the same on all sides, or the name of a
                band; None for all cells.

        Raises:
            ValueError: naming ``cells``, where a side has none of these, or other cells of these ids.
            RuntimeError: while the runs go on, and where no side has more to give.
        """
        chosen = [() if cells is None else self._cells_of(session, cells) for session in self._sessions]
        refused: list[RuntimeError] = []
        for session, ids in zip(self._sessions, chosen, strict=True):
            try:
                session.deepen(ids)
            except RuntimeError as error:
                refused.append(error)
        if len(refused) == len(self._sessions):
            raise refused[0]

    def _cells_of(self, session: Session, cells: CellsLike) -> tuple[int, ...]:
        """What a side deepens of what was chosen for all."""
        table, first = session.probe.cells, self._open_session.probe.cells
        if not isinstance(cells, str) and not np.array_equal(table.rectangles, first.rectangles):
            raise ValueError(
                f"cells: these ids mean other cells on other sides, of {len(first)} and {len(table)}; "
                "accepted are the name of a band, or None for all"
            )
        return ensure_cells(cells, table)

    def _wait(self, timeout: float | int | None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        until = None if timeout is None else time.monotonic() + timeout
        try:
            first, *_ = [
                session.wait(None if until is None else max(0.0, until - time.monotonic()))
                for session in self._sessions
            ]
        except KeyboardInterrupt:
            self.cancel()
            raise
        self._publish_difference()
        return first

    def _begin(self, session: Session, layers: Mapping[str, Source]) -> None:
        sessions = self._sessions
        streams = [one.streams() for one in sessions]
        if len(sessions) == 2:
            runs, answers = zip(*streams, strict=True)
            work = [in_turn(runs), *answers]
        else:
            work = [stream for both in streams for stream in both]
        for stream in work:
            session.worker.follow(stream)
        for one in sessions:
            for name, source in layers.items():
                if one is session or not isinstance(source, Attribution):
                    one.add_layer(name, source)

    def _pictured(self, session: Session) -> Callable[[], Sequence[Snapshot]]:
        sessions = (session, *(side.session for side in self._further))
        shown = WeakCall(self._shown)
        return lambda: tuple(sessions[side].snapshot() for side in shown() or (0,))

    def _shown(self) -> tuple[int, ...]:
        return tuple(self.shown)

    def _names_of(self, names: Sequence[str]) -> list[str]:
        compared = COMPARED if names in (OUTCOME, RESENT) else ()
        return [*names_of(names, len(self._further) + 1), *compared]

    def _end(self, patience: float | None) -> None:
        if self._session is not None:
            self._at_close = self.attributions
        super()._end(patience)
        for side in self._further:
            side.session.close(0.0)

    def _free(self) -> None:
        super()._free()
        for name in names_of(FRAMES, len(self._further) + 1):
            setattr(self, name, b"")
        self._further = ()
        self._compared_maps = self._placed_maps = ()

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        side = content.get("side", 0) if isinstance(content, dict) else 0
        if type(side) is int and 0 < side <= len(self._further):
            self._further[side - 1].messages.receive(content)
        else:
            super()._handle_custom_msg(content, buffers)

    def _receive_side(self, side: int, snapshot: Snapshot) -> None:
        encoder = self._further[side - 1].encoder if side <= len(self._further) else None
        self._take(snapshot, encoder, side)

    def _take(self, snapshot: Snapshot, encoder: Encoder | None, side: int) -> None:
        super()._take(snapshot, encoder, side)
        if snapshot.progress.ended and self._session is not None:
            with self._guard:
                maps = self.attributions
                if not _are_same(maps, self._placed_maps):
                    self._placed_maps = maps
                    self._sides = {**self._sides, **placed(maps)}
            self._compare()

    @traitlets.observe("shown")
    def _compare(self, change: Any = None) -> None:
        """Let the worker say what of the shown pair differs for certain, once both maps are complete."""
        del change
        if self._further and (session := self._session) is not None:
            publish = WeakCall(self._publish_difference)
            session.worker.ask(Request("difference", "difference", publish, _forget))
            self._show_still()

    def _publish_difference(self) -> None:
        shown = tuple(self.shown)
        if len(shown) == 2 and self._session is not None:
            one, other = (self._sessions[side] for side in shown)
            maps = (one.attribution, other.attribution)
            if not _are_same(maps, self._compared_maps):
                frame = paired_frame(one, other)
                with self._guard:
                    if self._session is not None:
                        self._compared_maps, self._difference = maps, frame


def _are_same(maps: Sequence[object], others: Sequence[object]) -> bool:
    return len(maps) == len(others) and all(one is other for one, other in zip(maps, others, strict=True))


def _forget(reason: str) -> None:
    """What is not compared now is compared when it is shown again."""
    del reason
