"""What axe-core finds in a page, in both themes and at all widths: nothing. And the reader's own settings."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.comparison_state import state_of_sides
from tests.browser.conftest import OpenPage
from tests.browser.gestures import wait_pixels
from tests.browser.scene import Scene, frame_bytes, score, state_of
from wcam_widget import Wcam, explore

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
WIDE: ViewportSize = {"width": 1440, "height": 900}
ENOUGH_RULES = 20  # fewer would mean that the widget was not looked at


def findings(page: Page) -> tuple[int, list[str]]:
    """How many rules the widget keeps, and what breaks one, with the place."""
    # Not a script element, which the page's own policy might refuse.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, list[dict[str, Any]]] = page.evaluate("axe.run('.wcam')")
    broken = [
        f"{rule['impact']}: {rule['id']} {node['html'][:120]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    return len(found["passes"]), broken


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 700, 400])
def test_axe_finds_nothing(open_page: OpenPage, scene: Scene, theme: str, width: int) -> None:
    kept = scene.cells_in("LH2")
    key = f"keep:{kept[0]}-{kept[-1]}"
    state = state_of(scene, theme=theme, selection=kept, _known={key: score(key)})
    page = open_page(state, context={"viewport": {"width": width, "height": 900}})
    wait_pixels(page, "reconstruction", scene.rebuilt(kept))
    kept_rules, broken = findings(page)
    assert not broken, "\n".join(broken)
    assert kept_rules >= ENOUGH_RULES


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("count", [2, 4])
def test_axe_finds_nothing_in_a_comparison(open_page: OpenPage, scene: Scene, theme: str, count: int) -> None:
    names = ["clean", "fog", "snow", "blur"][:count]
    page = open_page(state_of_sides(scene, names, theme=theme), context={"viewport": WIDE})
    kept_rules, broken = findings(page)
    assert not broken, "\n".join(broken)
    assert kept_rules >= ENOUGH_RULES


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_saved_page(browser: Browser, tmp_path: Path, theme: str) -> None:
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
    with explore(lambda images: images.mean((2, 3)), image, 0, Wcam(levels=2, grid=4)) as explorer:
        explorer.theme = theme
        explorer.wait()
        path = explorer.to_html(tmp_path / "page.html")
    context = browser.new_context(offline=True, viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    page.goto(path.as_uri())
    page.locator(f"[data-theme={theme}] [data-wcam=reconstruction]").wait_for()
    kept_rules, broken = findings(page)
    context.close()
    # The page's heading is of the first level and those of panes are of the third, as in a notebook.
    assert not [line for line in broken if "heading-order" not in line], "\n".join(broken)
    assert kept_rules >= ENOUGH_RULES


# What stands for the state of a control is seen: its colours differ from those of the others beside it.
TOGGLES = """() => [...document.querySelectorAll(".wcam-toggle")].map(toggle => {
  const colours = one => {
    const {color, backgroundColor} = getComputedStyle(one);
    return color + backgroundColor;
  };
  const [on] = toggle.querySelectorAll("[aria-checked=true], [aria-pressed=true]");
  const off = [...toggle.querySelectorAll("button")].filter(one => one !== on);
  return on !== undefined && off.every(one => colours(one) !== colours(on));
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours_keep_states_and_pictures(open_page: OpenPage, scene: Scene, theme: str) -> None:
    settings = {"forced_colors": "active", "color_scheme": theme}
    page = open_page(state_of(scene, theme="auto", selection=scene.cells_in("LH2")), context=settings)
    wait_pixels(page, "reconstruction", scene.rebuilt(scene.cells_in("LH2")))
    states = page.evaluate(TOGGLES)
    assert len(states) >= 3
    assert all(states)
    ground, bar, whisker, free, chosen = page.evaluate("""() => {
      const colour = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
      return [colour(".wcam", "backgroundColor"), colour(".wcam-total", "backgroundColor"),
              colour(".wcam-whisker", "borderTopColor"),
              colour("[data-band=HH1] > span", "borderBottomColor"),
              colour("[data-band=LH2] > span", "borderBottomColor")];
    }""")
    assert bar != whisker
    assert free == ground != chosen
    _, broken = findings(page)
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_more_contrast_leaves_no_quiet_text(open_page: OpenPage, scene: Scene, theme: str) -> None:
    page = open_page(state_of(scene, theme=theme), context={"contrast": "more"})
    quiet, ink = page.evaluate("""() => [".wcam-note", ".wcam"].map(
      selector => getComputedStyle(document.querySelector(selector)).color)""")
    assert quiet == ink
    _, broken = findings(page)
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_maps_fade_only_for_those_who_want_motion(open_page: OpenPage, scene: Scene, motion: str) -> None:
    """The frames that one new map is drawn in."""
    page = open_page(state_of(scene), profile="backbone", context={"reduced_motion": motion})
    other = base64.b64encode(frame_bytes(replace(scene, values=scene.values[::-1].copy()), rev=2)).decode()
    drawn = page.evaluate(
        """async frame => {
          const context = document.querySelector("[data-wcam=dyadic]").getContext("2d");
          const clear = context.clearRect.bind(context);
          let drawn = 0;
          context.clearRect = (...all) => { drawn++; clear(...all); };
          kernel.page.update({_frame: kernel.bytes(frame)});
          const began = performance.now();
          while (performance.now() - began < 1000) await new Promise(requestAnimationFrame);
          return drawn;
        }""",
        other,
    )
    assert drawn == 1 if motion == "reduce" else drawn > 1
    moving = page.evaluate("() => document.getAnimations().length")
    assert moving == 0


@pytest.mark.parametrize("status", ["waiting", "running", "error"])
def test_axe_finds_nothing_before_there_is_a_map(open_page: OpenPage, scene: Scene, status: str) -> None:
    run = {
        "state": status,
        "done": 0,
        "total": 9,
        "seconds": 0,
        "seconds_left": None,
        "message": "",
        "run": "",
    }
    state = state_of(scene, _frame="", _scores={}, _status={**run, "rev": 0})
    page = open_page(state, profile="lab")
    _, broken = findings(page)
    assert not broken, "\n".join(broken)
