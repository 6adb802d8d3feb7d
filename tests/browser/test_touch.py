"""Fingers: a tap toggles, one draws a rectangle, two move the page; and screens of any density and width."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.comparison_state import state_of_sides
from tests.browser.conftest import OpenPage
from tests.browser.gestures import Point, middle, place, wait_pixels, wait_selection
from tests.browser.scene import Scene, state_of

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 420, "height": 700}, "has_touch": True}
TALL = "padding-bottom: 900px"


class Fingers:
    """What touches a page, in its coordinates."""

    def __init__(self, page: Page) -> None:
        self._page, self._session = page, page.context.new_cdp_session(page)

    def do(self, kind: str, *points: Point) -> None:
        """Touch, move or lift fingers."""
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    def swipe(self, starts: list[Point], by: Point) -> None:
        """Fingers go down, move together and are lifted."""
        self.do("touchStart", *starts)
        for step in range(1, 9):
            self.do("touchMove", *((x + by[0] * step / 8, y + by[1] * step / 8) for x, y in starts))
            self._page.wait_for_timeout(20)
        self.do("touchEnd")


def open_phone(open_page: OpenPage, scene: Scene) -> Page:
    page = open_page(state_of(scene), context=PHONE, body=f'style="{TALL}"')
    page.locator("[data-wcam=dyadic]").scroll_into_view_if_needed()
    return page


def test_a_tap_toggles_the_cell_and_explains_it(open_page: OpenPage, scene: Scene) -> None:
    page = open_phone(open_page, scene)
    cell = scene.cells_in("A3")[9]
    at = place_on_phone(page, cell)
    fingers = Fingers(page)
    fingers.do("touchStart", at)
    expect(page.locator("[data-wcam=tooltip]")).to_contain_text("A3: the coarse image")
    fingers.do("touchEnd")
    wait_selection(page, [cell])
    page.touchscreen.tap(*at)
    wait_selection(page, [])


def test_one_finger_draws_a_rectangle_and_the_page_stays(open_page: OpenPage, scene: Scene) -> None:
    page = open_phone(open_page, scene)
    band = scene.cells_in("A3")
    start, end = (place_on_phone(page, band[at]) for at in (9, 27))
    before = page.evaluate("() => scrollY")
    Fingers(page).swipe([start], (end[0] - start[0], end[1] - start[1]))
    wait_selection(page, [band[8 * row + column] for row in (1, 2, 3) for column in (1, 2, 3)])
    assert page.evaluate("() => scrollY") == before


def test_two_fingers_move_the_page_and_choose_nothing(open_page: OpenPage, scene: Scene) -> None:
    page = open_phone(open_page, scene)
    x, y = place(page, "dyadic", (0.6, 0.4))
    before = page.evaluate("() => scrollY")
    Fingers(page).swipe([(x, y), (x + 60, y)], (0, -160))
    page.wait_for_function("before => scrollY > before + 20", arg=before)
    wait_selection(page, [])


def place_on_phone(page: Page, cell: int) -> Point:
    """Where a cell of the coarse image is, which stands above the details on a narrow screen."""
    box = page.locator("[data-wcam=dyadic]").bounding_box()
    assert box is not None
    row, column = divmod(cell, 8)
    unit = box["width"] / 3.07
    return box["x"] + (column + 0.5) * 1.25 * unit / 8, box["y"] + (0.125 + (row + 0.5) * 1.25 / 8) * unit


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_canvases_have_the_pixels_of_the_screen(open_page: OpenPage, scene: Scene, ratio: int) -> None:
    page = open_page(state_of(scene), context={"device_scale_factor": ratio})
    for name in ("dyadic", "dyadic-overlay", "image-overlay", "contours"):
        page.wait_for_function(
            """([name, ratio]) => {
              const canvas = document.querySelector(`[data-wcam=${name}]`);
              return canvas.width === Math.round(canvas.getBoundingClientRect().width * ratio);
            }""",
            arg=[name, ratio],
        )
    cell = scene.cells_in("HL2")[27]
    page.mouse.click(*place(page, "dyadic", middle(scene, cell)))
    wait_selection(page, [cell])
    wait_pixels(page, "reconstruction", scene.rebuilt([cell]))


# What sticks out of the page or is cut in its own box: text, and the boxes it stands in.
CUT = """() => {
  const said = one => `${one.tagName} ${one.className} "${one.textContent.slice(0, 40)}"`;
  const wide = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
  const texts = [...document.querySelectorAll(".wcam *")].filter(one =>
    one.checkVisibility() && !one.closest("canvas, svg, .wcam-unseen, select, .wcam-scores") &&
    [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
  const out = texts.filter(one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const {left, right} = range.getBoundingClientRect();
    return right > innerWidth + 0.5 || left < -0.5;
  });
  const cut = texts.filter(one =>
    getComputedStyle(one).overflow !== "visible" && one.scrollWidth > one.clientWidth + 1);
  return [...wide, ...out.map(one => "out: " + said(one)), ...cut.map(one => "cut: " + said(one))];
}"""


@pytest.mark.parametrize("width", [320, 560, 900, 1440, 2560])
@pytest.mark.parametrize("sides", [1, 2])
def test_nothing_is_cut_at_any_width(open_page: OpenPage, scene: Scene, width: int, sides: int) -> None:
    names = ["clean", "motion blur"]
    state: dict[str, Any] = state_of(scene) if sides == 1 else state_of_sides(scene, names)
    selection = [*scene.cells_in("LH2"), *scene.cells_in("HH1")[9:12]]
    page = open_page({**state, "selection": selection}, context={"viewport": {"width": width, "height": 900}})
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("name", ["image", "dyadic", "reconstruction", "retention", "profile"])
def test_the_wheel_scrolls_the_page(open_page: OpenPage, scene: Scene, name: str) -> None:
    page = open_page(state_of(scene), context={"viewport": {"width": 700, "height": 400}})
    part = page.locator(f"[data-wcam={name}]")
    part.scroll_into_view_if_needed()
    page.evaluate("() => scrollBy(0, -60)")
    part.hover()
    top = page.evaluate("() => scrollY")
    page.mouse.wheel(0, 50)
    page.wait_for_function("top => scrollY > top", arg=top)
