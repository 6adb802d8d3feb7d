"""Views and widgets come and go; listeners, nodes, observers, timers and canvases are as many as before."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.scene import RUNNING, Scene, frame_bytes, state_of

pytestmark = pytest.mark.browser

TIMES = 50
# What Chromium does not count itself. Canvases are held weakly; one without pixels holds nothing.
COUNTING = """() => {
  const canvases = [], observing = new Set(), intervals = new Set();
  const create = document.createElement;
  document.createElement = function (tag, ...rest) {
    const made = create.call(this, tag, ...rest);
    if (tag === "canvas") canvases.push(new WeakRef(made));
    return made;
  };
  for (const {prototype} of [ResizeObserver, MutationObserver]) {
    const {observe, disconnect} = prototype;
    prototype.observe = function (...args) { observing.add(this); return observe.apply(this, args); };
    prototype.disconnect = function () { observing.delete(this); return disconnect.apply(this); };
  }
  const {setInterval: begin, clearInterval: end} = globalThis;
  globalThis.setInterval = (...args) => { const id = begin(...args); intervals.add(id); return id; };
  globalThis.clearInterval = id => { intervals.delete(id); end(id); };
  globalThis.counts = () => ({
    canvases: canvases.filter(each => (each.deref()?.width ?? 0) > 0).length,
    observers: observing.size,
    intervals: intervals.size,
    elements: document.querySelectorAll("*").length,
    modelListeners: mounted.model.listeners,
  });
  globalThis.frames = async number => {
    for (let at = 0; at < number; at++) await new Promise(requestAnimationFrame);
  };
}"""
VIEW = """async times => {
  for (let at = 0; at < times; at++) {
    const place = document.body.appendChild(document.createElement("div"));
    const end = mounted.addView(place);
    await frames(3);
    place.querySelector("[data-wcam=profile-bar]").click();
    await frames(1);
    end();
    place.remove();
  }
  kernel.questions.length = 0;
}"""
# A cell that is run again: the widget of the earlier run is closed by its kernel, and its view taken away.
WIDGET = """async ([times, running, frame]) => {
  for (let at = 0; at < times; at++) {
    const place = document.body.appendChild(document.createElement("div"));
    const own = new Kernel();
    const widget = wcamStandalone.mount(place, state, own, {profile: "backbone", css: ""});
    await frames(3);
    own.page.message({t: "beat", next: 1});
    place.querySelector("[data-wcam=profile-bar]").click();
    if (at % 2) own.page.update({_status: running, _frame: own.bytes(frame)});
    await frames(1);
    own.page.message({t: "bye", reason: "closed"});
    widget.dispose();
    place.remove();
    if (widget.model.listeners > 0) throw new Error("the model of a closed widget has listeners");
  }
}"""


def counted(page: Page) -> dict[str, int]:
    """What there is once all garbage is gone."""
    session = page.context.new_cdp_session(page)
    page.evaluate("() => frames(2)")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    browser = session.send("Memory.getDOMCounters")
    session.detach()
    return {**page.evaluate("() => counts()"), **browser}


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
