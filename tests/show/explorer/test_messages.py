import logging

import pytest

from wcam_widget.model import BlackBox
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.messages import Messages
from wcam_widget.show.explorer.session import Session

PATIENCE = 60


class Post:
    """Both ends of the messages of a session that has run."""

    def __init__(self, session, encoder) -> None:
        self.session = session
        self.sent = []
        self.resent = 0
        self.encoder = encoder
        self.messages = Messages(session, encoder, self.sent.append, self._resend)

    def _resend(self):
        self.resent += 1

    def ask(self, **content):
        self.messages.receive(content)
        self.session.worker.close(finish=True)
        return self.sent


@pytest.fixture
def post(gate, image, method):
    encoder = Encoder()
    session = Session(BlackBox(gate), image, None, method, encoder.news)
    session.start()
    session.wait(PATIENCE)
    yield Post(session, encoder)
    session.close()


def test_a_greeting_is_acknowledged_with_the_run_and_its_revision(post):
    have = {"run": post.session.picture.run, "rev": post.encoder.rev}
    post.messages.receive({"t": "hello", "client": "tab", "proto": 1, "have": have})
    assert post.sent == [{"t": "hello-ack", "client": "tab", "proto": 1, **have}]
    assert post.resent == 0


@pytest.mark.parametrize("have", [None, {}, {"run": "another", "rev": 1}, {"run": "", "rev": 0}, "nonsense"])
def test_frames_are_sent_again_to_who_holds_older_ones(post, have):
    post.messages.receive({"t": "hello", "client": "tab", "proto": 1, "have": have})
    assert post.resent == 1


def test_a_score_request_is_answered_with_its_own_names(post):
    params = {"selection": [3, 1, 1], "mode": "remove"}
    assert post.ask(t="req", id="7", client="tab", method="score", params=params) == [
        {"t": "res", "id": "7", "client": "tab"}
    ]
    answer = post.session.snapshot().latest
    assert answer["key"] == "remove:1-1,3-3"
    assert set(answer) == {"key", "about", "unit", "verdict", "target", "classes", "seconds"}


def test_stop_cancels_the_run(post):
    assert post.ask(t="req", id="1", client="tab", method="stop", params={}) == [
        {"t": "res", "id": "1", "client": "tab"}
    ]
    assert post.session._run._cancelled()


def test_names_travel_on_request_with_the_highest_scores(post):
    (answer,) = post.ask(t="req", id="1", client="tab", method="names", params={})
    names, top = answer["result"]["names"], answer["result"]["top"]
    assert names == ["class 0", "class 1", "class 2"]
    assert [score for _, score in top] == sorted((score for _, score in top), reverse=True)
    assert sum(score for _, score in top) == pytest.approx(1, abs=1e-3)


def test_a_front_end_chooses_the_target(post):
    first = {"t": "req", "id": "1", "client": "tab", "method": "target"}
    post.messages.receive({**first, "params": {"class_id": 2, "other": None}})
    assert post.session.picture.label == "logit of class 2"
    post.ask(t="req", id="2", client="tab", method="target", params={"class_id": 2, "other": 0})
    assert post.session.wait(PATIENCE).target == "margin of class 2 over class 0"


def test_more_goes_on_with_the_run_and_is_refused_where_nothing_is_on_offer(post):
    first = post.session.attribution
    assert post.ask(t="req", id="1", client="tab", method="more", params={}) == [
        {"t": "res", "id": "1", "client": "tab"}
    ]
    assert post.session.attribution.evaluations > 1.5 * first.evaluations
    post.session.close()
    refusal = post.ask(t="req", id="2", client="tab", method="more", params={"rows": 10**9})[-1]
    assert (refusal["t"], refusal["code"]) == ("err", "bad_request")


@pytest.mark.parametrize(
    ("asked", "params", "message"),
    [
        ("score", None, "params must be an object"),
        ("score", [], "params must be an object"),
        ("score", {}, "mode must be 'keep' or 'remove'; found None"),
        ("score", {"selection": [99], "mode": "keep"}, "there is no cell 99"),
        ("score", {"selection": "<img src=x>", "mode": "keep"}, "selection: found <U11"),
        ("score", {"selection": [10**30], "mode": "keep"}, "selection: "),
        ("score", {"selection": [1], "mode": {"a": 1}}, "mode must be 'keep' or 'remove'"),
        ("target", {}, "class_id must be a whole number"),
        ("target", {"class_id": 10**6, "other": None}, "target: "),
        ("target", {"class_id": True, "other": "<img>"}, "class_id must be a whole number"),
        ("target", {"class_id": 1, "other": 1}, "compares class 1 with itself"),
        ("eval", {}, "method must be 'score', 'stop', 'more', 'price', 'names', 'target' or 'file'"),
        (None, {}, "method must be 'score', 'stop', 'more', 'price', 'names', 'target' or 'file'"),
        (["score"], {}, "method must be 'score', 'stop', 'more', 'price', 'names', 'target' or 'file'"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(post, asked, params, message):
    (answer,) = post.ask(t="req", id="1", client="tab", method=asked, params=params)
    assert (answer["t"], answer["id"], answer["client"], answer["code"]) == ("err", "1", "tab", "bad_request")
    assert message in answer["message"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "hello",
        {},
        {"t": "hello"},
        {"t": "hello", "client": 3},
        {"t": "hello", "client": "x" * 101},
        {"t": "req", "client": "tab"},
        {"t": "req", "client": "tab", "id": {}},
        {"t": "surprise", "client": "tab", "id": "1"},
        {"t": ["req"], "client": "tab", "id": "1"},
    ],
)
def test_other_messages_are_logged_and_dropped(post, content, caplog):
    with caplog.at_level(logging.WARNING):
        post.messages.receive(content)
    assert post.sent == []
    assert "dropped" in caplog.text


@pytest.mark.parametrize(("rev", "seen"), [(1, 1), (10**9, 0), ("1", 0), (None, 0), (True, 0)])
def test_acknowledgements_of_frames_that_were_sent_set_the_pace(post, rev, seen):
    post.messages.receive({"t": "ack", "rev": rev})
    assert post.encoder.pace.seen == seen


def test_a_request_that_waits_can_be_withdrawn_by_its_own_client_only(gate, image, method):
    session = Session(BlackBox(gate), image, None, method, lambda snapshot: None)
    post = Post(session, Encoder())
    gate.shut()
    session.start()
    assert gate.entered.wait(PATIENCE)
    params = {"selection": [1], "mode": "keep"}
    post.messages.receive({"t": "req", "id": "1", "client": "a", "method": "score", "params": params})
    post.messages.receive({"t": "req", "id": "1", "client": "b", "method": "score", "params": params})
    post.messages.receive({"t": "cancel", "id": "1", "client": "a"})
    post.messages.receive({"t": "cancel", "id": "2", "client": "b"})
    assert [(answer["client"], answer["code"]) for answer in post.sent] == [("a", "cancelled")]
    gate.open.set()
    session.wait(PATIENCE)
    assert [answer["client"] for answer in post.sent if answer["t"] == "res"] == ["b"]
    session.close()
