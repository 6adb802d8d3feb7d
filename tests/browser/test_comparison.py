"""Two sides beside each other: what is done on one is seen on the other, live and in a saved page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.comparison_state import side_scene, state_of_sides
from tests.browser.conftest import OpenPage
from tests.browser.gestures import Point, middle
from tests.browser.scene import Scene

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=globalThis.stolen=1>"
TALL = {"viewport": {"width": 1640, "height": 2600}}
DRAWN = """canvas => canvas.width > 0 && canvas.getContext("2d")
  .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0)"""


def on_side(page: Page, side: int | str, name: str) -> Locator:
    return page.locator(f"[data-side='{side}'] [data-wcam={name}]")


def point_at(page: Page, canvas: Locator, at: Point) -> None:
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + at[1] * box["width"], box["y"] + at[0] * box["height"])


def wait_trait(page: Page, name: str, value: object) -> None:
    page.wait_for_function(
        "([name, wanted]) => JSON.stringify(mounted.model.view().get(name)) === wanted",
        arg=[name, json.dumps(value, separators=(",", ":"))],
    )


def wait_overlay(page: Page, canvas: Locator, *, drawn: bool) -> None:
    expect(canvas).to_be_attached()
    handle = canvas.element_handle()
    page.wait_for_function(f"([canvas, wanted]) => ({DRAWN})(canvas) === wanted", arg=[handle, drawn])


@pytest.mark.parametrize("profile", ["backbone", "marimo", "static"])
def test_hover_and_selection_of_one_side_are_seen_on_the_other(
    open_page: OpenPage, scene: Scene, profile: str
) -> None:
    page = open_page(state_of_sides(scene, ["clean", HOSTILE]), profile=profile, context=TALL)
    names = page.locator(".wcam-side-name")
    expect(names).to_have_text(["clean", HOSTILE, f"{HOSTILE} less clean"])
    cell = scene.cells_in("HL2")[27]
    point_at(page, on_side(page, 0, "dyadic"), middle(scene, cell))
    for side in (0, 1, "difference"):
        wait_overlay(page, on_side(page, side, "dyadic-overlay"), drawn=True)
        wait_overlay(page, on_side(page, side, "image-overlay"), drawn=True)
    page.mouse.down()
    page.mouse.up()
    wait_trait(page, "selection_1", [cell])
    point_at(page, on_side(page, 1, "dyadic"), middle(scene, cell + 1))
    page.mouse.down()
    page.mouse.up()
    wait_trait(page, "selection", [cell, cell + 1])
    expect(page.locator("[data-wcam=selection]")).to_have_count(1)
    page.locator("[data-wcam=undo]").click()
    wait_trait(page, "selection_1", [cell])
    on_side(page, 1, "mode-remove").click()
    expect(on_side(page, 0, "mode-remove")).to_have_attribute("aria-checked", "true")
    on_side(page, "difference", "packed").click()
    expect(on_side(page, 0, "packed")).to_have_attribute("aria-pressed", "true")
    assert not page.evaluate("'stolen' in globalThis")


def test_one_scale_for_both_and_words_for_the_difference(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of_sides(scene, ["clean", "foggy"]), context=TALL)
    bars = [page.locator(f"[data-side='{side}'] [data-wcam=colour-bar]") for side in (0, 1)]
    for name in (0, 1):
        expect(bars[0].nth(name)).to_contain_text("one scale for both sides")
        assert bars[0].nth(name).text_content() == bars[1].nth(name).text_content()
    difference = side_scene(scene, 1).values - scene.values
    expect(page.locator("[data-side=difference] [data-wcam=colour-bar]").last).to_contain_text(
        f"{np.abs(difference).max():.3g}"[:5]
    )
    expect(page.locator("[data-wcam=sides-differ]")).to_have_text(
        re.compile(
            r"differ for certain \(the intervals of both sides do not overlap\)\. The rest may be chance"
        )
    )


def test_a_selection_asks_both_sides_for_scores(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of_sides(scene, ["clean", "foggy"]), profile="backbone", context=TALL)
    on_side(page, 0, "profile-bar").first.click()
    page.wait_for_function("new Set(kernel.questions.map(each => each.side)).size === 2")
    asked = page.evaluate("kernel.questions.map(each => [each.side, each.params.selection.length])")
    assert sorted(map(tuple, asked)) == [(0, 64), (1, 64)]


def test_of_many_sides_one_is_chosen_and_a_second_put_beside_it(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of_sides(scene, ["one", "two", "three", "four"]), context=TALL)
    expect(page.locator("[data-wcam=side-words]")).to_contain_text("Near is alike.")
    page.locator("[data-wcam=profile-bar]").first.click()
    page.locator("[data-wcam=strip] [data-side='2']").click()
    expect(page.locator(".wcam-side-name")).to_have_text("three")
    wait_trait(page, "shown", [2])
    wait_trait(page, "selection_2", list(range(64)))
    page.locator("[data-wcam=side-map] [data-side='3']").click(modifiers=["Shift"])
    expect(page.locator(".wcam-side-name")).to_have_text(["three", "four", "four less three"])
    expect(page.locator("[data-wcam=strip] [aria-pressed=true]")).to_have_count(2)
    page.evaluate("mounted.dispose()")
    assert page.evaluate("mounted.model.listeners") == 0
    expect(page.locator(".wcam")).to_have_count(0)


@pytest.mark.parametrize(("linked", "words"), [(True, "on all sides"), (False, "on this side")])
def test_the_picker_says_of_which_sides_another_target_is(
    open_page: OpenPage, scene: Scene, linked: bool, words: str
) -> None:
    state = state_of_sides(scene, ["clean", "foggy"])
    state["_sides"]["linked"] = linked
    for name in ("_target", "_target_1"):
        state[name] = {"about": "", "classes": 3, "class_id": 0}
    page = open_page(state, profile="backbone", context=TALL)
    on_side(page, 1, "pick-target").click()
    expect(on_side(page, 1, "picker-reach")).to_have_text(words)


@pytest.mark.parametrize("width", [320, 700, 1440])
def test_nothing_is_wider_than_the_page(open_page: OpenPage, scene: Scene, width: int) -> None:
    state = state_of_sides(scene, ["a photograph with a long name", "another one"], theme="dark")
    page = open_page(state, context={"viewport": {"width": width, "height": 900}})
    expect(page.locator("[data-side=difference] [data-wcam=dyadic]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
