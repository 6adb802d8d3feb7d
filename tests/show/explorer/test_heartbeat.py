from __future__ import annotations

import threading
from queue import Empty, Queue

import pytest

from wcam_widget.model import BlackBox
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.heartbeat import Heartbeat
from wcam_widget.show.explorer.messages import Messages
from wcam_widget.show.explorer.session import Session

PATIENCE = 60


def ended(heart: Heartbeat) -> bool:
    """Wait for the end of the thread, and say whether it came."""
    thread = heart._thread
    if thread is not None:
        thread.join(PATIENCE)
    return heart._thread is None


def test_nothing_is_sent_before_a_front_end_greets():
    before = threading.active_count()
    heart = Heartbeat()
    assert (heart._thread, threading.active_count()) == (None, before)


def test_every_beat_promises_the_next_one():
    beats, heart = Queue(), Heartbeat(every=0.05)
    heart.greeted("widget", beats.put)
    assert [beats.get(timeout=PATIENCE) for _ in range(5)] == [{"t": "beat", "next": 0.05}] * 5
    heart.forget("widget")
    assert ended(heart)


def test_the_last_beat_of_a_lease_promises_nothing():
    beats, heart = Queue(), Heartbeat(every=0.05, lease=0.2)
    heart.greeted("widget", beats.put)
    assert ended(heart)
    sent = []
    while True:
        try:
            sent.append(beats.get_nowait()["next"])
        except Empty:
            break
    assert sent[-1] is None
    assert sent[:-1] == [0.05] * (len(sent) - 1)


def test_a_greeting_after_the_last_beat_begins_anew():
    beats, heart = Queue(), Heartbeat(every=0.05, lease=0.2)
    for _ in range(2):
        heart.greeted("widget", beats.put)
        assert beats.get(timeout=PATIENCE)["next"] == 0.05
        assert ended(heart)


def test_beats_come_while_the_main_thread_works():
    beats, heart = Queue(), Heartbeat(every=0.05)
    heart.greeted("widget", beats.put)
    while beats.qsize() < 3:  # a cell that never rests
        sum(range(1000))
    heart.forget("widget")
    assert ended(heart)


def test_one_thread_beats_for_all_and_slower_for_many():
    beats, heart = Queue(), Heartbeat(every=0.001)
    for number in range(20):
        heart.greeted(str(number), beats.put)
    while beats.get(timeout=PATIENCE)["next"] != 20 / 50:
        pass
    assert sum(thread.name == "wcam heartbeat" for thread in threading.enumerate()) == 1
    for number in range(20):
        heart.forget(str(number))
    assert ended(heart)


def test_a_front_end_that_cannot_be_reached_is_forgotten(caplog):
    def broken(content):
        raise OSError("no socket")

    beats, heart = Queue(), Heartbeat(every=0.05)
    heart.greeted("broken", broken)
    heart.greeted("sound", beats.put)
    for _ in range(3):
        beats.get(timeout=PATIENCE)
    assert list(heart._listeners) == ["sound"]
    assert "a heartbeat could not be sent" in caplog.text
    heart.forget("sound")
    assert ended(heart)


def test_where_no_thread_starts_nothing_is_promised(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    beats, heart = Queue(), Heartbeat(every=0.05)
    heart.greeted("widget", beats.put)
    assert beats.empty()
    assert heart._thread is None


@pytest.mark.parametrize("kind", ["hello", "here"])
def test_a_front_end_that_greets_or_stays_is_noted(gate, image, method, kind):
    greetings = []
    session = Session(BlackBox(gate), image, None, method, lambda snapshot: None)
    messages = Messages(
        session, Encoder(), lambda content: None, lambda: None, lambda: greetings.append(kind)
    )
    messages.receive({"t": kind, "client": "tab"})
    messages.receive({"t": kind})  # from nobody
    assert greetings == [kind]
    session.close()
