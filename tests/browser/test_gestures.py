"""Hover, click, drag and undo, on a page of its own."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import (
    click,
    corner,
    drag,
    drawn,
    hover,
    lower_right,
    middle,
    place,
    places,
    selection,
    wait_drawn,
    wait_pixels,
    wait_selection,
)
from tests.browser.scene import Scene, state_of

pytestmark = pytest.mark.browser


def test_hovering_a_cell_explains_it_and_outlines_its_support(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    cell = scene.cells_in("HL2")[27]  # row 3, column 3 of 8: image rows and columns 24 to 31
    hover(page, "dyadic", middle(scene, cell))
    tooltip = page.locator("[data-wcam=tooltip]")
    expect(tooltip).to_contain_text("HL2: detail along x (vertical edges), 4–8 px")
    expect(tooltip).to_contain_text("rows 24 to 31, columns 24 to 31")
    expect(tooltip).to_contain_text("8 × 8 pixels per cell")
    expect(tooltip).to_contain_text(
        re.compile(
            r"\(.+ to .+\), (estimated|bounded: an estimate between its bounds|not resolved|pooled: .+)"
        )
    )
    for row, column in [(24, 24), (24, 32), (32, 24), (32, 32)]:
        wait_drawn(page, "image-overlay", (row / 64, column / 64))
    assert not drawn(page, "image-overlay", (0.75, 0.75))
    hover(page, "reconstruction", (0.5, 0.5))
    expect(tooltip).to_be_hidden()


def test_the_tooltip_says_the_value_of_the_cell(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    cell = int(scene.values.argmax())
    hover(page, "dyadic", middle(scene, cell))
    text = f"{scene.values[cell]:.4f}"  # three figures, as the colour bar writes its end
    expect(page.locator("[data-wcam=tooltip]")).to_contain_text(text)


def test_hovering_the_image_lights_up_the_cells_of_every_scale(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    hover(page, "image", (36.5 / 64, 20.5 / 64))
    over = [
        cell
        for cell, (top, left, bottom, right) in enumerate(scene.support)
        if top <= 36.5 < bottom and left <= 20.5 < right
    ]
    assert len(over) == len(scene.bands)
    for cell in over:
        wait_drawn(page, "dyadic-overlay", corner(scene, cell))
    assert not drawn(page, "dyadic-overlay", corner(scene, scene.cells_in("HH1")[63]))


def test_a_click_toggles_a_cell_and_shift_its_band(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    band = scene.cells_in("LH2")
    click(page, "dyadic", middle(scene, band[9]))
    wait_selection(page, [band[9]])
    expect(page.locator("[data-wcam=selection]")).to_have_text("Selected: LH2: 1 cell")
    click(page, "dyadic", middle(scene, band[9]), shift=True)
    wait_selection(page, band)
    expect(page.locator("[data-wcam=selection]")).to_have_text("Selected: LH2: all")
    click(page, "dyadic", middle(scene, band[9]))
    wait_selection(page, [cell for cell in band if cell != band[9]])
    click(page, "dyadic", middle(scene, band[9]), shift=True)
    click(page, "dyadic", middle(scene, band[9]), shift=True)
    wait_selection(page, [])


def test_a_click_is_painted_before_it_returns(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    wait_pixels(page, "reconstruction", scene.image)
    changed = page.evaluate(
        """() => {
          const [dyadic, rebuilt] = ["dyadic", "reconstruction"].map(name =>
            document.querySelector(`[data-wcam=${name}]`));
          const pixels = canvas =>
            canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const before = [dyadic, rebuilt].map(pixels);
          const box = dyadic.getBoundingClientRect();
          const at = { bubbles: true, pointerId: 1, isPrimary: true, button: 0,
                       clientX: box.left + 0.5 * box.width, clientY: box.top + 0.6 * box.height };
          dyadic.dispatchEvent(new PointerEvent("pointerdown", at));
          dyadic.dispatchEvent(new PointerEvent("pointerup", at));
          return [dyadic, rebuilt].map((canvas, n) =>
            pixels(canvas).some((byte, at) => byte !== before[n][at]));
        }"""
    )
    assert changed == [True, True]


def test_a_drag_takes_the_cells_it_touches(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    band = scene.cells_in("HH1")
    drag(page, "dyadic", middle(scene, band[9]), middle(scene, band[27]))
    wait_selection(page, [band[8 * row + column] for row in (1, 2, 3) for column in (1, 2, 3)])


def test_a_drag_on_the_image_takes_the_cells_inside(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    drag(page, "image", (15.6 / 64, 7.6 / 64), (32.3 / 64, 24.3 / 64))
    inside = [
        cell
        for cell, (top, left, bottom, right) in enumerate(scene.support)
        if top >= 16 and left >= 8 and bottom <= 32 and right <= 24
    ]
    assert len(inside) == 4 * len(scene.bands)
    wait_selection(page, inside)


def test_escape_gives_a_drag_up_and_then_clears(open_page: OpenPage, scene: Scene) -> None:
    band = scene.cells_in("HL1")
    page = open_page(state_of(scene, selection=band))
    start, end = middle(scene, scene.cells_in("HH1")[0]), middle(scene, scene.cells_in("HH1")[63])
    drag(page, "dyadic", start, end, drop=False)
    wait_drawn(page, "dyadic-overlay", (start[0], (start[1] + end[1]) / 2))
    page.keyboard.press("Escape")
    page.mouse.up()
    wait_selection(page, band)
    page.keyboard.press("Escape")
    wait_selection(page, [])


def test_undo_and_redo_by_key_and_button(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    first, second = scene.cells_in("HH2")[:2]
    expect(page.locator("[data-wcam=undo]")).to_be_disabled()
    click(page, "dyadic", middle(scene, first))
    click(page, "dyadic", middle(scene, second))
    wait_selection(page, [first, second])
    page.keyboard.press("Control+z")
    wait_selection(page, [first])
    page.locator("[data-wcam=undo]").click()
    wait_selection(page, [])
    page.keyboard.press("Control+Shift+z")
    wait_selection(page, [first])
    page.locator("[data-wcam=redo]").click()
    wait_selection(page, [first, second])
    page.locator("[data-wcam=clear]").click()
    wait_selection(page, [])
    page.keyboard.press("Control+z")
    wait_selection(page, [first, second])


def test_keys_outside_the_widget_are_left_alone(open_page: OpenPage, scene: Scene) -> None:
    band = scene.cells_in("HL1")
    page = open_page(state_of(scene, selection=band))
    page.evaluate("addEventListener('keydown', event => { globalThis.seen = event.key; })")
    page.keyboard.press("Escape")
    page.wait_for_function("() => globalThis.seen === 'Escape'")
    wait_selection(page, band)


def test_a_bar_of_the_profile_toggles_its_band(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    bar = page.locator("[data-wcam=profile-bar][data-band=LH3]")
    bar.click()
    wait_selection(page, scene.cells_in("LH3"))
    expect(bar).to_have_attribute("aria-pressed", "true")
    click(page, "dyadic", middle(scene, scene.cells_in("LH3")[0]))
    expect(bar).to_have_attribute("aria-pressed", "mixed")
    wait_pixels(page, "reconstruction", scene.rebuilt(scene.cells_in("LH3")[1:]))


def test_the_selection_is_copied_as_python(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, selection=[0, 1, 2, 3, 4, 9], mode="remove"))
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator("[data-wcam=copy]").click()
    expect(page.locator("[data-wcam=python]")).to_have_value(
        'explorer.selection, explorer.mode = [*range(0, 5), 9], "remove"'
    )


def test_a_double_click_shows_one_band_and_then_all_again(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    band = scene.cells_in("HL2")
    page.mouse.dblclick(*place(page, "dyadic", middle(scene, band[9])))
    expect(page.locator("[data-wcam=kinds]")).to_contain_text("only HL2 is shown")
    click(page, "dyadic", (0.5 / 8, 7.5 / 8))
    wait_selection(page, [band[7]])
    drag(page, "dyadic", (6.5 / 8, 0.5 / 8), (7.5 / 8, 1.5 / 8))
    wait_selection(page, [band[at] for at in (7, 48, 49, 56, 57)])
    page.keyboard.press("z")
    expect(page.locator("[data-wcam=kinds]")).not_to_contain_text("only")
    click(page, "dyadic", middle(scene, band[7]))
    wait_selection(page, [band[at] for at in (48, 49, 56, 57)])


def test_the_layout_of_the_transform_is_one_switch_away(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    canvas = page.locator("[data-wcam=dyadic]")
    page.locator("[data-wcam=packed]").click()
    expect(page.locator("[data-wcam=packed]")).to_have_attribute("aria-pressed", "true")
    expect(canvas).to_have_attribute("data-picture-height", "64")
    click(page, "dyadic", (0.75, 0.25))  # the lower left quarter of the packed picture is LH1
    (cell,) = selection(page)
    assert cell in scene.cells_in("LH1")
    page.locator("[data-wcam=equal]").click()
    expect(canvas).not_to_have_attribute("data-picture-height", "64")
    click(page, "dyadic", middle(scene, cell))
    wait_selection(page, [])


@pytest.mark.parametrize("layout", ["equal", "packed"])
def test_the_tooltip_never_covers_the_band_it_explains(
    open_page: OpenPage, scene: Scene, layout: str
) -> None:
    page = open_page(state_of(scene))
    page.locator(f"[data-wcam={layout}]").click()
    side = scene.image.shape[0]
    where, rows, columns = places(scene)
    if layout == "packed":
        where = {band.name: (band.top, band.left, band.side) for band in scene.bands}
        rows = columns = side
    for name, (top, left, extent) in where.items():
        for share in (0.1, 0.9):
            hover(page, "dyadic", ((top + share * extent) / rows, (left + share * extent) / columns))
            tooltip = page.locator("[data-wcam=tooltip]")
            expect(tooltip).to_contain_text(f"{name}: ")
            box = tooltip.bounding_box()
            assert box is not None
            x0, y0 = place(page, "dyadic", (top / rows, left / columns))
            x1, y1 = place(page, "dyadic", ((top + extent) / rows, (left + extent) / columns))
            apart = (
                box["x"] >= x1
                or box["x"] + box["width"] <= x0
                or box["y"] >= y1
                or box["y"] + box["height"] <= y0
            )
            assert apart, (name, box)


def test_marks_leave_the_colour_of_a_cell_in_sight(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    for kind in (1, 2):
        cell = int(np.flatnonzero(scene.kind == kind)[0])
        start, end = corner(scene, cell), lower_right(scene, cell)
        same = page.evaluate(
            """([y0, x0, y1, x1]) => {
              const canvas = document.querySelector("[data-wcam=dyadic]");
              const [top, left] = [Math.round(y0 * canvas.height), Math.round(x0 * canvas.width)];
              const [bottom, right] = [Math.round(y1 * canvas.height), Math.round(x1 * canvas.width)];
              const pen = canvas.getContext("2d");
              const {data} = pen.getImageData(left, top, right - left, bottom - top);
              const colours = new Uint32Array(data.buffer);
              const counts = new Map();
              for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
              return Math.max(...counts.values()) / colours.length;
            }""",
            [*start, *end],
        )
        assert same > 0.8  # of the cell's pixels have one colour
