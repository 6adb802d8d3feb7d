"""What a host's own styles may not do to the widget: fonts of its headings, backgrounds that lie."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.scene import Scene, state_of

pytestmark = pytest.mark.browser

SERIF = """<style>
h1, h2, h3, h4, h5, h6, button, table, th, td, p, summary, figcaption { font-family: "Host Serif", serif }
</style>"""
FONTS = """root => [...root.querySelectorAll("*")]
  .filter(one => getComputedStyle(one).fontFamily.includes("Host Serif"))
  .map(one => one.tagName + "." + one.className)"""
# A dark theme that says so, and one around an output that is white all the same, as VS Code has it.
GROUNDS = {
    "light": ("", "", "rgb(255, 255, 255)"),
    "dark": ("<style>body { background: #111 }</style>", 'data-jp-theme-light="false"', None),
    "forced white": (
        "<style>body { background: #111 } .host { background: white !important }</style>",
        'class="vscode-dark"',
        "rgb(255, 255, 255)",
    ),
}


def test_fonts_of_a_hosts_headings_and_tables_stay_outside(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), head=SERIF)
    assert page.locator("[data-wcam=root]").evaluate(FONTS) == []


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_background_is_that_of_the_place_and_not_of_the_theme_s_name(
    open_page: OpenPage, scene: Scene, ground: str
) -> None:
    head, body, expected = GROUNDS[ground]
    page = open_page(state_of(scene, theme="auto"), head=head, body=body)
    colours = "root => [getComputedStyle(root).backgroundColor, getComputedStyle(root).color]"
    background, ink = page.locator("[data-wcam=root]").evaluate(colours)
    lightness = [sum(map(int, one[4:-1].split(", "))) for one in (background, ink)]
    if expected is None:
        assert lightness[0] < 200 < lightness[1]
    else:
        assert background == expected
        assert lightness[1] < 300
