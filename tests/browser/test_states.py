"""What the chip says of the kernel, in each state; and what is to be read where the kernel failed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.scene import RUNNING, Scene, state_of

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=globalThis.stolen=1>"
DETAILS = (
    f"Traceback (most recent call last):\n{HOSTILE}\n" + "  in a deep place\n" * 800 + "ValueError: {no}"
)


def part(page: Page, name: str):
    return page.locator(f"[data-wcam={name}]")


def is_in(page: Page, state: str) -> None:
    expect(part(page, "connection")).to_have_attribute("data-state", state)
    expect(part(page, "connection")).to_be_visible()
    expect(part(page, "dyadic")).to_be_visible()


def test_connecting_until_the_kernel_greets_back_then_live(open_page: OpenPage, scene: Scene) -> None:
    silent = "<script>globalThis.setTimeout = new Proxy(setTimeout, {apply: (target, self, args) =>"
    silent += "String(args[0]).includes('hello-ack') ? 0 : Reflect.apply(target, self, args)})</script>"
    page = open_page(state_of(scene), profile="backbone", head=silent)
    is_in(page, "connecting")
    expect(part(page, "connection")).to_have_text("Looking for the kernel")
    page.evaluate(
        "kernel.page.message({t: 'hello-ack', client: kernel.client, proto: 1, run: 'run-1', rev: 1})"
    )
    is_in(page, "live")


def test_busy_while_an_answer_waits(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, _scores={}), profile="backbone")
    is_in(page, "busy")
    page.wait_for_function("() => kernel.questions.length > 0")
    page.evaluate("kernel.answer()")
    is_in(page, "live")


def test_gone_when_promised_beats_stay_away_and_live_when_they_come_back(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page(state_of(scene), profile="backbone")
    is_in(page, "live")
    page.evaluate("kernel.page.message({t: 'beat', next: 0.1})")
    is_in(page, "lost")
    expect(part(page, "connection")).to_have_text("The kernel is gone: run the cell again")
    expect(part(page, "cancel")).to_be_hidden()
    page.evaluate("kernel.page.message({t: 'beat', next: 100})")
    is_in(page, "live")


def test_gone_when_the_explorer_is_closed(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    is_in(page, "live")
    page.evaluate("kernel.page.message({t: 'bye', reason: 'closed'})")
    is_in(page, "lost")


def test_static_in_a_saved_page(open_page: OpenPage, scene: Scene) -> None:
    is_in(open_page(state_of(scene)), "static")


def test_an_error_of_the_run_has_its_details_behind_a_disclosure(open_page: OpenPage, scene: Scene) -> None:
    failed = {**RUNNING, "state": "error", "message": f"ValueError: {HOSTILE}", "details": DETAILS}
    page = open_page(state_of(scene, _status=failed), profile="backbone")
    error, details = part(page, "error"), part(page, "error-details")
    expect(error.get_by_role("alert")).to_have_text(f"ValueError: {HOSTILE}")
    expect(details.locator("pre")).to_be_hidden()
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(details.locator("pre")).to_be_visible()
    expect(details.locator("pre")).to_contain_text("ValueError: {no}")
    assert len(details.locator("pre").text_content()) <= 8000
    box = details.bounding_box()
    assert box["height"] < 300  # a long one scrolls in its own place
    assert page.locator(".wcam img").count() == 0
    assert not page.evaluate("'stolen' in globalThis")
    page.evaluate("status => kernel.page.update({_status: status})", {**RUNNING, "state": "done"})
    expect(error).to_be_hidden()


def test_a_question_that_failed_has_its_details_beside_it(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, _scores={}), profile="backbone")
    page.wait_for_function("() => kernel.questions.length > 0")
    page.evaluate(
        """details => {
          const {id, client} = kernel.questions.shift();
          kernel.page.message({t: "err", id, client, code: "model_error", message: "out of memory", details});
        }""",
        DETAILS[:200],
    )
    expect(part(page, "scores-state")).to_have_text("The model did not answer: out of memory")
    details = part(page, "scores-details")
    details.locator("summary").click()
    expect(details.locator("pre")).to_have_text(DETAILS[:200])
    assert page.locator(".wcam img").count() == 0
    page.locator("[data-wcam=profile-bar]").first.click()
    expect(details).to_be_hidden()
