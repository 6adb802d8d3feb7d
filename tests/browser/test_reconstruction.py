"""The image the browser rebuilds, against PyWavelets."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import click, middle, place, wait_pixels
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
    share = f"{round(100 * scene.values[others].sum() / scene.values.sum())} % of importance"
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


# What is seen at a place of the plate: the topmost canvas that is shown there and not clipped away.
SEEN = """at => {
  const plate = document.querySelector(".wcam-pane-reconstruction .wcam-plate");
  const canvases = [...plate.querySelectorAll("canvas")].filter(canvas => canvas.checkVisibility());
  const inside = canvas => {
    const cut = /inset\\(0px ([\\d.]+)%/.exec(getComputedStyle(canvas).clipPath);
    return at <= 1 - (cut ? Number(cut[1]) / 100 : 0);
  };
  return canvases.filter(inside).at(-1).dataset.wcam;
}"""


def test_a_line_wipes_the_image_over_the_reconstruction(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, selection=scene.cells_in("A3")))
    line = page.locator("[data-wcam=wipe]")
    expect(line).to_be_hidden()
    page.locator("[data-wcam=look-wipe]").click()
    wait_pixels(page, "wipe-image", scene.image, within=0)
    assert [page.evaluate(SEEN, at) for at in (0.45, 0.55)] == ["wipe-image", "reconstruction"]
    page.mouse.move(*place(page, "reconstruction", (0.5, 0.5)))
    page.mouse.down()
    page.mouse.move(*place(page, "reconstruction", (0.6, 0.8)), steps=3)
    page.mouse.up()
    expect(line).to_have_attribute("aria-valuetext", "80 % image, 20 % reconstruction")
    assert [page.evaluate(SEEN, at) for at in (0.75, 0.85)] == ["wipe-image", "reconstruction"]
    line.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuenow", "2")
    assert page.evaluate(SEEN, 0.1) == "reconstruction"


def test_the_difference_is_white_where_nothing_changed(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    page.locator("[data-wcam=look-rebuilt]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-wcam=look-difference]")).to_be_focused()
    wait_pixels(page, "difference", np.full((64, 64, 3), 255, np.uint8), within=0)
    bar = page.locator(".wcam-pane-reconstruction .wcam-colour-bar")
    expect(bar).to_contain_text("no difference")
    kept = scene.cells_in("A3")
    page.evaluate("cells => mounted.model.update({selection: cells})", kept)
    expect(bar).to_contain_text("rebuilt less image")
    top = float(bar.locator("span").last.text_content() or "nan")
    change = (scene.rebuilt(kept).astype(float) - scene.image).mean(2) / 255
    assert top >= np.quantile(abs(change), 0.99) - 0.01
    seen = np.array(page.locator("[data-wcam=difference]").evaluate(BYTES)).reshape(64, 64, 4)
    brighter, darker = change > 0.1 * top, change < -0.1 * top
    assert (seen[brighter][:, 0] > seen[brighter][:, 2]).all()  # orange
    assert (seen[darker][:, 2] > seen[darker][:, 0]).all()  # blue


BYTES = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
