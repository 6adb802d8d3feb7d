"""A session: one image under explanation, from the first row of weights to the last question about it.

It knows nothing of widgets. What is to be shown it hands to ``publish`` as a dictionary of named values: the
frames of pictures.py, ``_status``, ``_scores`` (the last answer) and ``_known`` (all answers by their key).
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

from wcam_widget.explain import Attribution, SpunWcam, Wcam
from wcam_widget.model import BlackBox, ensure_image
from wcam_widget.model.load import load_model
from wcam_widget.show.pace import Pace
from wcam_widget.show.pictures import attribution_frame, picture_frame
from wcam_widget.show.questions import Inquiry, Question
from wcam_widget.show.worker import Refusal, Request, Worker

logger = logging.getLogger(__name__)

CANCELLED = "cancelled: the map shows what was computed until then"
TOGETHER = 4  # questions answered in one batch for saved pages, so that a reader's question never waits long

Explained = Wcam | SpunWcam
Publish = Callable[[dict[str, Any]], None]
Reply = Callable[[dict[str, Any]], None]
Refuse = Callable[[str, str], None]


@final
class Session:
    """Runs a method on one image, answers questions about it, and says what is to be shown.

    Creating it asks the model once and raises what is wrong with the arguments; ``start`` returns at once.
    ``publish`` is called from the worker's thread.
    """

    def __init__(self, model: BlackBox, image: Any, target: Any, method: Explained, publish: Publish) -> None:
        self.image: Float[Tensor, "c h w"] = ensure_image(image, "image")
        self.probe = method.probe(model, self.image, target)
        self.inquiry = Inquiry(self.probe)
        self.run = uuid.uuid4().hex[:12]
        self.rev = 0
        self.known: dict[str, dict[str, Any]] = {}
        self.attribution: Attribution | None = None
        self.error: BaseException | None = None
        self.pace = Pace()
        self.worker = Worker(f"wcam explorer {self.run}")
        self._method, self._publish = method, publish
        self._state, self._message = "waiting", ""
        self._cancel, self._finished, self._settled = threading.Event(), threading.Event(), threading.Event()

    @property
    def status(self) -> dict[str, Any]:
        """How far the run is; times in seconds."""
        now = self.attribution
        done, total = (0, 0) if now is None else (now.done, now.planned)
        seconds = 0.0 if now is None else now.seconds
        left = seconds / done * max(total - done, 0) if done else None
        return {
            "state": self._state,
            "done": done,
            "total": total,
            "seconds": seconds,
            "seconds_left": left if self._state == "running" else None,
            "message": self._message,
            "run": self.run,
            "rev": self.rev,
        }

    @property
    def label(self) -> str:
        """What is explained, in words."""
        return self.probe.target.label(self.probe.model.class_names)

    def picture(self) -> bytes:
        """The frame of the picture, the same for the whole run."""
        return picture_frame(self.probe, self.image, self.run)

    def start(self) -> None:
        """Begin to explain, then to answer what a page without a kernel will be asked."""
        self.worker.follow(self._explain())
        self.worker.follow(self._prepare())

    def cancel(self) -> None:
        """End the run after the step that is under way; what was computed stays."""
        self._cancel.set()

    def wait(self, timeout: float | int | None = None) -> Attribution:  # noqa: PYI041 a check at run time tells them apart
        """The attribution, when the run has ended and the answers for saved pages are known.

        Raises the error that ended the run, TimeoutError after ``timeout`` seconds (the run goes on) and, if
        interrupted, KeyboardInterrupt after cancelling the run.
        """
        try:
            ended = self._settled.wait(timeout)
        except KeyboardInterrupt:
            self.cancel()
            self._finished.wait()
            raise
        if not ended:
            raise TimeoutError(f"timeout: the run has not ended within {timeout} seconds and goes on")
        if self.error is not None:
            raise self.error
        if self.attribution is None:
            raise RuntimeError("the run was cancelled before its first map: explain the image again")
        return self.attribution

    def answer(self, question: Question) -> dict[str, Any]:
        """Ask the model here and now, unless the answer is known. Raises what the model raises.

        Not left to the worker, because the caller may be an observer that the worker waits for.
        """
        return self.known.get(question.key) or self._ask_model(question)

    def ask(self, question: Question, who: Hashable, name: Hashable, reply: Reply, refuse: Refuse) -> None:
        """Ask the model and return at once; of the questions of ``who`` the latest is answered.

        ``reply`` gets the answer, or ``refuse`` a code and a message, from another thread.
        """

        def work() -> None:
            try:
                answer = self.known.get(question.key) or self._ask_model(question)
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
        self.cancel()
        self.worker.close(timeout=timeout)
        self._finished.set()
        self._settled.set()

    def _ask_model(self, question: Question) -> dict[str, Any]:
        (answer,) = self.inquiry.answer([question])
        return answer

    def _explain(self) -> Iterator[None]:
        """The run, one step of the method at a time."""
        try:
            if not self._cancel.is_set():
                self._state = "running"
                self._publish({"_status": self.status})
                yield from self._steps()
            ended = self.attribution is not None and self.attribution.complete
            self._end("done" if ended else "cancelled", "" if ended else CANCELLED)
        except GeneratorExit:
            self._end("cancelled", CANCELLED)
            raise
        except BaseException as error:  # it is raised again by wait()
            logger.exception("the run ended with an error")
            self.error = error
            self._end("error", brief(error))

    def _steps(self) -> Iterator[None]:
        steps = self._method.steps(self.probe.model, self.image, self.probe.target)
        while not self._cancel.is_set():
            step = next(steps, None)
            if step is None:
                return
            self.attribution = step
            self._show_step()
            yield

    def _show_step(self) -> None:
        now = time.monotonic()
        if self.pace.frame_due(now):
            self.rev += 1
            self.pace.frame_sent(self.rev, now)
            self._publish({**self._frame(), "_status": self.status})
        elif self.pace.progress_due(now):
            self.pace.progress_sent(now)
            self._publish({"_status": self.status})

    def _end(self, state: str, message: str) -> None:
        self._state, self._message = state, message
        if self.attribution is not None:
            self.attribution = self.attribution.stopped(message)
        self.rev += 1
        self.pace.frame_sent(self.rev, time.monotonic())
        self._publish({**self._frame(), "_status": self.status})
        self._finished.set()
        if state != "done":
            self._settled.set()

    def _frame(self) -> dict[str, bytes]:
        if self.attribution is None:
            return {}
        return {"_frame": attribution_frame(self.attribution, self.run, self.rev)}

    def _prepare(self) -> Iterator[None]:
        """Answers a saved page needs; after the run, in pieces that leave room for a reader's questions."""
        try:
            questions = self.inquiry.bands() if self._state == "done" else []
            while questions:
                now, questions = questions[:TOGETHER], questions[TOGETHER:]
                answers = {answer["key"]: answer for answer in self.inquiry.answer(now)}
                self.known = {**self.known, **answers}
                yield
            if self.known:
                self._publish({"_known": dict(self.known)})
        except Exception:
            logger.exception("the answers for saved pages could not be computed")
        finally:
            self._settled.set()


REFUSALS: dict[Refusal, str] = {
    "superseded": "a later question was asked",
    "cancelled": "the question was withdrawn",
    "closed": "the explorer is closed: run the cell again",
}


def brief(error: BaseException) -> str:
    r"""An error in one line, for the screen; the log has the rest.

    >>> brief(ValueError("no such class\nand a long story"))
    'ValueError: no such class'
    """
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def ensure_model(model: Any, class_names: Any = None) -> BlackBox:
    """A BlackBox of what ``explore`` is given; ``class_names`` replace the model's, which is not changed."""
    if isinstance(model, str):
        model = load_model(model)
    if not callable(model) and not isinstance(model, BlackBox):
        raise TypeError(
            f"model: found {type(model).__qualname__}; accepted are a BlackBox, a torch module, a callable "
            "and a name for load_model"
        )
    if not isinstance(model, BlackBox):
        return BlackBox(model, class_names=class_names)
    if class_names is None:
        return model
    return BlackBox(model.net, model.preprocess, class_names, model.device, model.batch_size, model.precision)


def ensure_method(method: Any) -> Explained:
    """A Wcam; TypeError for what has no cells that a reader could select."""
    if method is None:
        return Wcam()
    if not isinstance(method, Wcam | SpunWcam):
        raise TypeError(
            f"method: found {type(method).__qualname__}; accepted are Wcam(...), Wcam(...).spun() and None; "
            "plot() draws the attribution of any method"
        )
    return method
