"""What is selected and what the pointer is on, as the other panes show it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import drawn, hover, wait_drawn, wait_selection
from tests.browser.scene import Scene, state_of

pytestmark = pytest.mark.browser


def test_the_selection_is_seen_in_the_image_and_as_pieces_that_can_be_taken_out(
    open_page: OpenPage, scene: Scene
) -> None:
    one, row = scene.cells_in("HL2")[0], scene.cells_in("LH3")[8:16]
    page = open_page(state_of(scene, selection=[one, *row, *scene.cells_in("A3")]))
    pieces = page.locator("[data-wcam=chips] li")
    expect(pieces).to_have_text(["A3: all×", "LH3, row 2×", "HL2, row 1, column 1×"])
    wait_drawn(page, "selected-area", (0.25, 0.5))  # below the row
    wait_drawn(page, "selected-area", (0.06, 0.125))  # to the right of the corner
    assert not drawn(page, "selected-area", (0.7, 0.5))
    page.get_by_role("button", name="take LH3, row 2 out of the selection").click()
    wait_selection(page, sorted([one, *scene.cells_in("A3")]))
    expect(page.get_by_role("button", name="take HL2, row 1, column 1 out")).to_be_focused()
    page.keyboard.press("Enter")
    wait_selection(page, scene.cells_in("A3"))
    page.keyboard.press("Enter")
    wait_selection(page, [])
    expect(page.locator("[data-wcam=undo]")).to_be_focused()
    expect(page.locator("[data-wcam=selection]")).to_have_text("Nothing is selected")


def test_the_fingerprint_of_a_point_stands_over_the_profile(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    words = page.locator("[data-wcam=fingerprint]")
    expect(words).to_be_hidden()
    hover(page, "image", (0.51, 0.51))
    expect(words).to_contain_text("row 32, column 32: ")
    cells = {band.name: scene.cells_in(band.name)[8 * 4 + 4] for band in scene.bands}
    for name, cell in cells.items():
        heights = page.locator(f"[data-wcam=profile-bar][data-band={name}]").evaluate(
            "bar => ['.wcam-point', 'i'].map(part => bar.querySelector(part).getBoundingClientRect().height)"
        )
        share = min(1.0, float(scene.values[cell] / scene.values.max()))
        assert heights[0] / heights[1] in (
            pytest.approx(share, abs=0.05),
            pytest.approx(share**0.5, abs=0.05),
        )
    first = max(cells, key=lambda name: scene.values[cells[name]])
    expect(words).to_contain_text(f"column 32: {first} ")
    hover(page, "image", (0.99, 0.99))
    expect(words).to_contain_text("row 63, column 63: ")
    page.locator("[data-wcam=dyadic]").focus()
    page.keyboard.press("ArrowDown")
    expect(words).to_contain_text("row 12, column 4: ")
    page.keyboard.press("Tab")
    expect(words).to_be_hidden()
    expect(page.locator("[data-wcam=profile-legend]")).to_be_visible()
