"""What of a snapshot is sent at once, and what waits for the screen."""

from dataclasses import replace

import pytest

from tests.show.conftest import PATIENCE
from wcam_widget.show.explorer.encoder import Encoder
from wcam_widget.show.explorer.pace import Pace
from wcam_widget.show.selection import Question
from wcam_widget.show.snapshot import Layer


@pytest.fixture
def snapshots(session, screen):
    session.start()
    session.wait(PATIENCE)
    session.answer(Question((1,), "keep"))
    return screen.snapshots


@pytest.fixture
def behind(monkeypatch):
    """An encoder whose screen never keeps up."""
    monkeypatch.setattr(Pace, "frame_due", lambda self, now: False)
    monkeypatch.setattr(Pace, "progress_due", lambda self, now: False)
    return Encoder()


def test_maps_wait_for_the_screen_and_the_end_and_answers_do_not(snapshots, behind):
    news = [set(behind.news(snapshot)) for snapshot in snapshots]
    states = [snapshot.progress.state for snapshot in snapshots]
    assert news[0] == {"_target", "_picture", "_status"}
    end = states.index("done")
    assert [names for names in news[1:end] if names] == []
    assert news[end] == {"_frame", "_status"}
    after = [names for names in news[end + 1 :] if names]
    assert after == [{"_known", "_status"}, {"_retention"}, {"_scores"}]
    assert behind.rev == 1


def test_the_end_of_a_layer_comes_with_a_frame_of_a_new_number(snapshots, behind):
    last = snapshots[-1]
    behind.news(last)
    drawn = replace(last, number=last.number + 1, extra=(Layer("cam", last.attribution),))
    assert behind.news(drawn) == {}
    over = replace(drawn, number=drawn.number + 1, extra=(Layer("cam", last.attribution, ended=True),))
    before = behind.rev
    assert set(behind.news(over)) == {"_frame", "_layers", "_status"}
    assert behind.rev == before + 1
    assert behind.news(replace(over, number=over.number + 1)) == {}
