"""What axe-core finds in a page: nothing serious, in both themes and at every width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.gestures import wait_pixels
from tests.browser.scene import Scene, score, state_of

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
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
