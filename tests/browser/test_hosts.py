"""Under each host's manners: views, kernels that come, work, fail and go, and text that means harm."""

from __future__ import annotations

import base64
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import click, middle, wait_pixels, wait_selection
from tests.browser.page import STATIC
from tests.browser.scene import RUNNING, Scene, frame_bytes, score, state_of

pytestmark = pytest.mark.browser

LIVE = ["backbone", "marimo", "ipywidgets 7", "ipywidgets 8"]
SAVED = ["static", "ipywidgets 8, saved"]
PROFILES = [*LIVE, *SAVED]
HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><b>bold</b>"


def leave(page: Page, profile: str) -> None:
    """Let the kernel go, as far as a front end can know."""
    if profile.startswith("ipywidgets"):
        # anywidget takes the listeners of a view away, also those that would mark it as disconnected.
        page.evaluate("kernel.page.message({t: 'beat', next: 0})")
    else:
        page.evaluate("kernel.page.connected(false)")


def question(page: Page, at: int = 0) -> dict[str, object]:
    """Wait for a question to the kernel."""
    page.wait_for_function("at => kernel.questions.length > at", arg=at)
    asked: dict[str, object] = page.evaluate("at => kernel.questions[at]", at)
    return asked


@pytest.mark.parametrize("profile", PROFILES)
def test_every_host_shows_the_same(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene, selection=scene.cells_in("A3")), profile=profile)
    wait_pixels(page, "reconstruction", scene.rebuilt(scene.cells_in("A3")))
    expect(page.locator("[data-wcam=target]")).to_have_text("astronaut 7.31")
    expect(page.locator("[data-wcam=status]")).to_have_text("256 forward passes in 12 s")
    colour = page.locator("[data-wcam=root]").evaluate("root => getComputedStyle(root).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
    band = scene.cells_in("HH1")
    click(page, "dyadic", middle(scene, band[0]), shift=True)
    wait_pixels(page, "reconstruction", scene.rebuilt(scene.cells_in("A3") + band))


def test_a_shadow_tree_without_our_styles_gets_them(open_page: OpenPage, scene: Scene) -> None:
    page = open_page({**state_of(scene), "_css": (STATIC / "widget.css").read_text("utf-8")})
    page.evaluate("""() => {
      document.querySelector("style").remove();
      const foreign = document.body.appendChild(document.createElement("div"));
      const place = document.createElement("div");
      mounted.addView(place);
      foreign.attachShadow({mode: "open"}).append(place);
    }""")
    root = page.locator("[data-wcam=root]").nth(1)
    page.wait_for_function(
        "root => getComputedStyle(root).backgroundColor === 'rgb(255, 255, 255)'", arg=root.element_handle()
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_two_views_share_a_model_and_end_alone(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene), profile=profile, views=2)
    cell = scene.cells_in("HL2")[0]
    click(page, "dyadic", middle(scene, cell))
    wait_selection(page, [cell])
    lines = page.locator("[data-wcam=selection]")
    for at in (0, 1):
        expect(lines.nth(at)).to_have_text("Selected: HL2: 1 cell")
    page.evaluate("ends[0]()")
    expect(lines).to_have_count(1)
    click(page, "dyadic", middle(scene, cell))
    expect(lines).to_have_text("Nothing is selected")


def test_labels_that_mean_harm_are_text(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, label=HOSTILE, _scores=score("all", HOSTILE)))
    expect(page.locator("[data-wcam=target]")).to_have_text(f"{HOSTILE} 7.31")
    expect(page.locator("[data-wcam=score-row]").nth(1)).to_contain_text(HOSTILE)
    assert page.locator("img, b:not(.wcam-total, .wcam-whisker, .wcam-shapley, .wcam-point)").count() == 0
    assert page.title() == "explorer"


@pytest.mark.parametrize("profile", LIVE)
def test_scores_are_asked_for_and_shown(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene), profile=profile)
    expect(page.locator("[data-wcam=connection]")).to_have_text("Live")
    table, rows = page.locator("[data-wcam=scores]"), page.locator("[data-wcam=score-row]")
    expect(rows.first).to_have_text(re.compile(r"astronaut\s*7\.31\s*7\.31\s*0\.00"))
    cell = scene.cells_in("LH1")[5]
    click(page, "dyadic", middle(scene, cell))
    expect(page.locator("[data-wcam=scores-state]")).to_have_text("asking…")
    expect(table).to_have_attribute("data-stale", "true")
    expect(rows).to_have_count(4)
    asked = question(page)
    assert asked["params"] == {"selection": [cell], "mode": "keep"}
    page.evaluate("result => kernel.answer(result)", score(f"keep:{cell}-{cell}", reconstruction=6.9))
    expect(rows.first).to_have_text(re.compile(r"7\.31\s*6\.90\s*−0\.41"))
    expect(rows.nth(2)).to_have_text(re.compile(r"space suit\s*0\.05\s*0\.11\s*\+0\.06"))
    expect(table).to_have_attribute("data-stale", "false")


@pytest.mark.parametrize("profile", LIVE)
def test_a_busy_kernel_and_one_that_has_gone(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene, _scores={}), profile=profile)
    chip = page.locator("[data-wcam=connection]")
    expect(chip).to_have_text("The kernel is busy: scores follow when the cell ends")
    question(page)
    page.evaluate("result => kernel.answer(result)", score("all", reconstruction=7.31))
    expect(chip).to_have_text("Live")
    leave(page, profile)
    expect(chip).to_have_text("The kernel is gone: run the cell again")
    band = scene.cells_in("A3")
    click(page, "dyadic", middle(scene, band[0]), shift=True)
    wait_pixels(page, "reconstruction", scene.rebuilt(band))


@pytest.mark.parametrize("profile", SAVED)
def test_a_saved_page_knows_some_scores(open_page: OpenPage, scene: Scene, profile: str) -> None:
    band = scene.cells_in("A3")
    key = f"keep:{band[0]}-{band[-1]}"
    page = open_page(state_of(scene, _known={key: score(key, reconstruction=5.55)}), profile=profile)
    expect(page.locator("[data-wcam=connection]")).to_have_text(
        "Saved page: scores are known for single bands and the top cells"
    )
    page.locator("[data-wcam=profile-bar][data-band=A3]").click()
    expect(page.locator("[data-wcam=score-row]").first).to_contain_text("5.55")
    click(page, "dyadic", middle(scene, scene.cells_in("HH1")[0]))
    expect(page.locator("[data-wcam=scores-state]")).to_contain_text("Not known in this saved page")
    expect(page.locator("[data-wcam=scores]")).to_have_attribute("data-stale", "true")


@pytest.mark.parametrize("profile", LIVE)
def test_cancel_keeps_the_partial_map(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene, _status=RUNNING), profile=profile)
    status, cancel = page.locator("[data-wcam=status]"), page.locator("[data-wcam=cancel]")
    expect(status).to_have_text("64 of 256 passes · 9 s left")
    assert page.locator("[data-wcam=progress]").evaluate("bar => [bar.value, bar.max]") == [64, 256]
    cancel.click()
    expect(cancel).to_be_disabled()
    assert question(page)["method"] == "stop"
    page.evaluate("kernel.answer()")
    page.evaluate("status => kernel.page.update({_status: status})", {**RUNNING, "state": "cancelled"})
    expect(status).to_have_text("256 forward passes in 3 s, partial")
    expect(cancel).to_be_hidden()
    expect(page.locator("[data-wcam=progress]")).to_be_hidden()


@pytest.mark.parametrize("profile", LIVE)
def test_the_answer_stands_first_and_more_is_a_click_away(
    open_page: OpenPage, scene: Scene, profile: str
) -> None:
    words = f"Egyptian cat (.39): {HOSTILE}"
    stop = "Stopped: the planned rows are done; 350 of 640 cells are not resolved."
    done = {**RUNNING, "state": "done", "answer": words, "stop": stop, "more": "Run deeper: about 25 s more"}
    page = open_page(state_of(scene, _status=done), profile=profile)
    answer, more = page.locator("[data-wcam=answer]"), page.locator("[data-wcam=more]")
    expect(answer).to_have_text(words)
    assert answer.bounding_box()["y"] < page.locator("[data-wcam=dyadic]").bounding_box()["y"]
    expect(page.locator("[data-wcam=stop]")).to_have_text(stop)
    expect(more).to_have_text("Run deeper: about 25 s more")
    more.click()
    expect(more).to_be_disabled()
    assert question(page)["method"] == "more"
    page.evaluate("kernel.answer()")
    update = "status => kernel.page.update({_status: status})"
    page.evaluate(update, {**RUNNING, "answer": words})
    expect(more).to_be_hidden()
    expect(answer).to_have_attribute("aria-busy", "true")
    page.evaluate(update, done)
    expect(more).to_be_enabled()
    expect(answer).not_to_have_attribute("aria-busy", "true")
    more.click()
    assert question(page)["method"] == "more"
    leave(page, profile)
    expect(more).to_be_hidden()


def test_a_saved_page_has_the_answer_and_sells_nothing(open_page: OpenPage, scene: Scene) -> None:
    done = {**RUNNING, "state": "done", "answer": "cat (.39): all.", "stop": "Stopped.", "more": "Run deeper"}
    page = open_page(state_of(scene, _status=done))
    expect(page.locator("[data-wcam=answer]")).to_have_text("cat (.39): all.")
    expect(page.locator("[data-wcam=more]")).to_be_hidden()
    old = open_page(state_of(scene))
    expect(old.locator("[data-wcam=answer]")).to_be_hidden()


@pytest.mark.parametrize("profile", LIVE)
def test_maps_stream_in(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene, _frame="", _status={**RUNNING, "done": 0}), profile=profile)
    dyadic = page.locator("[data-wcam=dyadic]")
    before = dyadic.bounding_box()
    expect(page.locator("[data-wcam=colour-bar]").first).to_contain_text("no value yet")
    for rev in (1, 2):
        frame = base64.b64encode(frame_bytes(scene, f"step {rev}", rev)).decode()
        page.evaluate("frame => kernel.page.update({_frame: kernel.bytes(frame)})", frame)
        expect(page.locator("[data-wcam=target]")).to_have_text(f"step {rev} 7.31")
        page.wait_for_function("rev => kernel.sent.some(m => m.t === 'ack' && m.rev === rev)", arg=rev)
    expect(page.locator("[data-wcam=colour-bar]").nth(1)).to_contain_text(
        "share of the score's variance, per cell"
    )
    assert dyadic.bounding_box() == before


def test_errors_are_said_in_the_page(open_page: OpenPage, scene: Scene) -> None:
    failed = {**RUNNING, "state": "error", "message": "model: expected 3 channels, found 4"}
    page = open_page(state_of(scene, _status=failed))
    expect(page.locator("[data-wcam=error]")).to_have_text("model: expected 3 channels, found 4")
    page = open_page(state_of(scene, _picture=base64.b64encode(b"WCF1 and then nothing").decode()))
    expect(page.locator("[data-wcam=error]")).to_be_visible()
    expect(page.locator("[data-wcam=root]")).to_contain_text("no map yet")
    page = open_page(state_of(scene))
    expect(page.locator("[data-wcam=error]")).to_be_hidden()


def test_a_defect_is_a_message_and_not_a_blank(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), forgive="no more pixels")
    page.evaluate("""() => {
      CanvasRenderingContext2D.prototype.putImageData = () => { throw new Error("no more pixels"); };
    }""")
    cell = scene.cells_in("HL2")[0]
    click(page, "dyadic", middle(scene, cell))
    expect(page.locator("[data-wcam=error]")).to_have_text("no more pixels")
    wait_selection(page, [cell])


def test_a_view_leaves_nothing_behind(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    page.wait_for_function("true")  # Playwright brings listeners of its own with the first of these
    page.evaluate("""() => {
      globalThis.held = 0;
      const count = (type, begin, end) => {
        const {[begin]: take, [end]: leave} = type.prototype;
        type.prototype[begin] = function (...args) { held++; return take.apply(this, args); };
        type.prototype[end] = function (...args) { held--; return leave.apply(this, args); };
      };
      count(EventTarget, "addEventListener", "removeEventListener");
      // Observers end all their observing at once: they are counted by the object.
      const watching = new Set();
      for (const {prototype} of [ResizeObserver, MutationObserver]) {
        const {observe, disconnect} = prototype;
        prototype.observe = function (...args) { watching.add(this); return observe.apply(this, args); };
        prototype.disconnect = function () { watching.delete(this); return disconnect.apply(this); };
      }
      globalThis.watchers = () => watching.size;
      globalThis.place = document.body.appendChild(document.createElement("div"));
      globalThis.endView = mounted.addView(place);
    }""")
    page.wait_for_function("() => place.querySelector('[data-wcam=dyadic]').width > 300")
    assert page.evaluate("held") > 40
    assert page.evaluate("watchers()") > 3
    page.evaluate("() => endView()")
    assert page.evaluate("[held, watchers(), place.childElementCount]") == [0, 0, 0]


@pytest.mark.parametrize("held", [True, False])
def test_a_foreign_shadow_tree_gets_a_copy_of_the_sheet(
    open_page: OpenPage, scene: Scene, held: bool
) -> None:
    sheet = (STATIC / "widget.css").read_text(encoding="utf-8")
    page = open_page(state_of(scene, **({"_css": sheet} if held else {})), profile="backbone")
    styled = page.evaluate(
        """async held => {
          if (held) document.querySelectorAll("style").forEach(style => style.remove());
          const host = document.body.appendChild(document.createElement("div"));
          const place = host.attachShadow({mode: "open"}).appendChild(document.createElement("div"));
          mounted.addView(place);
          for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
          return getComputedStyle(place.querySelector(".wcam")).getPropertyValue("--wcam-styled");
        }""",
        held,
    )
    assert styled.strip() == "1"
