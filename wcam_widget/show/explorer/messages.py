"""What front ends say over custom messages, and what they get back. Nothing they send is trusted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.retarget import chosen, retarget_all
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.selection import ensure_cells, ensure_question
from wcam_widget.show.traits import PROTOCOL

logger = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters of an id that is worth sending back

Send = Callable[..., Any]
"""Sends a message to the front ends, with a list of bytes beside it where there are some."""
Resend = Callable[[], None]
Greeted = Callable[[], None]


@final
class Messages:
    """Answers the messages of all front ends of one session; returns at once, work is left to the worker.

    Messages are dictionaries with ``t``: "hello" is acknowledged (and the frames sent again where the front
    end holds older ones), "here" says that a front end still stands, "req" gets "res" or "err" with its
    ``id`` and ``client``, "cancel" withdraws a request, "ack" says which frame was drawn. Anything else is
    logged and dropped. An answer of the model is no part of "res": it comes through the traits, before.

    Args:
        session: what answers, is stopped and continued.
        encoder: what was sent of it.
        send: sends a message to the front ends.
        resend: sends the frames again.
        greeted: called after each "hello" and "here".
        together: the sessions that another target is chosen for, None for this one alone.
    """

    def __init__(
        self,
        session: Session,
        encoder: Encoder,
        send: Send,
        resend: Resend,
        greeted: Greeted = lambda: None,
        together: Callable[[], Sequence[Session] | None] = lambda: None,
    ) -> None:
        self._session, self._encoder = session, encoder
        self._together = together
        self._send, self._resend, self._greeted = send, resend, greeted

    def receive(self, content: Any) -> None:
        """Take one message."""
        kind = content.get("t") if isinstance(content, dict) else None
        if kind == "ack":
            self._acknowledged(content.get("rev"))
            return
        client = _name(content.get("client")) if isinstance(content, dict) else None
        if client is None:
            logger.warning("a message of no known kind was dropped")
        elif kind == "hello":
            self._greet(client, content.get("have"))
            self._greeted()
        elif kind == "here":
            self._greeted()
        elif kind in ("req", "cancel") and (name := _name(content.get("id"))) is not None:
            if kind == "req":
                self._request(client, name, content.get("method"), content.get("params"))
            else:
                self._session.worker.withdraw((client, name))
        else:
            logger.warning("a message of no known kind was dropped")

    def _acknowledged(self, rev: Any) -> None:
        if type(rev) is int:
            self._encoder.pace.frame_seen(rev)

    def _greet(self, client: str, have: Any) -> None:
        run, rev = self._session.picture.run, self._encoder.rev
        self._send({"t": "hello-ack", "client": client, "proto": PROTOCOL, "run": run, "rev": rev})
        held = have if isinstance(have, dict) else {}
        if rev > 0 and (held.get("run"), held.get("rev")) != (run, rev):
            self._resend()

    def _request(self, client: str, name: str, method: Any, params: Any) -> None:
        if not isinstance(params, dict):
            self._refuse(client, name, "bad_request", "params must be an object")
            return
        try:
            if method == "score":
                cells = self._session.probe.cells
                question = ensure_question(params.get("selection"), params.get("mode"), cells)
                reply, refuse = partial(self._reply, client, name), partial(self._refuse, client, name)
                self._session.ask(question, client, (client, name), reply, refuse)
                return
            if method == "file":
                self._send({"t": "res", "id": name, "client": client}, [self._session.file()])
                return
            result = self._done(method, params)
        except (ValueError, RuntimeError) as error:
            self._refuse(client, name, "bad_request", str(error))
        else:
            self._reply(client, name, result)

    def _done(self, method: Any, params: dict[str, Any]) -> Any:
        """Do what needs no model; ValueError or RuntimeError where it cannot be."""
        session = self._session
        if method == "stop":
            return session.cancel()
        if method == "more":
            return session.deepen(self._cells(params))
        if method == "price":
            return {"words": session.offered(self._cells(params)).words}
        if method == "names":
            return session.inquiry.classes()
        if method == "target":
            return retarget_all(self._together() or (session,), lambda one: chosen(one.probe.target, params))
        raise ValueError("method must be 'score', 'stop', 'more', 'price', 'names', 'target' or 'file'")

    def _cells(self, params: dict[str, Any]) -> tuple[int, ...]:
        """The cells that something is about; none are all."""
        given = params.get("cells")
        return () if given is None else ensure_cells(given, self._session.probe.cells)

    def _reply(self, client: str, name: str, result: Any = None) -> None:
        results = {} if result is None else {"result": result}
        self._send({"t": "res", "id": name, "client": client, **results})

    def _refuse(self, client: str, name: str, code: str, message: str, details: str = "") -> None:
        words = {"message": message, **({"details": details} if details else {})}
        self._send({"t": "err", "id": name, "client": client, "code": code, **words})


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None
