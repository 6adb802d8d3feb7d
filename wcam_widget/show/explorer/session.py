"""A session: one image under explanation, from the first row of weights to the last question about it.

It knows nothing of widgets and of what is sent where: whenever there is something new to show it publishes a
snapshot of everything.
"""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import final

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.model import AbstractTarget, BlackBox, ImageLike, TargetLike, ensure_image
from wcam_widget.show.explorer.asking import Refuse, file_of, score_request
from wcam_widget.show.explorer.layers import Source, numbered
from wcam_widget.show.explorer.offer import Maps, Offer
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.explorer.retarget import again, course, held
from wcam_widget.show.explorer.stream import AnswerStream, LayerStream, RunStream
from wcam_widget.show.explorer.worker import Worker
from wcam_widget.show.selection import Question
from wcam_widget.show.snapshot import Answer, Picture, Snapshot

Publish = Callable[[Snapshot], None]


@final
class Session:
    """Runs a method on one image, answers questions about it, and publishes what is to be shown.

    Creating it evaluates the model once; ``start`` returns at once. Further maps come after the run, in their
    order. All methods may be called from any thread.

    Args:
        model: the network.
        image: the image, as ``explore`` takes it.
        target: what is explained, as ``explore`` takes it.
        method: the method of explanation.
        publish: gets a snapshot whenever there is something new, mostly from the worker's thread.
        worker: does the work; None for one of its own. Closing the session closes it.

    Raises:
        ValueError: where an argument is not valid; TypeError and ModelError likewise.
    """

    def __init__(
        self,
        model: BlackBox,
        image: ImageLike,
        target: TargetLike,
        method: AbstractMethod,
        publish: Publish,
        worker: Worker | None = None,
    ) -> None:
        pixels = ensure_image(image, "image", model.fit)
        self.probe = method.probe(model, pixels, target)
        self.picture = Picture.of(self.probe, pixels, method, uuid.uuid4().hex[:12])
        self.inquiry = Inquiry(self.probe)
        self.worker = Worker(f"wcam explorer {self.picture.run}") if worker is None else worker
        self.method = method
        self._target = held(target, self.probe.target)
        self._publish = publish
        self._lock = threading.RLock()  # re-entered where a garbage collection closes a widget
        self._numbers = itertools.count(1)
        self._cancelled = threading.Event()  # another one after each cancel, for what is wanted after it
        self._closed = False
        self._layers: list[LayerStream] = []
        self._follow(self._run_of(self._anew()))

    @property
    def attribution(self) -> Attribution | None:
        """The latest attribution of the run; None before its first step."""
        return self._run.attribution

    @property
    def target(self) -> TargetLike:
        """What all methods explain: a class id, or a target."""
        return self._target

    @property
    def error(self) -> BaseException | None:
        """What ended the run, or else the first layer that failed."""
        streams = [self._run, *self._layers]
        return next((stream.error for stream in streams if stream.error is not None), None)

    def snapshot(self) -> Snapshot:
        """All there is to show now."""
        with self._lock:
            progress = self._run.progress
            return Snapshot(
                number=next(self._numbers),
                picture=self.picture,
                progress=replace(progress, more="") if self._closed else progress,
                attribution=self._run.attribution,
                extra=tuple(stream.layer for stream in self._layers),
                known=self.inquiry.known,
                latest=self.inquiry.latest,
                curve=self.inquiry.curve,
            )

    def start(self) -> None:
        """Begin to explain, then to compute the answers that a page without a kernel needs."""
        for stream in self.streams():
            self.worker.follow(stream)

    def streams(self) -> tuple[Iterator[None], Iterator[None]]:
        """The run and the answers, for a worker that follows several sessions."""
        return self._run.follow(), self._answers.follow()

    def offered(self, cells: tuple[int, ...] = ()) -> Offer:
        """More of the run that ended, of all cells or of some; RuntimeError where there is nothing."""
        with self._lock:
            if self._closed:
                raise RuntimeError("there is nothing more to compute")
            return self._run.offered(cells)

    def deepen(self, cells: tuple[int, ...] = ()) -> None:
        """Go on with a run that ended: the rest of one that was cut, else about twice the rows or the budget.

        Returns at once, ``wait`` waits for it. Where there are ``cells``, all rows are of these.

        Raises:
            RuntimeError: while the run goes on, and where its method has nothing more to give.
        """
        with self._lock:
            offer = self.offered(cells)
            self._follow(self._run_of(offer.steps, offer, self._run.price if cells else None))
        self.start()

    def resolve(self, target: TargetLike) -> AbstractTarget:
        """A target with integer class ids; ValueError or TypeError naming ``target`` where it has none."""
        return self.probe.model.target(target, self.probe.image_logits)

    def retarget(self, target: TargetLike) -> None:
        """Explain another target, with the methods and the selection as they are.

        Its map comes from the class scores of the rows so far where these were kept; otherwise ``deepen``
        computes it, at the price that snapshots tell, or it is begun at once where that is small or the run
        still went on. Returns at once; the answers that are known follow without asking the model.

        Args:
            target: as ``explore`` takes it.

        Raises:
            ValueError: naming ``target``, where the model has no such class; TypeError likewise.
        """
        with self._lock:
            resolved = self.resolve(target)
            if self._closed or resolved == self.probe.target:
                return
            run, layers, before = self._run, self._layers, self.picture.label
            self.cancel()
            self.probe = replace(self.probe, target=resolved)
            self.picture = Picture.of(self.probe, self.picture.image, self.method, self.picture.run)
            self.inquiry = Inquiry(self.probe, self.inquiry)
            self._target = held(target, resolved)
            way = course(run, resolved, self._anew())
            self._follow(self._run_of(way.maps or self._anew(), price=way.price))
            if way.maps is None:
                self._run.leave(way.price)
                self._answers.ended.set()
            self._layers = [again(layer, resolved, before, self._layer) for layer in layers]
        if way.maps is not None:
            self.start()
        for layer in self._layers:
            self.worker.follow(layer.follow())
        self._show()

    def add_layer(self, name: str, source: Source) -> str:
        """Draw one more map over the image, after what is under way; returns its name at once.

        Args:
            name: what it is to be called.
            source: a method, or a map.

        Returns:
            The name, with a number where it was taken.
        """
        with self._lock:
            (free,) = numbered([name], taken=[self.picture.method, *self.layer_names])
            stream = self._layer(free, source)
            self._layers.append(stream)
        self.worker.follow(stream.follow())
        return free

    @property
    def layer_names(self) -> list[str]:
        """The names of all maps over the image."""
        return [layer.name for layer in self.snapshot().layers]

    def cancel(self) -> None:
        """End the run, and layers that wait, after the step that is under way; what was computed stays."""
        with self._lock:
            before, self._cancelled = self._cancelled, threading.Event()
        before.set()

    def wait(self, timeout: float | int | None = None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        """Wait until the run has ended, all layers too, and the answers for saved pages are known.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            The attribution.

        Raises:
            BaseException: the error that ended the run or a layer, as it was.
            TimeoutError: after ``timeout`` seconds; the run goes on.
            KeyboardInterrupt: if interrupted, after cancelling the run.
        """
        until = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            run, streams = self._run, [self._run, self._answers, *self._layers]
        try:
            ended = all(
                stream.ended.wait(None if until is None else max(0.0, until - time.monotonic()))
                for stream in streams
            )
        except KeyboardInterrupt:
            self.cancel()
            run.ended.wait()
            raise
        if not ended:
            raise TimeoutError(f"timeout: the run has not ended within {timeout} seconds and goes on")
        if self.error is not None:
            raise self.error
        if run.attribution is None:
            if run.offer is not None:
                raise RuntimeError("there is no map of this target yet: deepen() computes it")
            raise RuntimeError("the run was cancelled before its first map: explain the image again")
        return run.attribution

    def answer(self, question: Question) -> Answer:
        """Evaluate the model here and now, unless the answer is known, and publish it.

        Not left to the worker, because the caller may be an observer that the worker waits for. Raises what
        the model raises.
        """
        answer = self.inquiry.one(question)
        self._show()
        return answer

    def ask(
        self, question: Question, who: Hashable, name: Hashable, done: Callable[[], None], refuse: Refuse
    ) -> None:
        """Let the worker answer, and return at once; of the questions of ``who`` the latest is answered.

        The answer is in the snapshot that is published before ``done`` is called, by the worker.

        Args:
            question: which cells, and what is done with them.
            who: the asker.
            name: finds the question again, to withdraw it.
            done: called when the answer is published.
            refuse: called instead, with a code, a message and perhaps details.
        """
        self.worker.ask(score_request(lambda: self.answer(question), who, name, done, refuse))

    def file(self) -> bytes:
        """The map as the file that ``Attribution.load`` reads; RuntimeError where there is none yet."""
        return file_of(self._run.attribution)

    def close(self, timeout: float | int | None = None) -> None:  # noqa: PYI041 a check at run time tells them apart
        """End the run and the worker; a step under way is left to end by itself after ``timeout`` seconds."""
        self._closed = True
        self.cancel()
        self.worker.close(timeout=timeout)
        for stream in [self._run, self._answers, *self._layers]:
            stream.ended.set()

    def _show(self) -> None:
        self._publish(self.snapshot())

    def _follow(self, run: RunStream) -> None:
        self._run, self._answers = run, AnswerStream(self.inquiry, run, self._show)

    def _run_of(self, maps: Maps, accepted: Offer | None = None, price: Offer | None = None) -> RunStream:
        return RunStream(self.method, maps, self._show, self._cancelled.is_set, accepted, price)

    def _layer(self, name: str, source: Source) -> LayerStream:
        return LayerStream(
            name, source, self._steps_of(source, self._target), self._show, self._cancelled.is_set
        )

    def _anew(self) -> Maps:
        """A run of the method from its beginning."""
        return self._steps_of(self.method, self.probe.target if self.picture.own_cells else self._target)

    def _steps_of(self, source: Source, target: TargetLike) -> Maps:
        """How the steps of a method, or the one map there is, begin."""
        if isinstance(source, Attribution):
            return lambda: iter([source])
        return lambda: source.steps(self.probe.model, self.picture.image, target)
