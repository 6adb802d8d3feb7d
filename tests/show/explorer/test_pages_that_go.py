"""Front ends come and go without a word: pages are reloaded, tabs are closed, views are removed."""

import gc
import threading
import weakref

import pytest
from ipywidgets.widgets.widget import _instances

from tests.show.conftest import PATIENCE
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.heartbeat import HEART

RELOADS = 50


@pytest.fixture
def explorer(gate, image, method, front_end, without_front_end_code):
    with explore(gate, image, method=method) as one:
        yield one
        gate.open.set()


def hello(front_end, client):
    front_end.say(t="hello", client=client, proto=1, have={"run": "", "rev": 0})


def ask(front_end, client, cell):
    params = {"selection": [cell], "mode": "keep"}
    front_end.say(t="req", id="1", client=client, method="score", params=params)


def test_pages_that_are_reloaded_leave_nothing_in_the_kernel(front_end, explorer, gate):
    """Each has asked for a score and is gone before the answer."""
    explorer.wait(PATIENCE)
    gate.shut()
    for number in range(RELOADS):
        hello(front_end, f"page {number}")
        ask(front_end, f"page {number}", number % 20)
    assert len(front_end.custom("hello-ack")) == RELOADS
    assert list(HEART._listeners) == [explorer._session.picture.run]
    gate.open.set()
    front_end.wait_for(lambda: len(front_end.custom("res") + front_end.custom("err")) == RELOADS)
    assert explorer._session.worker._requests == {}
    explorer.close()
    assert HEART._listeners == {}


def test_a_page_that_is_reloaded_during_a_run_gets_all_there_is_and_the_rest(
    gate, image, method, front_end, without_front_end_code
):
    gate.shuts_after = 60
    with explore(gate, image, method=method) as explorer:
        front_end.wait_for(lambda: front_end.updates("_frame"))
        assert gate.shut_by_itself.wait(PATIENCE)
        sent = len(front_end.updates("_picture"))
        hello(front_end, "reloaded")
        assert len(front_end.updates("_picture")) == sent + 1
        gate.open.set()
        assert explorer.wait(PATIENCE).complete
        assert front_end.updates("_status")[-1]["state"] == "done"


def test_two_tabs_ask_apart_and_see_the_same(front_end, explorer):
    explorer.wait(PATIENCE)
    for tab, cell in (("left", 3), ("right", 5)):
        hello(front_end, tab)
        ask(front_end, tab, cell)
    front_end.wait_for(lambda: len(front_end.custom("res")) == 2)
    assert {one["client"] for one in front_end.custom("res")} == {"left", "right"}
    assert {"keep:3-3", "keep:5-5"} <= {scores["key"] for scores in front_end.updates("_scores") if scores}
    front_end.set(selection=[3])
    assert explorer.selection == [3]


def test_closing_in_the_middle_of_a_run_with_two_tabs_leaves_nothing(
    gate, image, method, front_end, without_front_end_code
):
    before = set(_instances)
    explorer = explore(gate, image, method=method)
    for tab in ("left", "right"):
        hello(front_end, tab)
    gate.shut()
    for tab in ("left", "right"):
        ask(front_end, tab, 1)
    reference, name = weakref.ref(explorer), explorer._session.worker.name
    opening = threading.Thread(target=gate.open.set)
    opening.start()
    explorer.close()
    opening.join(PATIENCE)
    del explorer
    front_end.comm = None
    gc.collect()
    assert reference() is None
    assert set(_instances) == before
    assert [thread for thread in threading.enumerate() if thread.name == name] == []
    assert HEART._listeners == {}
    assert front_end.custom("bye")
