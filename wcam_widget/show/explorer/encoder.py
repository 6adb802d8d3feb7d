"""From snapshots to the traits of an explorer, as often as a screen can follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, final

from wcam_widget.model import Logit, Margin, Probability
from wcam_widget.show.explorer.pace import Pace
from wcam_widget.show.frames import attribution_frame, finite, layers_frame, picture_frame, retention_frame
from wcam_widget.show.snapshot import Snapshot

EVERYTHING = ("_target", "_picture", "_frame", "_layers", "_status", "_known", "_scores", "_retention")
EMPTY: dict[str, Any] = {"_frame": b"", "_layers": b"", "_known": {}, "_scores": {}, "_retention": b""}
"""What stands for a map or an answer that there is none of yet, where there was one of an earlier target."""


@final
class Encoder:
    """Encodes what is new in a snapshot, as far as it is due. One thread at a time may use it.

    Of the first snapshot everything is new. Answers are due at once, maps when ``pace`` says so, and all of
    it where a run or a layer has ended: with a frame of a new number, so that a front end that missed it asks
    for everything again.

    >>> Encoder().rev
    0
    """

    def __init__(self) -> None:
        self.pace = Pace()
        self.rev = 0
        """The number of the latest frame; the first one is 1."""
        self._number = 0
        self._sent: dict[str, Any] = {"_layers": ()}  # what each trait was made from

    def news(self, snapshot: Snapshot) -> dict[str, Any]:
        """Values by trait; none where a later snapshot was there before."""
        if snapshot.number < self._number:
            return {}
        self._number, sources = snapshot.number, _sources(snapshot)
        turned = self._sent.get("_target", sources["_target"]) != sources["_target"]
        if turned:  # all but the image is new
            self.pace, self._sent = Pace(), {"_layers": (), "_picture": self._sent["_picture"]}
        names = self._due(snapshot, {name for name in sources if self._is_new(name, sources[name])})
        self._sent |= {name: sources[name] for name in names}
        news = encoded(snapshot, self.rev, names)
        # What is said of one target must not stand beside another.
        return {**EMPTY, **news} if turned else news

    def _is_new(self, name: str, source: Any) -> bool:
        before = self._sent.get(name)
        return source is not before and not (isinstance(source, tuple | str) and source == before)

    def _due(self, snapshot: Snapshot, changed: set[str]) -> set[str]:
        """The traits that are to be sent now."""
        now = time.monotonic()
        due = changed - {"_frame", "_layers"}
        if "_retention" in due and not self._retention_due(snapshot, now):
            due.remove("_retention")
        if "_known" in due:  # the answer in words may be made of them
            due.add("_status")
        if "_target" in due:  # the first snapshot of it
            due.add("_layers")
        over = sum(layer.ended for layer in snapshot.extra) > sum(one.ended for one in self._sent["_layers"])
        ended = over or (snapshot.progress.ended and "_status" in changed)
        if ended or ("_frame" in changed and self.pace.frame_due(now)):
            self.rev += 1
            self.pace.frame_sent(self.rev, now)
            with_layers = "_layers" in changed or not snapshot.picture.own_cells
            return due | {"_frame", "_status"} | ({"_layers"} if with_layers else set())
        if "_status" in due:
            self.pace.progress_sent(now)
        elif changed & {"_frame", "_layers"} and self.pace.progress_due(now):
            self.pace.progress_sent(now)
            due.add("_status" if "_frame" in changed else "_layers")
        return due

    def _retention_due(self, snapshot: Snapshot, now: float) -> bool:
        """Whether a curve, which holds the order of all cells, is worth the message."""
        due = snapshot.curve is None or snapshot.curve.complete or self.pace.progress_due(now)
        if due:
            self.pace.progress_sent(now)
        return due


def _sources(snapshot: Snapshot) -> dict[str, Any]:
    """What each trait is made from."""
    return {
        "_target": snapshot.picture.target,
        "_picture": snapshot.picture.perturbation,
        "_frame": snapshot.attribution,
        "_layers": snapshot.extra,
        "_status": snapshot.progress.state,
        "_known": snapshot.known,
        "_scores": snapshot.latest,
        "_retention": snapshot.curve,
    }


def encoded(snapshot: Snapshot, rev: int, names: Collection[str] = EVERYTHING) -> dict[str, Any]:
    """The traits that draw a snapshot, alone and without any earlier one.

    Args:
        snapshot: what is to be drawn.
        rev: the number of its frame, from 1.
        names: the traits that are wanted.

    Returns:
        Values by trait; those of which there is nothing yet are left out.
    """
    values = {name: made for name in names if (made := _MAKERS[name](snapshot, rev)) is not None}
    return {name: values[name] for name in EVERYTHING if name in values}


def _target(snapshot: Snapshot, rev: int) -> dict[str, Any]:
    """What is explained, by name, by class ids where it has any, and as the words of a program."""
    del rev
    target = snapshot.picture.target
    ids = {"class_id": target.class_id} if isinstance(target, Logit | Probability | Margin) else {}
    other = {"other": target.other} if isinstance(target, Margin) else {}
    picture = snapshot.picture
    about = {"about": picture.about, "label": picture.label, "score": finite(picture.score)}
    about["code"] = picture.code
    return {**about, "classes": picture.classes, **ids, **other}


def _picture(snapshot: Snapshot, rev: int) -> bytes:
    del rev  # the same for all frames of a run
    picture = snapshot.picture
    return picture_frame(picture.perturbation, picture.image, picture.run)


def _frame(snapshot: Snapshot, rev: int) -> bytes | None:
    shown = snapshot.on_cells
    return (
        None if shown is None else attribution_frame(shown, snapshot.picture.run, rev, snapshot.picture.about)
    )


def _layers(snapshot: Snapshot, rev: int) -> bytes | None:
    del rev
    picture = snapshot.picture
    size = picture.perturbation.cells.image_size
    return layers_frame(snapshot.layers, size, picture.run, picture.about) if snapshot.layers else None


def _status(snapshot: Snapshot, rev: int) -> dict[str, Any]:
    """How far a run is; times in seconds."""
    progress = snapshot.progress
    return {
        "state": progress.state,
        "done": progress.done,
        "total": progress.total,
        "seconds": progress.seconds,
        "seconds_left": progress.seconds_left,
        "message": progress.message,
        "answer": snapshot.answer,
        "stop": progress.stop,
        "more": progress.more,
        "details": progress.details,
        "run": snapshot.picture.run,
        "rev": rev,
    }


def _known(snapshot: Snapshot, rev: int) -> dict[str, Any] | None:
    del rev
    return dict(snapshot.known) or None


def _scores(snapshot: Snapshot, rev: int) -> dict[str, Any] | None:
    del rev
    return None if snapshot.latest is None else dict(snapshot.latest)


def _retention(snapshot: Snapshot, rev: int) -> bytes | None:
    del rev
    return None if snapshot.curve is None else retention_frame(snapshot.curve, snapshot.picture.run)


_MAKERS: dict[str, Callable[[Snapshot, int], Any]] = {
    "_target": _target,
    "_picture": _picture,
    "_frame": _frame,
    "_layers": _layers,
    "_status": _status,
    "_known": _known,
    "_scores": _scores,
    "_retention": _retention,
}
