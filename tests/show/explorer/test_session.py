import threading
from functools import partial

import numpy as np
import pytest
import torch

from tests.show.conftest import PATIENCE
from wcam_widget.model import BlackBox
from wcam_widget.show.explorer.questions import TOGETHER
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.explorer.stream import CANCELLED, AnswerStream, brief
from wcam_widget.show.frame import decode
from wcam_widget.show.selection import Question


def test_a_run_publishes_its_end_and_what_a_saved_page_needs(session, screen):
    session.start()
    attribution = session.wait(PATIENCE)
    last = decode(screen.all("_frame")[-1])
    status = screen.all("_status")[-1]
    assert attribution.complete
    assert last.header["complete"]
    np.testing.assert_array_equal(last.sections["values"], attribution.values.astype(np.float32))
    assert status["state"] == "done"
    assert status["done"] == status["total"] == attribution.planned
    assert status["seconds_left"] is None
    assert (status["run"], status["rev"]) == (last.header["run"], last.header["rev"])
    assert (status["run"], status["rev"]) == (session.picture.run, screen.encoder.rev)
    assert set(screen.all("_known")[-1]) == {question.key for question in session.inquiry.bands()}


def test_revisions_only_grow(session, screen):
    session.start()
    session.wait(PATIENCE)
    revisions = [decode(frame).header["rev"] for frame in screen.all("_frame")]
    assert revisions == sorted(revisions)
    assert revisions[0] == 1


def test_a_run_without_a_front_end_still_ends(session, screen):
    session.start()
    session.wait(PATIENCE)
    assert screen.encoder.pace.seen == 0
    assert screen.all("_status")[-1]["state"] == "done"


def test_the_model_is_asked_by_the_worker_alone(session, gate):
    gate.threads.clear()
    session.start()
    session.wait(PATIENCE)
    assert gate.threads == {session.worker.name}


def test_cancelling_keeps_the_partial_map(session, gate, screen):
    gate.shut()
    session.start()
    screen.wait_for(lambda: any(status["state"] == "running" for status in screen.all("_status")))

    def cancel_after_the_first_map(snapshot, show=session._publish):
        show(snapshot)
        if snapshot.attribution is not None:
            session.cancel()

    session._publish = cancel_after_the_first_map
    gate.open.set()
    attribution = session.wait(PATIENCE)
    status = screen.all("_status")[-1]
    assert not attribution.complete
    assert 0 < attribution.done < attribution.planned
    assert attribution.stop == status["message"] == CANCELLED
    assert status["state"] == "cancelled"
    assert decode(screen.all("_frame")[-1]).header["stop"] == CANCELLED
    assert session.inquiry.known == {}


def test_a_run_cancelled_before_its_first_map_has_none(session):
    session.cancel()
    session.start()
    with pytest.raises(RuntimeError, match="cancelled before its first map"):
        session.wait(PATIENCE)


def test_the_error_of_a_run_is_raised_by_wait_as_it_was(session, gate, screen, caplog):
    gate.error = ZeroDivisionError("on <b>purpose</b>\nwith a long story")
    session.start()
    for _ in range(2):
        with pytest.raises(Exception, match="on <b>purpose</b>") as raised:
            session.wait(PATIENCE)
    assert raised.value is session.error
    status = screen.all("_status")[-1]
    assert status["state"] == "error"
    assert "on <b>purpose</b>" in status["message"]
    assert "\n" not in status["message"]
    assert [record.exc_info[1] for record in caplog.records] == [session.error]


def test_wait_gives_up_after_its_timeout_and_the_run_goes_on(session, gate):
    gate.shut()
    session.start()
    with pytest.raises(TimeoutError, match=r"not ended within 0\.01 seconds"):
        session.wait(0.01)
    gate.open.set()
    assert session.wait(PATIENCE).complete


def test_an_interrupt_while_waiting_cancels_the_run_and_keeps_the_map(session, gate, screen, monkeypatch):
    session.start()
    session.wait(PATIENCE)  # so that there is a map

    class Interrupted:
        def wait(self, timeout):
            raise KeyboardInterrupt

    monkeypatch.setattr(session._answers, "ended", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        session.wait()
    monkeypatch.undo()
    assert session._run._cancelled()
    assert session.attribution is not None


def test_questions_are_answered_while_a_run_goes_on(session, gate, screen):
    gate.shut()
    session.start()
    assert gate.entered.wait(PATIENCE)
    answered, refused = [], []
    for who, name, question in (
        ("tab", "1", Question((1, 2), "keep")),
        ("tab", "2", Question((3,), "remove")),
        ("other tab", "1", Question((4,), "keep")),
    ):
        done = partial(answered.append, question.key)
        session.ask(question, who, name, done, lambda *why: refused.append(why))
    gate.open.set()
    attribution = session.wait(PATIENCE)
    assert refused == [("superseded", "a later question was asked")]
    assert answered == ["remove:3-3", "keep:4-4"]
    assert [answer["key"] for answer in screen.all("_scores")] == ["remove:3-3", "keep:4-4"]
    # They came before the run's end, which the statuses between them show.
    order = ["_scores" if "_scores" in news else news.get("_status", {}).get("state") for news in screen.news]
    assert order.index("_scores") < order.index("done")
    # Questions are the reader's, not the method's: they do not count.
    assert attribution.evaluations == attribution.planned


def test_what_is_known_is_not_asked_again(session, gate):
    session.start()
    session.wait(PATIENCE)
    images, answered = gate.images, threading.Event()
    answer = session.answer(Question((), "keep"))
    session.ask(Question((), "remove"), "tab", "1", answered.set, lambda *why: pytest.fail(str(why)))
    session.worker.close(finish=True)
    assert answered.is_set()
    assert session.snapshot().latest is answer
    assert answer["key"] == "all"
    assert gate.images == images


def test_an_answer_can_be_waited_for_from_any_thread(session):
    answers = []
    questions = [Question((cell,), "keep") for cell in range(8)]
    threads = [threading.Thread(target=lambda q=q: answers.append(session.answer(q))) for q in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert {answer["key"] for answer in answers} == {question.key for question in questions}


def test_a_failing_model_refuses_the_question_and_keeps_the_run(session, gate, caplog):
    session.start()
    session.wait(PATIENCE)
    gate.error = ZeroDivisionError("on purpose")
    refused = []
    session.ask(Question((1,), "keep"), "tab", "1", pytest.fail, lambda *why: refused.append(why))
    with pytest.raises(Exception, match="on purpose"):
        session.answer(Question((2,), "keep"))
    session.worker.close(finish=True)
    ((code, message, details),) = refused
    assert code == "model_error"
    assert "on purpose" in message
    assert "ZeroDivisionError: on purpose" in details
    assert session.snapshot().progress.state == "done"
    assert len(caplog.records) == 1


def test_close_refuses_what_waits_and_leaves_no_thread(session, gate, screen):
    gate.shut()
    session.start()
    assert gate.entered.wait(PATIENCE)
    refused = []
    session.ask(Question((1,), "keep"), "tab", "1", pytest.fail, lambda *why: refused.append(why))
    closing = threading.Thread(target=session.close)
    closing.start()
    gate.open.set()
    closing.join(PATIENCE)
    assert refused == [("closed", "the explorer is closed: run the cell again")]
    assert screen.all("_status")[-1]["state"] == "cancelled"
    assert all(thread.name != session.worker.name for thread in threading.enumerate())


def test_a_reader_never_waits_for_more_than_a_few_prepared_answers(session, gate):
    session.start()
    session.wait(PATIENCE)
    session.inquiry.known = {}
    batches = []
    session.inquiry.answer = lambda questions: batches.append(len(questions)) or []
    assert list(AnswerStream(session.inquiry, session._run, lambda: None).follow())
    assert max(batches) == TOGETHER
    assert sum(batches) == len(session.inquiry.bands())


def test_prepared_answers_that_fail_do_not_spoil_the_map(gate, image, method, screen, caplog):
    session = Session(BlackBox(gate), image, None, method, screen)
    for _ in session._run.follow():
        pass
    gate.error = ZeroDivisionError("on purpose")
    assert list(session._answers.follow()) == []
    assert session.wait(PATIENCE).complete
    assert "saved pages" in caplog.text


def test_a_run_is_the_same_without_threads(gate, image, method, screen, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        session = Session(BlackBox(gate), image, None, method, screen)
        session.start()
        inline = session.wait()
        assert session.answer(Question((1,), "keep"))["key"] == "keep:1-1"
    threaded = Session(BlackBox(gate), image, None, method, screen)
    threaded.start()
    np.testing.assert_array_equal(threaded.wait(PATIENCE).values, inline.values)


def test_the_target_is_the_one_of_the_first_look(image, method, screen):
    """A model that changes its mind is still asked about one class."""
    calls = []

    def fickle(images):
        calls.append(len(images))
        scores = images.mean((2, 3))
        return scores if len(calls) == 1 else -scores

    session = Session(BlackBox(fickle), image, None, method, screen)
    session.start()
    expected = f"logit of class {int(image.mean((1, 2)).argmax())}"
    assert session.wait(PATIENCE).target == session.picture.label == expected
    session.close()


def test_errors_are_brief_and_never_empty():
    assert brief(ValueError("x" * 1000)) == "ValueError: " + "x" * 300
    assert brief(ValueError()) == "ValueError"
    assert brief(torch.OutOfMemoryError("a\nb")) == "OutOfMemoryError: a"
