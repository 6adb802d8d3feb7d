"""What a hand does on the widget, and what an eye reads there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from tests.browser.scene import Scene

Point = tuple[float, float]

# Largest difference between a canvas's pixels and the expected ones; infinite while sizes differ.
WORST = """(canvas, expected) => {
  const {width, height} = canvas;
  if (width * height * 3 !== expected.length) return Infinity;
  const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
  let worst = 0;
  for (let at = 0; at < width * height; at++)
    for (let c = 0; c < 3; c++)
      worst = Math.max(worst, Math.abs(data[4 * at + c] - expected[3 * at + c]));
  return worst;
}"""

# The same of a canvas on the tests' own page, in the shadow root of its first host where there is one.
DIFFERENCE = f"""([name, expected]) => {{
  const root = document.getElementById("host0").shadowRoot ?? document;
  return ({WORST})(root.querySelector(`[data-wcam=${{name}}]`), expected);
}}"""

# Whether a canvas has anything drawn within 3 CSS pixels of a place given as fractions (y, x).
DRAWN = """([name, y, x]) => {
  const canvas = document.querySelector(`[data-wcam=${name}]`);
  const r = Math.ceil(3 * devicePixelRatio);
  const {data} = canvas.getContext("2d").getImageData(
    Math.round(x * canvas.width) - r, Math.round(y * canvas.height) - r, 2 * r, 2 * r);
  return data.some((byte, at) => at % 4 === 3 && byte > 0);
}"""


def place(page: Page, name: str, at: Point) -> Point:
    """Page coordinates (x, y) of a place on a canvas, given as fractions (y, x)."""
    box = page.locator(f"[data-wcam={name}]").first.bounding_box()
    assert box is not None
    return box["x"] + at[1] * box["width"], box["y"] + at[0] * box["height"]


def places(scene: Scene) -> tuple[dict[str, tuple[int, int, int]], int, int]:
    """Top, left and side of every band as the dyadic view lays them out, and its height and width.

    Bands of details at one size, each below a strip for its name; the coarse image larger, to their left.
    """
    unit = max(band.side for band in scene.bands)
    strip, gap, coarse = round(0.125 * unit), round(0.035 * unit), round(1.25 * unit)
    if len(scene.bands) == 1:
        return {scene.bands[0].name: (0, 0, unit)}, unit, unit
    found = {}
    for number, band in enumerate(scene.bands):
        if band.orientation == "A":
            found[band.name] = (strip, 0, coarse)
        else:
            row, column = divmod(number - 1, 3)
            left = coarse + strip + column * (unit + gap)
            found[band.name] = (strip + row * (unit + strip), left, unit)
    rows = (len(scene.bands) - 1) // 3
    return found, rows * (strip + unit), coarse + strip + 3 * unit + 2 * gap


def _within(scene: Scene, cell: int, share: float) -> Point:
    """A place in a cell of the dyadic view, from its upper left (0) to its lower right corner (1)."""
    found, rows, columns = places(scene)
    number, top, left, height, width = (int(one) for one in scene.cells[cell])
    band = scene.bands[number]
    down, right, side = found[band.name]
    scale = side / band.side
    y = down + (top - band.top + share * height) * scale
    x = right + (left - band.left + share * width) * scale
    return float(y / rows), float(x / columns)


def middle(scene: Scene, cell: int) -> Point:
    """The middle of a cell in the dyadic view, as fractions (y, x)."""
    return _within(scene, cell, 0.5)


def corner(scene: Scene, cell: int) -> Point:
    """The upper left corner of a cell in the dyadic view, as fractions (y, x)."""
    return _within(scene, cell, 0.0)


def lower_right(scene: Scene, cell: int) -> Point:
    """The lower right corner of a cell in the dyadic view, as fractions (y, x)."""
    return _within(scene, cell, 1.0)


def hover(page: Page, name: str, at: Point) -> None:
    """Move the mouse to a place on a canvas."""
    page.mouse.move(*place(page, name, at))


def click(page: Page, name: str, at: Point, *, shift: bool = False) -> None:
    """Click a place on a canvas."""
    hover(page, name, at)
    if shift:
        page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def drag(page: Page, name: str, start: Point, end: Point, *, drop: bool = True) -> None:
    """Draw a rectangle on a canvas."""
    hover(page, name, start)
    page.mouse.down()
    page.mouse.move(*place(page, name, end), steps=4)
    if drop:
        page.mouse.up()


def selection(page: Page) -> list[int]:
    """The selection trait as the page holds it."""
    cells: list[int] = page.evaluate("mounted.model.view().get('selection')")
    return cells


def wait_selection(page: Page, cells: list[int]) -> None:
    """Wait until the selection trait is this."""
    page.wait_for_function(
        "wanted => JSON.stringify(mounted.model.view().get('selection')) === JSON.stringify(wanted)",
        arg=cells,
    )


def wait_pixels(page: Page, name: str, expected: NDArray[np.uint8], within: int = 1) -> None:
    """Wait until a canvas shows an image (height, width, 3), to ``within`` grey levels."""
    argument: list[Any] = [name, expected.ravel().tolist()]
    page.wait_for_function(f"a => ({DIFFERENCE})(a) <= {within}", arg=argument)


def wait_drawn(page: Page, name: str, at: Point) -> None:
    """Wait until something is drawn at a place of an overlay."""
    page.wait_for_function(DRAWN, arg=[name, *at])


def drawn(page: Page, name: str, at: Point) -> bool:
    """Whether something is drawn at a place of an overlay."""
    return bool(page.evaluate(DRAWN, [name, *at]))


def expect_cell(page: Page, words: str) -> None:
    """Wait until the cell that the keyboard is on says this to a screen reader."""
    canvas = page.locator("[data-wcam=dyadic]").first
    page.wait_for_function(
        """([canvas, words]) => {
          const id = canvas.getAttribute("aria-activedescendant");
          return canvas.getRootNode().getElementById(id)?.textContent.includes(words);
        }""",
        arg=[canvas.element_handle(), words],
    )
