"""The sessions of the sides of a comparison: how they begin, take turns, and what differs between two."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wcam_widget.evaluate.map_difference import MapDifference
from wcam_widget.model import BlackBox, TargetLike
from wcam_widget.show.explorer.arguments import ensure_method, ensure_pixels, load
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.explorer.side_arguments import Compared, SideArguments
from wcam_widget.show.explorer.worker import Worker
from wcam_widget.show.frames import difference_frame
from wcam_widget.show.snapshot import Snapshot

_END = object()


def sessions_of(
    compared: Compared,
    arguments: Sequence[SideArguments],
    class_names: Sequence[Any] | None,
    receive: Sequence[Callable[[Snapshot], None]],
) -> list[Session]:
    """A session for every side, all with one worker."""
    worker = Worker("wcam comparison")
    networks: list[BlackBox] = []
    sessions: list[Session] = []
    for number, (side, publish) in enumerate(zip(arguments, receive, strict=True)):
        if compared == "model" or not networks:
            networks.append(load(side.model, class_names))
        network = networks[-1]
        name = f"image[{number}]" if compared == "image" else "image"
        pixels = ensure_pixels(side.image, name, network)
        target = side.target
        if target is None and sessions and (compared != "image" or len(arguments) == 2):
            target = _same_target(sessions[0], networks[0], network)
        sessions.append(Session(network, pixels, target, ensure_method(side.method), publish, worker))
    return sessions


def _same_target(first: Session, one: BlackBox, other: BlackBox) -> TargetLike:
    """What the first side explains, where the other's classes are the same."""
    return first.target if one is other or one.class_names == other.class_names else None


def explain_alike(sessions: Sequence[Session]) -> bool:
    """Whether all sides explain one target of the same classes, so that another one is chosen for all."""
    first, *others = sessions
    return all(
        one.target == first.target
        and one.probe.model.class_names == first.probe.model.class_names
        and len(one.probe.image_logits) == len(first.probe.image_logits)
        for one in others
    )


def paired_frame(one: Session, other: Session) -> bytes:
    """The frame of the second map less the first; an empty one where they do not correspond."""
    first, second = one.attribution, other.attribution
    if first is None or second is None or not (first.complete and second.complete):
        return b""
    try:
        return difference_frame(MapDifference(second, first), (one.picture.run, other.picture.run))
    except ValueError:  # other cells, another method, or no replicates: their intervals are all there is
        return b""


def in_turn(streams: Sequence[Iterator[Any]]) -> Iterator[Any]:
    """The steps of several streams, one of each at a time; closing them closes the streams.

    >>> list(in_turn([iter("ab"), iter("xyz")]))
    ['a', 'x', 'b', 'y', 'z']
    """
    steps = _in_turn(streams)
    next(steps)
    return steps


def _in_turn(streams: Sequence[Iterator[Any]]) -> Iterator[Any]:
    waiting = deque(streams)
    try:
        yield
        while waiting:
            stream = waiting.popleft()
            step = next(stream, _END)
            if step is not _END:
                waiting.append(stream)
                yield step
    finally:
        for stream in waiting:
            close = getattr(stream, "close", None)
            if close is not None:
                close()
