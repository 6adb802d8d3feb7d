"""The cells as a grid for screen readers, and everything that the mouse does done by keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.fine_scene import make_fine_scene
from tests.browser.gestures import drawn, expect_cell, middle, wait_drawn, wait_pixels, wait_selection
from tests.browser.scene import Scene, score, state_of

pytestmark = pytest.mark.browser

NODES = "() => document.querySelectorAll('[data-wcam=dyadic] *').length"


def tree(page: Page) -> dict[str, dict[str, Any]]:
    """What Chromium tells a screen reader, by the id of each node."""
    session = page.context.new_cdp_session(page)
    found = session.send("Accessibility.getFullAXTree")["nodes"]
    return {node["nodeId"]: node for node in found if not node["ignored"]}


def role(node: dict[str, Any]) -> str:
    return str(node["role"]["value"])


def properties(node: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in node["properties"]}


def go_to(page: Page, words: str, *keys: str) -> None:
    """Press keys on the dyadic view until the cursor is on the cell that says this."""
    page.locator("[data-wcam=dyadic]").focus()
    for key in keys:
        page.keyboard.press(key)
    expect_cell(page, words)


def press_until(page: Page, name: str, key: str) -> None:
    """Press a key until this part of the view has the focus."""
    for _ in range(40):
        if page.evaluate("() => document.activeElement.dataset.wcam") == name:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never leads to {name}")


def asked(page: Page, method: str) -> dict[str, Any]:
    """The request that the kernel gets next."""
    page.wait_for_function("method => kernel.questions[0]?.method === method", arg=method)
    parameters: dict[str, Any] = page.evaluate("() => kernel.questions[0].params")
    return parameters


def test_a_screen_reader_finds_the_band_of_the_cursor_as_rows_and_cells(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page(state_of(scene, selection=[scene.cells_in("LH2")[9]]))
    go_to(page, "LH2", "ArrowDown", "ArrowRight", "]", "]")
    nodes = tree(page)
    (grid,) = [node for node in nodes.values() if role(node) == "grid"]
    rows = [node for node in nodes.values() if role(node) == "row" and node["parentId"] == grid["nodeId"]]
    cells = [node for node in nodes.values() if role(node) == "gridcell"]
    assert (len(rows), len(cells)) == (8, 64)
    pointed = properties(grid)["activedescendant"]["relatedNodes"][0]["backendDOMNodeId"]
    (active,) = [node for node in cells if node["backendDOMNodeId"] == pointed]
    name = active["name"]["value"]
    assert name.startswith("level 2. LH2: detail along y (horizontal edges), 4–8 px. ")
    assert "image rows 8 to 15, columns 8 to 15: 8 × 8 pixels per cell" in name
    assert re.search(r"px\. [\d.× 10⁻⁴]+ \([\d.× 10⁻⁴]+ to [\d.× 10⁻⁴]+\), estimated\. image", name)
    assert properties(active)["selected"]["value"] is True


def test_a_grid_of_many_cells_has_few_nodes(open_page: OpenPage, scene: Scene) -> None:
    fine = make_fine_scene(scene)
    page = open_page(state_of(fine))
    go_to(page, "LH1", "]", "]", "]")
    dyadic = page.locator("[data-wcam=dyadic]")
    expect(dyadic).to_have_attribute("aria-rowcount", "32")
    assert page.evaluate(NODES) <= 9 * 9 + 9
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    expect_cell(page, "image rows 24 to 25, columns 0 to 1")
    assert page.evaluate(NODES) <= 17 * 9 + 17


def test_a_rectangle_is_spanned_by_shift_and_arrows(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    band = scene.cells_in("LH3")
    go_to(page, "LH3", "ArrowDown", "]")
    for key in ["Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight"]:
        page.keyboard.press(key)
    spanned = [band[8 * row + column] for row in (1, 2, 3) for column in (0, 1)]
    expect(page.locator("[data-wcam=announcement]")).to_have_text("Rectangle: LH3: 6 cells")
    page.keyboard.press("Space")
    wait_selection(page, spanned)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Escape")
    wait_selection(page, spanned)  # the rectangle is given up, not the selection
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    wait_selection(page, [band[26], band[27]])
    page.keyboard.press("Control+z")
    wait_selection(page, spanned)


def test_a_whole_task_by_keyboard(open_page: OpenPage, scene: Scene) -> None:
    """A target is chosen, a rectangle kept, the answer read, and the step undone: without the mouse."""
    target = {"about": "", "classes": 3, "class_id": 0, "label": "astronaut", "score": 7.31}
    page = open_page(state_of(scene, _target=target), profile="backbone")
    press_until(page, "pick-target", "Tab")
    page.keyboard.press("Enter")
    assert asked(page, "names") == {}
    page.evaluate("names => kernel.reply({names, top: [[0, 0.9]]})", ["astronaut", "space suit", "flag"])
    page.keyboard.type("suit")
    page.keyboard.press("Enter")
    assert asked(page, "target") == {"class_id": 1, "other": None}
    update = "target => { kernel.page.update({_target: target}); kernel.reply(); }"
    page.evaluate(update, {**target, "class_id": 1})
    page.keyboard.press("Escape")
    expect(page.locator("[data-wcam=pick-target]")).to_be_focused()
    press_until(page, "dyadic", "Tab")
    for key in ["ArrowDown", "]", "Shift+ArrowDown", "Enter"]:
        page.keyboard.press(key)
    band = scene.cells_in("LH3")
    kept = [band[8], band[16]]
    wait_selection(page, kept)
    wait_pixels(page, "reconstruction", scene.rebuilt(kept))
    assert asked(page, "score") == {"selection": kept, "mode": "keep"}
    key = f"keep:{kept[0]}-{kept[0]},{kept[1]}-{kept[1]}"
    page.evaluate("result => kernel.answer(result)", {**score(key), "verdict": "still astronaut (.84)"})
    verdict = page.get_by_role("status").filter(has_text="still astronaut (.84)")
    expect(verdict).to_be_visible()
    page.keyboard.press("Control+z")
    wait_selection(page, [])


def test_the_rectangle_of_keys_is_drawn(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    band = scene.cells_in("LH3")
    go_to(page, "LH3", "ArrowDown", "]")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    corner, beyond = middle(scene, band[8]), middle(scene, band[8 + 4])
    edge = (corner[0], corner[1] - (middle(scene, band[9])[1] - corner[1]) / 2)
    wait_drawn(page, "dyadic-overlay", edge)
    assert not drawn(page, "dyadic-overlay", beyond)
