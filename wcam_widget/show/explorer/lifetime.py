"""The end of an explorer: what it holds, and how it lets go of it."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wcam_widget.explain import Attribution
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.guard import Guard
from wcam_widget.show.explorer.heartbeat import HEART
from wcam_widget.show.explorer.messages import Messages
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.pages.still import Still


class Lifetime:
    """The half of a widget that ends it: by ``close``, by ``with``, and where its cell is run again."""

    _guard: Guard
    _session: Session | None = None
    _encoder: Encoder | None = None
    _messages: Messages | None = None
    _still: Still | None = None
    _last: Attribution | None = None
    _at_exit: weakref.finalize[Any, Any]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the run, say good-bye to the front ends, and let go of the model; may be called twice."""
        # In an observer, which the worker may wait for, the worker is left to end by itself.
        self._end(0.0 if self._guard.held else None)

    def give_way(self) -> None:
        """Close at once, because the cell that made this was run again: what it displayed is gone."""
        if self._still is not None:
            self._still.forget()
        self._end(0.0)

    def _end(self, patience: float | None) -> None:
        session, still = self._session, self._still
        self.unlink_all()
        if session is not None:
            self._at_exit.detach()
            HEART.forget(session.picture.run)
            self._say({"t": "bye", "reason": "closed"})
            session.close(patience)
            if still is not None:
                still.show()
            self._last = session.attribution
            self._session = self._encoder = self._messages = self._still = None
        super().close()  # type: ignore[misc]  # of the widget that this is half of
        if session is not None:
            self._free()

    if TYPE_CHECKING:  # the other half's

        def _say(self, content: dict[str, Any]) -> None:
            """Send a message to the front ends."""

        def unlink_all(self) -> None:
            """End all links with other explorers."""

        def _free(self) -> None:
            """Let go of what no front end hears of any more."""
