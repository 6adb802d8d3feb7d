"""The levels of the heatmap and of the pointer on the image, and the lines of equal heat."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import click, corner, drag, drawn, hover, wait_drawn, wait_pixels, wait_selection
from tests.browser.map_state import state_of_map
from tests.browser.scene import Scene, make_pixel_scene, state_of
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.words import format_value

pytestmark = pytest.mark.browser

LEVELS = ["A3", "level 3", "level 2", "level 1"]
DRAWN_AT_ALL = """() => {
  const canvas = document.querySelector("[data-wcam=contours]");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some(byte => byte > 0);
}"""


def box(page: Page, level: str) -> Locator:
    """The tick of a level, in every view."""
    return page.get_by_role("checkbox", name=level, exact=True)


def untick(page: Page, *levels: str) -> None:
    """Take the ticks of levels away."""
    for level in levels:
        box(page, level).uncheck()


def heat(scene: Scene, bands: list[str]) -> float:
    """The largest heat of a pixel: the sum of the cells over it."""
    found = np.zeros(scene.image.shape[:2])
    for cell in [cell for name in bands for cell in scene.cells_in(name)]:
        top, left, bottom, right = scene.support[cell].astype(int)
        found[top:bottom, left:right] += scene.values[cell]
    return float(found.max())


def test_the_heatmap_sums_the_levels_that_are_ticked(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    bar = page.locator("[data-wcam=pane-image] [data-wcam=colour-bar]")
    expect(bar).to_contain_text("share of the score's variance, all scales summed, per cell of 8 × 8 px")
    untick(page, "A3", "level 1")
    expect(bar).to_contain_text("level 3 and level 2 only, per cell of 8 × 8 px")
    top = heat(scene, [f"{name}{level}" for level in (3, 2) for name in ("LH", "HL", "HH")])
    expect(bar.locator("span").last).to_have_text(format_value(top))


def test_the_pointer_on_the_image_speaks_of_the_levels_that_are_ticked(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page(state_of(scene))
    untick(page, "A3", "level 3", "level 1")
    bands = ["LH2", "HL2", "HH2"]
    click(page, "image", (20.5 / 64, 36.5 / 64))  # row 2, column 4 of 8 x 8 cells
    wait_selection(page, [scene.cells_in(name)[20] for name in bands])
    page.keyboard.press("Escape")
    drag(page, "image", (15.6 / 64, 7.6 / 64), (24.3 / 64, 24.3 / 64))
    wait_selection(page, [scene.cells_in(name)[at] for name in bands for at in (17, 18)])
    hover(page, "image", (20.5 / 64, 36.5 / 64))
    wait_drawn(page, "dyadic-overlay", corner(scene, scene.cells_in("HL2")[20]))
    assert not drawn(page, "dyadic-overlay", corner(scene, scene.cells_in("HL1")[20]))


def test_one_level_stays_ticked_by_keyboard_too(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    for level in LEVELS[:3]:
        box(page, level).focus()
        page.keyboard.press("Space")
    last = box(page, LEVELS[3])
    expect(last).to_have_attribute("aria-disabled", "true")
    last.focus()
    page.keyboard.press("Space")
    expect(last).to_be_checked()
    expect(last).to_be_focused()
    box(page, LEVELS[0]).check()
    expect(last).not_to_have_attribute("aria-disabled", "true")


def test_the_choice_is_the_models_and_outlives_a_view(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), views=2)
    first, second = (box(page, "level 2").nth(at) for at in (0, 1))
    second.uncheck()
    expect(first).not_to_be_checked()
    page.evaluate("ends[0](); ends.push(mounted.addView(document.getElementById('host1')))")
    expect(box(page, "level 2")).to_have_count(2)
    expect(second).not_to_be_checked()


def test_contours_are_drawn_while_they_are_wanted(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    page.wait_for_function(DRAWN_AT_ALL)
    box(page, "contours").uncheck()
    page.wait_for_function(f"!({DRAWN_AT_ALL})()")
    box(page, "contours").check()
    page.wait_for_function(DRAWN_AT_ALL)


def test_pixels_have_no_levels_to_choose(open_page: OpenPage, scene: Scene) -> None:
    pixels = make_pixel_scene(scene)
    page = open_page(state_of(pixels))
    page.wait_for_function(DRAWN_AT_ALL)
    expect(page.locator("[data-wcam=levels]")).to_be_hidden()
    bar = page.locator("[data-wcam=pane-image] [data-wcam=colour-bar]")
    expect(bar).to_contain_text("share of the score's variance, per cell of 8 × 8 px")
    click(page, "image", (20.5 / 64, 36.5 / 64))
    wait_selection(page, [20])
    wait_pixels(page, "image", scene.image, within=0)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_what_colours_mean_is_never_behind_the_coarse_image(
    open_page: OpenPage, scene: Scene, levels: int
) -> None:
    state, _ = state_of_map(scene, Wcam(Sobol(rows=2), levels=levels, grid=2))
    page = open_page(state)
    bar = page.locator("[data-wcam=pane-dyadic] [data-wcam=colour-bar]").bounding_box()
    bands = page.locator("[data-wcam=dyadic]").bounding_box()
    assert bar is not None
    assert bands is not None
    # The coarse image is a quarter larger than a band of details; above each band is a strip of an eighth.
    coarse = bands["height"] * 1.375 / max(1.375, 1.125 * levels)
    assert bar["y"] >= bands["y"] + coarse
