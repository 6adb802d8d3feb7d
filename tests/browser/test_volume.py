"""A cell for each coefficient: drawn band by band, and still the cells that they are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.conftest import OpenPage
from tests.browser.fine_scene import make_fine_scene
from tests.browser.gestures import click, middle, wait_pixels, wait_selection
from tests.browser.scene import Scene, make_scene, state_of

pytestmark = pytest.mark.browser

# The rectangles and images that the next painting takes, after a change of the colours.
DRAWS = """async () => {
  const context = document.querySelector("[data-wcam=dyadic]").getContext("2d");
  const counts = {fillRect: 0, drawImage: 0};
  for (const name of Object.keys(counts)) {
    const own = context[name].bind(context);
    context[name] = (...all) => { counts[name]++; own(...all); };
  }
  const colours = document.querySelector("[data-wcam=colormap]");
  colours.value = "viridis";
  colours.dispatchEvent(new Event("change"));
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return counts;
}"""

BRIGHTNESS = """places => {
  const canvas = document.querySelector("[data-wcam=dyadic]");
  return places.map(([y, x]) => {
    const [r, g, b] = canvas.getContext("2d").getImageData(
      Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data;
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
}"""


# Widths of the reconstructions that are painted from now on.
WIDTHS = """() => {
  globalThis.widths = [];
  const context = document.querySelector("[data-wcam=reconstruction]").getContext("2d");
  const put = context.putImageData.bind(context);
  context.putImageData = (...all) => { widths.push(context.canvas.width); put(...all); };
}"""


# The bytes of one row of the reconstruction.
ROW = """y => {
  const canvas = document.querySelector("[data-wcam=reconstruction]");
  return [...canvas.getContext("2d").getImageData(0, y, canvas.width, 1).data];
}"""


def test_a_band_of_many_cells_is_one_image(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(make_fine_scene(scene)), context={"device_scale_factor": 2})
    counts = page.evaluate(DRAWS)
    fine = [band for band in scene.bands if band.side**2 >= 1024]
    assert len(fine) == 3
    assert counts["drawImage"] == len(fine)
    assert counts["fillRect"] <= 64**2 - sum(band.side**2 for band in fine) + len(scene.bands)


def test_the_colours_of_many_cells_are_those_of_their_values(open_page: OpenPage, scene: Scene) -> None:
    fine = make_fine_scene(scene)
    page = open_page(state_of(fine), context={"device_scale_factor": 3})
    band = fine.cells_in("HL1")
    seen = page.evaluate(BRIGHTNESS, [middle(fine, cell) for cell in band])
    order = np.argsort(fine.values[band])
    assert np.corrcoef(np.argsort(order), np.argsort(np.argsort(seen)))[0, 1] > 0.95


def test_a_click_on_one_of_many_cells_keeps_it_alone(open_page: OpenPage, scene: Scene) -> None:
    fine = make_fine_scene(scene)
    page = open_page(state_of(fine), context={"viewport": {"width": 1600, "height": 1200}})
    cell = fine.cells_in("LH2")[100]
    click(page, "dyadic", middle(fine, cell))
    wait_selection(page, [cell])
    wait_pixels(page, "reconstruction", fine.rebuilt([cell]))


def test_a_large_picture_is_rebuilt_coarsely_at_once_and_completely_at_rest(open_page: OpenPage) -> None:
    large = make_scene(736)
    page = open_page(state_of(large))
    complete = "() => document.querySelector('[data-wcam=reconstruction]').width === 736"
    page.wait_for_function(complete)
    page.evaluate(WIDTHS)
    cell = large.cells_in("HL1")[27]
    click(page, "dyadic", middle(large, cell))
    page.wait_for_function("() => widths.at(-1) === 736")
    assert page.evaluate("() => widths") == [368, 736]
    _, top, _, _, _ = large.cells[cell]
    row = 2 * int(top) + 1
    seen = np.array(page.evaluate(ROW, row)).reshape(736, 4)[:, :3]
    assert np.abs(seen - large.rebuilt([cell])[row].astype(int)).max() <= 1
