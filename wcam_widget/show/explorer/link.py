"""What a worker and messages hold of an explorer: it must not be what keeps the explorer alive."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, final

from wcam_widget.show.traits import RESENT

if TYPE_CHECKING:
    from wcam_widget.show.explorer.explorer import Explorer


@final
class Link:
    """The way to an explorer, which does nothing once the explorer is gone."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = weakref.ref(explorer)

    def show(self, news: dict[str, Any]) -> None:
        """Set traits."""
        if (explorer := self._explorer()) is not None:
            explorer._receive(news)  # noqa: SLF001 the other half of Explorer

    def send(self, content: dict[str, Any]) -> None:
        """Send a message to the front ends."""
        if (explorer := self._explorer()) is not None:
            explorer._say(content)  # noqa: SLF001

    def beat(self, content: dict[str, Any]) -> None:
        """Send a message also while an observer works: nothing of the widget's own is touched on the way."""
        if (explorer := self._explorer()) is not None:
            explorer.send(content)

    def resend(self) -> None:
        """Send the frames and what is known again."""
        if (explorer := self._explorer()) is not None:
            explorer.send_state(list(RESENT))

    def colormap(self) -> str:
        """The colours the reader has chosen."""
        explorer = self._explorer()
        return "cividis" if explorer is None else str(explorer.colormap)
