"""Choosing another target in the view: by typing, by keys, and what is shown until it is explained."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.scene import Scene, frame_bytes, score, state_of

pytestmark = pytest.mark.browser

COUNT = 21_843
HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = ["astronaut", "space suit", HOSTILE, *(f"thing {number}" for number in range(3, COUNT))]
TARGET = {"about": "", "classes": COUNT, "class_id": 0, "label": "logit of astronaut", "score": 7.31}


def part(page: Page, name: str):
    return page.locator(f"[data-wcam={name}]")


def asked(page: Page, method: str) -> dict:
    """The request that the kernel gets next."""
    page.wait_for_function(f"() => kernel.questions[0]?.method === {method!r}")
    return page.evaluate("() => kernel.questions[0].params")


@pytest.fixture
def page(open_page: OpenPage, scene: Scene) -> Page:
    opened = open_page(state_of(scene, _target=TARGET), profile="backbone")
    part(opened, "pick-target").click()
    asked(opened, "names")
    opened.evaluate("names => kernel.reply({names, top: [[0, 0.9], [1, 0.05]]})", NAMES)
    return opened


def test_a_class_is_chosen_by_typing_and_by_keys(page: Page, scene: Scene) -> None:
    box, options = part(page, "target-class"), page.locator(".wcam-choices [role=option]")
    expect(options.first).to_have_text("astronaut0.90")
    assert options.count() < 40  # of 21,843
    box.fill("thing 2184")
    expect(options.first).to_have_text("thing 2184")
    expect(options.first).to_have_attribute("aria-setsize", "4")  # and 21840 to 21842
    box.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_text("thing 21840")
    box.press("Enter")
    assert asked(page, "target") == {"class_id": 21840, "other": None}
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(part(page, "picker-note")).to_have_text("asking for thing 21840…")
    target = {**TARGET, "about": "b", "class_id": 21840, "label": "logit of thing 21840", "score": -1.5}
    page.evaluate(
        "([target, empty]) => { kernel.page.update({_target: target, _frame: kernel.bytes(empty), "
        "_scores: {}}); kernel.reply(); }",
        [target, ""],
    )
    expect(part(page, "target")).to_have_text("logit of thing 21840 −1.50")
    expect(part(page, "picker-note")).to_have_text("")
    # A map of the old target that comes late is not shown; the one of the new target is.
    old, new = (frame_bytes(scene, rev=rev, about=about) for rev, about in ((2, ""), (3, "b")))
    shown = "() => document.querySelector('[data-wcam=method]').textContent"
    page.evaluate("text => kernel.page.update({_frame: kernel.bytes(text)})", base64.b64encode(old).decode())
    assert page.evaluate(shown) == ""
    page.evaluate("text => kernel.page.update({_frame: kernel.bytes(text)})", base64.b64encode(new).decode())
    assert page.evaluate(shown).startswith("Wcam")


def test_one_class_rather_than_another(page: Page) -> None:
    other = part(page, "target-other")
    other.fill("space")
    page.locator(".wcam-choices:not([hidden]) [role=option]").first.click()
    assert asked(page, "target") == {"class_id": 0, "other": 1}


def test_names_are_text_and_escape_leads_back(page: Page) -> None:
    box = part(page, "target-class")
    box.fill("<img")
    expect(page.locator(".wcam-choices [role=option]")).to_have_text([HOSTILE])
    assert page.locator(".wcam img").count() == 0
    for _ in range(2):  # the list, then the line
        page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(part(page, "pick-target")).to_be_focused()


def test_a_refusal_is_told_and_the_target_stays(page: Page) -> None:
    part(page, "target-class").press("Enter")
    asked(page, "target")
    page.evaluate(
        """() => { const {id, client} = kernel.questions.shift();
          kernel.page.message({t: "err", id, client, code: "bad_request", message: "no such class"}); }"""
    )
    expect(part(page, "picker-note")).to_have_text("The target stays: no such class")


def test_a_saved_page_offers_no_choice(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, _target=TARGET))
    expect(part(page, "pick-target")).to_be_hidden()


def test_the_verdict_stands_under_the_scores_and_an_old_one_looks_old(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page(state_of(scene), profile="backbone")
    verdict, first = part(page, "verdict"), {**score("all"), "verdict": "still astronaut (.91 to .84)"}
    page.evaluate("ids => kernel.page.update({selection: ids})", [3])
    asked(page, "score")
    page.evaluate("result => kernel.answer(result)", {**first, "key": "keep:3-3"})
    expect(verdict).to_have_text("still astronaut (.91 to .84)")
    expect(verdict).to_have_attribute("data-stale", "false")
    page.evaluate("ids => kernel.page.update({selection: ids})", [4])
    expect(verdict).to_have_attribute("data-stale", "true")
    asked(page, "score")
    page.evaluate(
        "result => kernel.answer(result)", {**first, "key": "keep:4-4", "verdict": "now flag (.42)"}
    )
    expect(verdict).to_have_text("now flag (.42)")
    expect(verdict).to_have_attribute("data-stale", "false")
