"""The widget among the keys and clicks of a notebook: its own events stay in it, and so does the focus."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import click, middle, wait_selection
from tests.browser.scene import RUNNING, Scene, score, state_of

pytestmark = pytest.mark.browser

# A notebook's cell around the widget: it can be focused, and listens to what notebooks listen to.
NOTEBOOK = """() => {
  globalThis.heard = [];
  const cell = document.body;
  cell.tabIndex = 0;
  for (const type of ["mousedown", "mouseup", "click", "dblclick", "keydown", "keypress", "keyup",
                      "copy", "cut", "paste", "wheel"])
    for (const target of [cell, document, window])
      target.addEventListener(type, event => event.key !== "Shift" && heard.push(type));
}"""
FOCUS = """() => {
  const view = document.querySelector("[data-wcam=root]");
  const active = (view ?? document.querySelector("#host0").shadowRoot.querySelector("[data-wcam=root]"))
    .getRootNode().activeElement;
  return active?.dataset.wcam ?? active?.tagName ?? null;
}"""


def heard(page: Page) -> set[str]:
    """What the notebook has heard so far."""
    return set(page.evaluate("() => heard"))


@pytest.mark.parametrize("profile", ["backbone", "marimo", "static"])
def test_gestures_of_the_mouse_stay_in_the_widget(open_page: OpenPage, scene: Scene, profile: str) -> None:
    page = open_page(state_of(scene), profile=profile)
    page.evaluate(NOTEBOOK)
    band = scene.cells_in("HL2")
    click(page, "dyadic", middle(scene, band[0]), shift=True)
    wait_selection(page, band)
    click(page, "dyadic", middle(scene, band[0]))
    page.locator("[data-wcam=dyadic]").dblclick(position={"x": 5, "y": 5})
    box = page.locator("[data-wcam=image]").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.up()
    page.locator("[data-wcam=clear]").click()
    page.locator("[data-wcam=pane-scores] h3").click()
    assert heard(page) == set()


def test_shift_and_a_click_focuses_the_pane_and_selects_no_text(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    page.evaluate(NOTEBOOK)
    page.locator("[data-wcam=pane-scores] h3").click()
    click(page, "dyadic", middle(scene, scene.cells_in("HL2")[0]), shift=True)
    assert page.evaluate(FOCUS) == "dyadic"
    assert page.evaluate("() => getSelection().toString()") == ""


def test_a_click_beside_the_controls_brings_the_focus_in(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    page.evaluate(NOTEBOOK)
    page.evaluate("() => document.body.focus()")
    page.locator("[data-wcam=pane-scores] h3").click()
    assert page.evaluate(FOCUS) in ("root", "pane-scores")


@pytest.mark.parametrize("place", ["root", "dyadic", "image", "clear", "mode-keep", "colormap", "opacity"])
def test_keys_of_a_notebook_stay_in_the_widget(open_page: OpenPage, scene: Scene, place: str) -> None:
    page = open_page(state_of(scene))
    page.evaluate(NOTEBOOK)
    page.locator(f"[data-wcam={place}]").focus()
    for key in ["z", "d", "d", "a", "b", "x", "v", "m", "Escape", "ArrowUp", "ArrowDown", "Control+z"]:
        page.keyboard.press(key)
    assert heard(page) == set()
    for key in ["Enter", "Shift+Enter", "Control+Enter", "Control+c", "Control+x"]:
        page.keyboard.press(key)
    assert heard(page) == set()


def test_controls_work_and_the_page_scrolls(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), context={"viewport": {"width": 700, "height": 400}})
    page.evaluate(NOTEBOOK)
    page.locator("[data-wcam=colormap]").select_option("viridis")
    slider = page.locator("[data-wcam=opacity]")
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() < before
    page.locator("[data-wcam=contours-shown]").click()
    expect(page.locator("[data-wcam=contours-shown]")).not_to_be_checked()
    page.locator("[data-wcam=image]").scroll_into_view_if_needed()
    box = page.locator("[data-wcam=image]").bounding_box()
    top = page.evaluate("() => scrollY")
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, 100)
    page.wait_for_function("top => scrollY > top", arg=top)
    page.wait_for_function("() => heard.includes('wheel')")
    assert heard(page) == {"wheel"}


@pytest.mark.parametrize("profile", ["backbone", "marimo"])
def test_the_focus_of_a_button_that_goes_stays_in_the_widget(
    open_page: OpenPage, scene: Scene, profile: str
) -> None:
    page = open_page(state_of(scene, _status=RUNNING), profile=profile)
    cancel = page.locator("[data-wcam=cancel]")
    cancel.focus()
    page.keyboard.press("Enter")
    page.evaluate("status => kernel.page.update({_status: status})", {**RUNNING, "state": "cancelled"})
    expect(cancel).to_be_hidden()
    assert page.evaluate(FOCUS) == "root"
    page.evaluate(NOTEBOOK)
    page.keyboard.press("z")
    assert heard(page) == set()


def test_the_focus_stays_through_redraws(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    band = scene.cells_in("A3")
    click(page, "dyadic", middle(scene, band[0]), shift=True)
    key = f"keep:{band[0]}-{band[-1]}"
    page.evaluate("state => kernel.page.update(state)", {"_scores": score(key), "_known": {key: score(key)}})
    assert page.evaluate(FOCUS) == "dyadic"


def test_the_focus_goes_where_the_reader_takes_it(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, _status=RUNNING), profile="backbone")
    page.evaluate("() => document.body.append(Object.assign(document.createElement('input'), {id: 'own'}))")
    page.locator("[data-wcam=cancel]").focus()
    page.locator("#own").focus()
    page.evaluate("status => kernel.page.update({_status: status})", {**RUNNING, "state": "cancelled"})
    expect(page.locator("[data-wcam=cancel]")).to_be_hidden()
    assert page.evaluate("() => document.activeElement.id") == "own"
