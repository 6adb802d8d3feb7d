"""The layers over the image: chosen from a list, in colours and words of their own."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import click, wait_selection
from tests.browser.scene import Scene, state_of
from tests.browser.test_accessibility import findings
from wcam_widget.show.frame import encode

pytestmark = pytest.mark.browser

SIDE = 64


def maps() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A ramp from 0 to 1 along x, and one from -1 to 1 along y."""
    ramp = np.linspace(0.0, 1.0, SIDE, dtype=np.float32)
    return np.tile(ramp, (SIDE, 1)), np.tile(2 * ramp[:, None] - 1, (1, SIDE))


def layers(*, main: bool = False) -> dict[str, Any]:
    """The trait with both maps and one that failed."""
    names = ["Ramp", "Signed", "Broken"]
    entries = [
        {
            "name": name,
            "main": main and name == "Ramp",
            "error": "ValueError: no <b>layer</b>" if name == "Broken" else "",
            "details": "in <i>forward</i>\nValueError: no layer" if name == "Broken" else "",
            "drawn": name != "Broken",
            "method": f"{name} · conv (8x8)",
            "target": {"label": "astronaut", "score": 7.31},
            "unit": "activation",
            "signed": name == "Signed",
            "complete": True,
            "stop": "the map is computed",
        }
        for name in names
    ]
    image = {"height": SIDE, "width": SIDE}
    header = {"kind": "layers", "version": 1, "run": "run-1", "image": image, "layers": entries}
    sections = dict(zip(("map0", "map1"), maps(), strict=True))
    return {"_layers": base64.b64encode(encode(header, sections)).decode()}


def test_a_layer_is_chosen_drawn_and_told_to_the_kernel(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, **layers()), profile="backbone")
    select = page.locator("[data-wcam=layer]")
    assert select.locator("option").all_text_contents() == ["Wcam", "Ramp", "Signed", "Broken (failed)"]
    words = page.locator(".wcam-pane-image .wcam-colour-bar p")
    expect(words).to_contain_text("share of the score's variance")
    select.select_option("Signed")
    expect(words).to_have_text("activation, per pixel. Signed · conv (8x8): the map is computed")
    page.wait_for_function("() => kernel.saved.layer === 'Signed'")
    page.wait_for_function(
        """wanted => {
          const canvas = document.querySelector("[data-wcam=heat]");
          const pen = canvas.getContext("2d");
          return wanted.every(([row, colour]) => pen.getImageData(9, row, 1, 1).data.join() === colour);
        }""",
        arg=[[0, "11,83,148,255"], [SIDE - 1, "198,93,0,255"]],  # blue at -1, orange at 1
    )
    in_the_middle = page.evaluate(
        """row => {
          const canvas = document.querySelector("[data-wcam=heat]");
          return [...canvas.getContext("2d").getImageData(0, row, 1, 1).data];
        }""",
        SIDE // 2,
    )
    assert min(in_the_middle) > 245  # white around 0
    ticks = page.locator(".wcam-pane-image .wcam-colour-bar span")
    assert ticks.all_text_contents() == ["−1.00", "0", "1.00"]


def test_cells_stay_what_they_are_under_another_layer(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, layer="Ramp", **layers()))
    expect(page.locator("[data-wcam=layer]")).to_have_value("Ramp")
    coarse = scene.cells_in("A3")[0]
    over = [cell for cell in range(len(scene.cells)) if (scene.support[cell, :2] == 0).all()]
    assert coarse in over
    click(page, "image", (0.01, 0.01))
    wait_selection(page, over)


def test_a_layer_that_failed_says_why_and_as_text(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, layer="Broken", **layers()))
    expect(page.locator(".wcam-pane-image .wcam-colour-bar p")).to_have_text(
        "Broken gave no map: ValueError: no <b>layer</b>"
    )
    details = page.locator("[data-wcam=layer-details]")
    expect(details.locator("pre")).to_be_hidden()
    details.locator("summary").click()
    expect(details.locator("pre")).to_have_text("in <i>forward</i>\nValueError: no layer")
    blank = page.evaluate(
        "() => { const c = document.querySelector('[data-wcam=heat]');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.every(byte => byte === 0); }"
    )
    assert blank


def test_a_run_without_cells_of_its_own_shows_its_map(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, **layers(main=True)))
    options = page.locator("[data-wcam=layer] option").all_text_contents()
    assert options == ["Ramp", "Signed", "Broken (failed)"]
    expect(page.locator(".wcam-pane-image .wcam-colour-bar p")).to_contain_text("Ramp · conv (8x8)")


def test_there_is_no_list_where_there_is_nothing_to_choose(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    expect(page.locator("[data-wcam=layer]")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_beside_a_list_of_layers(open_page: OpenPage, scene: Scene, theme: str) -> None:
    page = open_page(state_of(scene, theme=theme, layer="Signed", **layers()))
    expect(page.locator("[data-wcam=layer]")).to_have_value("Signed")
    _, broken = findings(page)
    assert not broken, "\n".join(broken)
