"""A session: one image under explanation, from the first row of weights to the last question about it.

It knows nothing of widgets: what is to be shown it hands to ``publish`` as named values.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator
from typing import Any, final

from jaxtyping import Float
from torch import Tensor

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.model import AbstractTarget, BlackBox, Logit, Probability, ensure_image
from wcam_widget.show.explorer.layers import (
    Layer,
    Source,
    layers_frame,
    numbered,
    on_cells,
)
from wcam_widget.show.explorer.offer import Offer, offer_of, progress, stop_words, unresolved
from wcam_widget.show.explorer.pace import Pace
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.explorer.stream import LayerStream, Maps, Moment, RunStream, brief
from wcam_widget.show.explorer.worker import REFUSALS, Refusal, Request, Worker
from wcam_widget.show.frames import attribution_frame, picture_frame
from wcam_widget.show.selection import Question
from wcam_widget.show.summary import sentence, subject_of

logger = logging.getLogger(__name__)

Publish = Callable[[dict[str, Any]], None]
Reply = Callable[[dict[str, Any]], None]
Refuse = Callable[[str, str], None]


@final
class Session:
    """Runs a method on one image, answers questions about it, and says what is to be shown.

    Creating it asks the model once and raises what is wrong with the arguments; ``start`` returns at once.
    Layers that are added come after the run, in their order. ``publish`` is called from the worker's thread.
    """

    def __init__(
        self, model: BlackBox, image: Any, target: Any, method: AbstractMethod, publish: Publish
    ) -> None:
        self.image: Float[Tensor, "c h w"] = ensure_image(image, "image", model.fit)
        self.probe = method.probe(model, self.image, target)
        self.inquiry = Inquiry(self.probe)
        self.run = uuid.uuid4().hex[:12]
        self.rev = 0
        self.pace = Pace()
        self.worker = Worker(f"wcam explorer {self.run}")
        self.layers: dict[str, Layer] = {}
        self._has_cells = method.space is not None
        # The class of the first look holds for all, though each method scores a class in its own way.
        given, found = isinstance(target, AbstractTarget), self.probe.target
        self._target = found if given or not isinstance(found, Logit | Probability) else found.class_id
        self._method, self._publish = method, publish
        self._main = RunStream(self._show_run)
        self._subject = subject_of(self.probe)
        self._offer: Offer | None = None
        self._accepted: Offer | None = None  # what the run went on with for the last time
        self._said: tuple[Any, ...] = ()
        self._closed = False
        self._over: list[LayerStream] = []
        self._settled = threading.Event()  # the answers for saved pages are known, or will not be
        self._changing = threading.Lock()  # layers are added by cells and filled by the worker
        self._cancels = 0  # so that what is asked for after a cancel is done

    @property
    def attribution(self) -> Attribution | None:
        """The latest attribution of the run; None before its first step."""
        return self._main.attribution

    @property
    def error(self) -> BaseException | None:
        """What ended the run, or else the first layer that failed."""
        failures = [self._main.error, *(stream.error for stream in self._over)]
        return next((error for error in failures if error is not None), None)

    @property
    def status(self) -> dict[str, Any]:
        """How far the run is; times in seconds."""
        now = self.attribution
        running = self._main.state == "running"
        before = None if self._accepted is None else unresolved(self._accepted.attribution)
        return {
            "state": self._main.state,
            **progress(now, self._accepted, running=running),
            "message": self._main.message,
            "answer": self.answer_words,
            "stop": stop_words(now, self._main.state, before),
            "more": "" if self._offer is None else self._offer.words,
            "run": self.run,
            "rev": self.rev,
        }

    @property
    def answer_words(self) -> str:
        """Where and at which scale the model looks, and whether that is enough, as far as it is known."""
        key = (self.attribution, self._main.state, self.inquiry.known)
        said = self._said
        if not said or any(one is not other for one, other in zip(key, said, strict=False)):
            attribution, state, known = key
            said = (*key, sentence(attribution, self._subject, state, known if self._has_cells else None))
            self._said = said
        return str(said[-1])

    @property
    def label(self) -> str:
        """What is explained, in words."""
        return self.probe.target.label(self.probe.model.class_names)

    def picture(self) -> bytes:
        """The frame of the picture, the same for the whole run."""
        return picture_frame(self.probe, self.image, self.run)

    def start(self) -> None:
        """Begin to explain, then to answer what a page without a kernel will be asked."""
        self.worker.follow(self._main.follow(self._steps, self._since(0)))
        self.worker.follow(self._prepare())

    def deepen(self) -> None:
        """Go on with a run that ended: the rest of one that was cut, else about twice the rows or the budget.

        Returns at once, ``wait`` waits for it. Raises RuntimeError while the run goes on, and where its
        method has nothing more to give.
        """
        with self._changing:
            offer, self._offer = None if self._closed else self._offer, None
            if offer is None:
                raise RuntimeError(
                    "the run goes on"
                    if not self._main.finished.is_set()
                    else "there is nothing more to compute"
                )
            self._accepted = offer
            self._settled.clear()
            stream = self._main.follow(offer.steps, self._since(self._cancels))
        self.worker.follow(stream)
        self.worker.follow(self._prepare())

    def add_layer(self, name: str, source: Source) -> str:
        """Draw one more map over the image, after what was asked before; returns its name at once."""
        with self._changing:
            (free,) = numbered([name], taken=[self._method.title, *self.layers])
            self.layers = {**self.layers, free: Layer(free)}
        stream = LayerStream(free, self._draw, self._end_layer)
        self._over.append(stream)
        self.worker.follow(stream.follow(self._maps(source), self._since(self._cancels)))
        return free

    def cancel(self) -> None:
        """End the run, and layers that wait, after the step that is under way; what was computed stays."""
        self._cancels += 1

    def wait(self, timeout: float | int | None = None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        """The attribution, when the run has ended, all layers too, and the answers for saved pages are known.

        Raises the error that ended the run or a layer, TimeoutError after ``timeout`` seconds (the run goes
        on) and, if interrupted, KeyboardInterrupt after cancelling the run.
        """
        until = None if timeout is None else time.monotonic() + timeout
        try:
            ended = all(
                each.wait(None if until is None else max(0.0, until - time.monotonic()))
                for each in [self._settled, *(stream.drawn for stream in self._over)]
            )
        except KeyboardInterrupt:
            self.cancel()
            self._main.finished.wait()
            raise
        if not ended:
            raise TimeoutError(f"timeout: the run has not ended within {timeout} seconds and goes on")
        if self.error is not None:
            raise self.error
        if self.attribution is None:
            raise RuntimeError("the run was cancelled before its first map: explain the image again")
        return self.attribution

    def answer(self, question: Question) -> dict[str, Any]:
        """Ask the model here and now, because the caller may be an observer that the worker waits for."""
        return self.inquiry.known.get(question.key) or self._ask_model(question)

    def ask(self, question: Question, who: Hashable, name: Hashable, reply: Reply, refuse: Refuse) -> None:
        """Ask the model and return at once; of the questions of ``who`` the latest is answered.

        ``reply`` gets the answer, or ``refuse`` a code and a message, from another thread.
        """

        def work() -> None:
            try:
                answer = self.inquiry.known.get(question.key) or self._ask_model(question)
            except Exception as error:
                logger.exception("the model failed on a question")
                refuse("model_error", brief(error))
            else:
                self._publish({"_scores": answer})
                reply(answer)

        def refused(reason: Refusal) -> None:
            refuse(reason, REFUSALS[reason])

        self.worker.ask(Request(("score", who), name, work, refused))

    def close(self, timeout: float | int | None = None) -> None:  # noqa: PYI041 a check at run time tells them apart
        """End the run and the worker."""
        self._closed = True
        self.cancel()
        self.worker.close(timeout=timeout)
        for each in [self._main.finished, self._settled, *(stream.drawn for stream in self._over)]:
            each.set()

    def _ask_model(self, question: Question) -> dict[str, Any]:
        (answer,) = self.inquiry.answer([question])
        return answer

    def _since(self, cancels: int) -> Callable[[], bool]:
        """Whether there was a cancel after that many."""
        return lambda: self._cancels != cancels

    def _steps(self) -> Iterator[Attribution]:
        target = self.probe.target if self._has_cells else self._target
        return self._method.steps(self.probe.model, self.image, target)

    def _maps(self, source: Source) -> Maps:
        if isinstance(source, Attribution):
            return lambda: iter([source])
        return lambda: source.steps(self.probe.model, self.image, self._target)

    def _draw(self, layer: Layer) -> None:
        self._put(layer)
        if not layer.error and self.pace.progress_due(now := time.monotonic()):
            self.pace.progress_sent(now)
            self._publish(self._layers())

    def _end_layer(self) -> None:
        # With a frame of a new number, so that a front end that missed it asks for all again.
        self.rev += 1
        self._publish({**self._frame(), **self._layers(), "_status": self.status})

    def _put(self, layer: Layer) -> None:
        with self._changing:
            self.layers = {**self.layers, layer.name: layer}

    def _layers(self) -> dict[str, bytes]:
        return {"_layers": layers_frame(list(self.layers.values()), self.probe, self.run)}

    def _show_run(self, moment: Moment) -> None:
        """Publish what there is to see of the run: its steps as often as the screen can follow."""
        now = time.monotonic()
        if moment == "end" and self._main.state != "error" and not self._closed:
            self._offer = offer_of(self._method, self.attribution)
        if moment == "step" and not self._has_cells:
            self._put(Layer(self._method.title, self.attribution, main=True))
        if moment == "end" or (moment == "step" and self.pace.frame_due(now)):
            self.rev += 1
            self.pace.frame_sent(self.rev, now)
            self._publish({**self._frame(), "_status": self.status})
        elif moment == "start" or self.pace.progress_due(now):
            self.pace.progress_sent(now)
            self._publish({"_status": self.status})
        if moment == "end" and self._main.state != "done":
            self._settled.set()

    def _frame(self) -> dict[str, bytes]:
        if self.attribution is None:
            return {}
        shown = on_cells(self.attribution, self.probe)
        layers = {} if self._has_cells else self._layers()
        return {"_frame": attribution_frame(shown, self.run, self.rev), **layers}

    def _prepare(self) -> Iterator[None]:
        """Answers a saved page needs; after the run, in pieces that leave room for a reader's questions."""
        try:
            if self._main.state == "done":
                yield from self.inquiry.prepare()
            if self.inquiry.known:
                self._publish({"_known": dict(self.inquiry.known), "_status": self.status})
        except Exception:
            logger.exception("the answers for saved pages could not be computed")
        finally:
            if self._main.finished.is_set():  # else the run goes on, and what follows it will set this
                self._settled.set()
