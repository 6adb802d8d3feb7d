"""The retention curve as a slider: with the pointer, by keyboard, live and in a saved page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import selection, wait_pixels, wait_selection
from tests.browser.scene import Scene, score, state_of
from wcam_widget.show.curve import Line, RetentionCurve
from wcam_widget.show.frames import retention_frame

pytestmark = pytest.mark.browser

DEPTH = 40
POINTS = [1, 4, 16, 39, 40, 160, 640]


def curve_of(scene: Scene, **changes: Any) -> RetentionCurve:
    """Scores that grow with every cell; the decision holds from DEPTH cells on."""
    order = np.argsort(-scene.values, kind="stable")
    sizes = (scene.cells[:, 3] * scene.cells[:, 4])[order]
    counts = np.array(POINTS)
    own = Line(
        counts,
        np.cumsum(sizes)[counts - 1] / sizes.sum(),
        0.9 * np.log(counts) / np.log(640),
        (counts < DEPTH).astype(int),
    )
    lines = {"own": own, "energy": own, "random": own}
    made = RetentionCurve(order, 256, "astronaut", "probability, softmax", 0.9, ("astronaut", "flag"))
    return RetentionCurve(**{**vars(made), "depth": DEPTH, "lines": lines, "complete": True, **changes})


def with_curve(scene: Scene, **changes: Any) -> dict[str, Any]:
    frame = retention_frame(curve_of(scene, **changes), "run-1")
    return state_of(scene, _retention=base64.b64encode(frame).decode())


def top(scene: Scene, count: int) -> list[int]:
    """The most important cells, sorted."""
    return sorted(np.argsort(-scene.values, kind="stable")[:count].tolist())


def slider(page: Page) -> Locator:
    return page.locator("[data-wcam=retention]")


def press_at(page: Page, share: float) -> tuple[float, float]:
    box = slider(page).bounding_box()
    assert box is not None
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def test_dragging_keeps_the_top_cells_and_rebuilds_at_once(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(with_curve(scene))
    expect(slider(page)).to_have_attribute("aria-valuenow", "640")
    page.mouse.move(*press_at(page, 0.4))
    page.mouse.down()
    page.mouse.move(*press_at(page, 0.7), steps=5)
    count = int(slider(page).get_attribute("aria-valuenow") or 0)
    assert 1 < count < 640
    wait_selection(page, top(scene, count))
    wait_pixels(page, "reconstruction", scene.rebuilt(top(scene, count)))
    expect(page.locator("[data-wcam=retention-value]")).to_contain_text("by the curve")
    page.mouse.move(*press_at(page, 0.5), steps=5)
    page.mouse.up()
    assert len(selection(page)) < count
    page.locator("[data-wcam=undo]").click()
    wait_selection(page, [])  # one step for the whole movement


def test_the_slider_by_keyboard(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(with_curve(scene))
    slider(page).focus()
    for key, count in [("Home", 1), ("ArrowRight", 2), ("ArrowUp", 3), ("ArrowLeft", 2), ("PageUp", 3)]:
        page.keyboard.press(key)
        expect(slider(page)).to_have_attribute("aria-valuenow", str(count))
        wait_selection(page, top(scene, count))
    page.keyboard.press("Enter")
    wait_selection(page, top(scene, DEPTH))
    expect(slider(page)).to_have_attribute("aria-valuetext", f"{value_words(page)}")
    page.keyboard.press("End")
    wait_selection(page, [])
    page.keyboard.press("Control+z")
    wait_selection(page, top(scene, DEPTH))


def value_words(page: Page) -> str:
    return page.locator("[data-wcam=retention-value]").text_content() or ""


def test_enter_shows_the_smallest_set_in_a_saved_page_too(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(with_curve(scene))
    note = page.locator("[data-wcam=retention-note]")
    expect(note).to_contain_text(f"astronaut from {DEPTH} of 640 cells on")
    page.locator("[data-wcam=snap]").click()
    wait_selection(page, top(scene, DEPTH))
    wait_pixels(page, "reconstruction", scene.rebuilt(top(scene, DEPTH)))
    expect(page.locator("[data-wcam=retention-value]")).to_have_text(
        f"top {DEPTH} of 640 cells, {share(scene, DEPTH)} of coefficients: .51"
    )
    slider(page).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-wcam=retention-value]")).to_contain_text("the model says flag")


def share(scene: Scene, count: int) -> str:
    sizes = scene.cells[:, 3] * scene.cells[:, 4]
    percent = 100 * sizes[top(scene, count)].sum() / sizes.sum()
    return f"{round(percent)} %" if percent >= 10 else f"{float(f'{percent:.2g}'):g} %"


def test_the_models_answer_replaces_what_the_curve_says(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(with_curve(scene), profile="backbone")
    words = page.locator("[data-wcam=retention-value]")
    slider(page).focus()
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    expect(words).to_contain_text("≈ .15 by the curve")
    page.wait_for_function("() => kernel.questions.length === 1")
    cells = page.evaluate("kernel.questions[0].params.selection")
    assert cells == top(scene, 3)
    key = "keep:" + ",".join(f"{cell}-{cell}" for cell in cells)
    page.evaluate("result => kernel.answer(result)", score(key, reconstruction=5.0))
    expect(words).to_contain_text("of coefficients: .84")


def test_a_curve_streams_in_and_says_what_is_missing(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    expect(slider(page)).to_contain_text("computing the curve")
    expect(slider(page)).to_have_attribute("aria-disabled", "true")
    for changes in ({"depth": None, "complete": False}, {}):
        frame = base64.b64encode(retention_frame(curve_of(scene, **changes), "run-1")).decode()
        page.evaluate("frame => kernel.page.update({_retention: kernel.bytes(frame)})", frame)
        words = "looking for" if changes else f"from {DEPTH} of 640"
        expect(page.locator("[data-wcam=retention-note]")).to_contain_text(words)
    expect(page.locator("[data-wcam=retention-chart] .wcam-line")).to_have_count(3)


@pytest.mark.parametrize("width", [1066, 1440])
def test_the_curve_is_above_the_fold_of_a_notebook(open_page: OpenPage, scene: Scene, width: int) -> None:
    page = open_page(with_curve(scene), context={"viewport": {"width": width, "height": 900}})
    box = page.locator("[data-wcam=pane-retention]").bounding_box()
    root = page.locator("[data-wcam=root]").bounding_box()
    assert box is not None
    assert root is not None
    assert root["height"] <= 720
    assert slider(page).evaluate("e => e.clientHeight") >= 90
