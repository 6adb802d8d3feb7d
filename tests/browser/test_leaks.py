"""Views and widgets come and go; listeners, nodes, observers, timers and canvases are as many as before."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.lifecycles import COUNTING, VIEW, WIDGET, counted
from tests.browser.scene import RUNNING, Scene, frame_bytes, state_of

pytestmark = pytest.mark.browser

TIMES = 50


def assert_back(before: dict[str, int], after: dict[str, int]) -> None:
    """As many as before; Chromium may have freed more."""
    assert {name: count for name, count in after.items() if count > before[name]} == {}


def test_fifty_views_of_one_explorer_leave_nothing(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    page.evaluate(COUNTING)
    page.evaluate(VIEW, 4)
    before = counted(page)
    assert before["intervals"] <= 1  # that of the heartbeat of the view that stays
    page.evaluate(VIEW, TIMES)
    assert_back(before, counted(page))
    expect(page.locator(".wcam")).to_have_count(1)


def test_fifty_runs_of_a_cell_leave_nothing(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    page.evaluate(COUNTING)
    frame = base64.b64encode(frame_bytes(scene, rev=2)).decode()
    page.evaluate(WIDGET, [4, RUNNING, frame])
    before = counted(page)
    page.evaluate(WIDGET, [TIMES, RUNNING, frame])
    assert_back(before, counted(page))


@pytest.mark.parametrize("profile", ["backbone", "marimo"])
def test_a_view_that_goes_in_the_middle_of_a_run_takes_all_of_its_own(
    open_page: OpenPage, scene: Scene, profile: str
) -> None:
    page = open_page(state_of(scene, _status=RUNNING), profile=profile)
    page.evaluate(COUNTING)
    stream = """async frames => {
      for (const frame of frames) {
        kernel.page.update({_frame: kernel.bytes(frame)});
        await globalThis.frames(1);
      }
    }"""
    sent = [base64.b64encode(frame_bytes(scene, rev=rev)).decode() for rev in range(2, 6)]

    def second_view() -> None:
        page.evaluate(
            """async () => {
              globalThis.place = document.body.appendChild(document.createElement("div"));
              globalThis.end = mounted.addView(place);
              await frames(3);
            }"""
        )
        page.evaluate(stream, sent[:2])
        page.evaluate("() => { end(); place.remove(); globalThis.end = globalThis.place = null; }")

    second_view()
    before = counted(page)
    second_view()
    page.evaluate(stream, sent[2:])
    assert_back(before, counted(page))
    update = "status => kernel.page.update({_status: status})"
    page.evaluate(update, {**RUNNING, "done": 128})
    expect(page.locator("[data-wcam=status]")).to_have_text("128 of 256 passes · 9 s left")
    page.evaluate("() => mounted.dispose()")
    assert page.evaluate("() => mounted.model.listeners") == 0


def test_a_page_that_is_reloaded_is_a_client_of_its_own(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    clients = []
    for _ in range(2):
        page.wait_for_function("() => kernel.sent.some(each => each.t === 'hello')")
        clients.append(page.evaluate("() => kernel.client"))
        expect(page.locator("[data-wcam=connection]")).to_have_attribute("data-state", "live")
        page.reload()
    assert len(set(clients)) == 2
