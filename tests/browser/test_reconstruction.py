"""The image the browser rebuilds, against PyWavelets."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import click, middle, wait_pixels
from tests.browser.scene import Scene, state_of

pytestmark = pytest.mark.browser


def test_nothing_selected_is_the_image_itself(open_page: OpenPage, scene: Scene) -> None:
    for mode in ("keep", "remove"):
        page = open_page(state_of(scene, mode=mode))
        wait_pixels(page, "reconstruction", scene.image)
        wait_pixels(page, "image", scene.image, within=0)
        expect(page.locator("[data-wcam=kept]")).to_contain_text("this is the image itself")


def test_kept_and_removed_cells(open_page: OpenPage, scene: Scene) -> None:
    chosen = sorted(scene.cells_in("A3")[::2] + scene.cells_in("HH1") + scene.cells_in("LH2")[5:20])
    others = [cell for cell in range(len(scene.cells)) if cell not in chosen]
    page = open_page(state_of(scene, selection=chosen))
    wait_pixels(page, "reconstruction", scene.rebuilt(chosen))
    page.locator("[data-wcam=mode-remove]").click()
    wait_pixels(page, "reconstruction", scene.rebuilt(others))
    kept = f"{round(100 * len(others) / len(scene.cells))} % of cells kept"
    share = f"{round(100 * scene.values[others].sum() / scene.values.sum())} % of the summed importance"
    expect(page.locator("[data-wcam=kept]")).to_have_text(f"{kept} · {share}")
    assert page.evaluate("mounted.model.view().get('mode')") == "remove"


def test_a_click_rebuilds(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    cell = int(scene.values.argmax())
    click(page, "dyadic", middle(scene, cell))
    wait_pixels(page, "reconstruction", scene.rebuilt([cell]))


def test_canvases_are_as_large_as_what_they_show(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), context={"device_scale_factor": 2})
    wait_pixels(page, "reconstruction", scene.image)
    sizes = page.evaluate(
        """() => Object.fromEntries(["image", "heat", "reconstruction", "dyadic"].map(name => {
          const canvas = document.querySelector(`[data-wcam=${name}]`);
          const box = canvas.getBoundingClientRect();
          return [name, [canvas.width, canvas.height, Math.round(box.width * 2), Math.round(box.height * 2)]];
        }))"""
    )
    for name in ("image", "heat", "reconstruction"):
        assert sizes[name][:2] == [64, 64]
    assert sizes["dyadic"][:2] == sizes["dyadic"][2:]
    page.locator("[data-wcam=packed]").click()
    dyadic = page.locator("[data-wcam=dyadic]")
    expect(dyadic).to_have_attribute("data-picture-height", "64")
    expect(dyadic).to_have_attribute("data-picture-width", "64")
