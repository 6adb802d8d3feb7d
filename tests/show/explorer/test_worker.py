import logging
import threading

import pytest
import torch

from wcam_widget.model import BlackBox
from wcam_widget.show.explorer.worker import Request, Worker

PATIENCE = 60


@pytest.fixture
def worker():
    one = Worker("test worker")
    yield one
    one.close()


class Log:
    """What happened, in order; and a way to wait for it."""

    def __init__(self) -> None:
        self.lines = []
        self.changed = threading.Condition()

    def add(self, line):
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def wait_for(self, line):
        with self.changed:
            assert self.changed.wait_for(lambda: line in self.lines, PATIENCE), self.lines

    def request(self, name, kind="score"):
        return Request(kind, name, lambda: self.add(name), lambda reason: self.add((name, reason)))


@pytest.fixture
def log():
    return Log()


def stepping(log, name, gates):
    """A stream that waits before each step until its gate opens, and tells when it has ended and how."""
    try:
        for number, gate in enumerate(gates):
            log.add(f"{name} waits {number}")
            assert gate.wait(PATIENCE)
            log.add(f"{name} {number}")
            yield
        log.add(f"{name} done")
    except GeneratorExit:
        log.add(f"{name} closed")
        raise


def test_requests_are_answered_between_the_steps_of_a_stream(worker, log):
    gates = [threading.Event() for _ in range(2)]
    worker.follow(stepping(log, "run", gates))
    log.wait_for("run waits 0")
    worker.ask(log.request("question"))
    gates[0].set()
    log.wait_for("run waits 1")
    gates[1].set()
    log.wait_for("run done")
    assert log.lines == ["run waits 0", "run 0", "question", "run waits 1", "run 1", "run done"]


def test_the_latest_request_of_a_kind_wins(worker, log):
    gate = threading.Event()
    worker.follow(stepping(log, "run", [gate]))
    log.wait_for("run waits 0")
    for name in ("first", "second", "third"):
        worker.ask(log.request(name))
    worker.ask(log.request("other", kind="other"))
    assert log.lines[1:] == [("first", "superseded"), ("second", "superseded")]
    gate.set()
    log.wait_for("run done")
    assert log.lines[3:] == ["run 0", "third", "other", "run done"]


def test_a_request_that_waits_can_be_withdrawn_once(worker, log):
    gate = threading.Event()
    worker.follow(stepping(log, "run", [gate]))
    log.wait_for("run waits 0")
    worker.ask(log.request("question"))
    assert worker.withdraw("question")
    assert not worker.withdraw("question")
    gate.set()
    log.wait_for("run done")
    assert log.lines[1:] == [("question", "cancelled"), "run 0", "run done"]


def test_streams_follow_one_another(worker, log):
    first, second = threading.Event(), threading.Event()
    worker.follow(stepping(log, "a", [first]))
    worker.follow(stepping(log, "b", [second]))
    second.set()
    first.set()
    log.wait_for("b done")
    assert log.lines == ["a waits 0", "a 0", "a done", "b waits 0", "b 0", "b done"]


def test_close_waits_for_the_step_under_way_then_ends_everything(worker, log):
    gate = threading.Event()
    worker.follow(stepping(log, "run", [gate, gate]))
    log.wait_for("run waits 0")
    worker.ask(log.request("question"))
    closing = threading.Thread(target=worker.close)
    closing.start()
    log.wait_for(("question", "closed"))
    assert closing.is_alive()
    gate.set()
    closing.join(PATIENCE)
    assert log.lines == ["run waits 0", ("question", "closed"), "run 0", "run closed"]
    assert all(thread.name != "test worker" for thread in threading.enumerate())


def test_close_gives_up_waiting_after_its_timeout(worker, log):
    gate = threading.Event()
    worker.follow(stepping(log, "run", [gate, gate]))
    log.wait_for("run waits 0")
    worker.close(timeout=0.01)
    assert log.lines == ["run waits 0"]
    gate.set()
    log.wait_for("run closed")


def test_a_closed_worker_refuses(worker, log):
    worker.close()
    worker.ask(log.request("question"))
    worker.follow(stepping(log, "run", [threading.Event()]))
    assert log.lines == [("question", "closed")]


def test_no_thread_is_left_when_there_is_nothing_to_do(worker, log):
    worker.ask(log.request("question"))
    log.wait_for("question")
    worker.close(finish=True)
    assert all(thread.name != "test worker" for thread in threading.enumerate())


def test_a_worker_may_close_itself(worker, log):
    worker.ask(Request("close", "close", worker.close, log.add))
    worker.follow(iter(map(log.add, ["never"])))
    worker.close(finish=True)
    assert "never" not in log.lines[1:]


def test_what_fails_is_logged_and_the_rest_is_done(worker, log, caplog):
    def fail():
        raise ZeroDivisionError("on purpose")

    def failing():
        yield
        raise KeyError("on purpose too")

    with caplog.at_level(logging.ERROR):
        worker.ask(Request("a", "a", fail, log.add))
        worker.follow(failing())
        worker.follow(iter(map(log.add, ["still here"])))
        log.wait_for("still here")
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError, KeyError]


def test_work_is_done_without_gradients_whatever_the_caller_s_mode(worker, log):
    def note():
        log.add((torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_device().type))

    with torch.inference_mode(), torch.device("meta"):
        worker.ask(Request("note", "note", note, log.add))
        log.wait_for((False, False, "cpu"))


def test_work_is_done_by_the_caller_where_no_thread_starts(log, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    worker, here = Worker("test worker"), threading.current_thread()
    opened = threading.Event()
    opened.set()
    worker.ask(Request("a", "a", lambda: log.add(threading.current_thread() is here), log.add))
    # Work that makes work, as a run does that is shown: it must not start a second loop inside the first.
    worker.ask(Request("b", "b", lambda: (worker.ask(log.request("inner")), log.add("outer")), log.add))
    worker.follow(stepping(log, "run", [opened]))
    assert log.lines == [True, "outer", "inner", "run waits 0", "run 0", "run done"]
    assert torch.is_grad_enabled()
    worker.close()


def test_many_threads_may_ask_at_once(worker, log):
    def ask(name):
        for number in range(20):
            worker.ask(log.request((name, number), kind=name))

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    worker.close(finish=True)
    done = [line for line in log.lines if isinstance(line[1], int)]
    refused = [line for line in log.lines if line[1] == "superseded"]
    assert len(done) + len(refused) == len(log.lines) == 100
    assert {(name, 19) for name in range(5)} <= set(done)


def test_a_request_during_a_step_waits_for_a_batch_and_not_for_the_step(worker, log):
    batches = []

    def net(images):
        batches.append(len(images))
        if len(batches) == 2:
            worker.ask(log.request("question"))
        log.add(f"batch {len(batches)}")
        return images.mean((2, 3))

    def run():
        BlackBox(net).logits(torch.rand(16, 3, 4, 4))
        log.add("step done")
        yield

    worker.follow(run())
    log.wait_for("step done")
    lines = log.lines
    assert lines.index("question") == lines.index("batch 2") + 1 < lines.index("step done")
    assert sum(batches) == 16
    assert max(batches) <= 4


def test_an_answer_during_a_step_is_not_itself_broken_up(worker, log):
    def answer():
        worker.ask(log.request("later"))
        BlackBox(lambda images: images.mean((2, 3)), batch_size=1).logits(torch.rand(3, 3, 4, 4))
        log.add("answered")

    def net(images):
        if log.lines == []:
            log.add("first batch")
            worker.ask(Request("first", "first", answer, log.add))
        return images.mean((2, 3))

    def run():
        BlackBox(net).logits(torch.rand(16, 3, 4, 4))
        yield

    worker.follow(run())
    log.wait_for("later")
    assert log.lines == ["first batch", "answered", "later"]
