"""More rows of the selected cells: the price beside that of all, what is sent, and why there is none."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.scene import RUNNING, Scene, score, state_of

pytestmark = pytest.mark.browser

DONE = {
    **RUNNING,
    "state": "done",
    "stop": "Stopped: all rows are done.",
    "more": "Run deeper: about 25 s more",
}
HOSTILE = "<img src=x onerror=alert(1)>"


def part(page: Page, name: str):
    return page.locator(f"[data-wcam={name}]")


def take(page: Page, method: str) -> dict[str, object]:
    """Wait for a request and take it out of the others."""
    page.wait_for_function("method => kernel.questions.some(each => each.method === method)", arg=method)
    return page.evaluate(
        """method => {
          const at = kernel.questions.findIndex(each => each.method === method);
          globalThis.taken = kernel.questions.splice(at, 1)[0];
          return taken.params;
        }""",
        method,
    )


def respond(page: Page, result: object) -> None:
    page.evaluate(
        "result => kernel.page.message({t: 'res', id: taken.id, client: taken.client, result})", result
    )


def selected(open_page: OpenPage, scene: Scene, cells: list[int]) -> Page:
    """A page of a run that has ended, whose kernel knows prices, with some cells selected."""
    known = score(f"keep:{cells[0]}-{cells[-1]}")
    state = state_of(scene, _status=DONE, _known={known["key"]: known, "all": score("all")})
    page = open_page(state, profile="backbone")
    page.evaluate("() => { kernel.prices = true; }")
    page.evaluate("ids => kernel.page.update({selection: ids})", cells)
    return page


def test_the_selected_cells_have_a_price_beside_that_of_all(open_page: OpenPage, scene: Scene) -> None:
    page = selected(open_page, scene, [3, 4, 5])
    these, why = part(page, "more-selected"), part(page, "more-reason")
    expect(these).to_be_hidden()
    assert take(page, "price") == {"cells": [3, 4, 5]}
    respond(page, {"words": "Run these 3 cells deeper: about 2 s more"})
    expect(these).to_have_text("Run these 3 cells deeper: about 2 s more")
    expect(part(page, "more")).to_have_text("Run deeper: about 25 s more")
    expect(why).to_be_hidden()
    these.click()
    expect(these).to_have_attribute("aria-disabled", "true")
    assert take(page, "more") == {"cells": [3, 4, 5]}
    respond(page, None)
    update = "status => kernel.page.update({_status: status})"
    page.evaluate(update, {**RUNNING, "done": 70})
    expect(these).to_be_hidden()
    stop = "Stopped: all rows are done: 2 of the 3 chosen cells are known to half of their value."
    page.evaluate(update, {**DONE, "stop": stop})
    expect(part(page, "stop")).to_have_text(stop)
    take(page, "price")  # asked anew: it is another price now
    # A selection that changes takes the old price away, and its late answer is of no interest.
    page.evaluate("ids => kernel.page.update({selection: ids})", [])
    respond(page, {"words": "Run these 3 cells deeper: about 4 s more"})
    expect(these).to_be_hidden()
    part(page, "more").click()
    assert take(page, "more")["cells"] is None


def test_why_the_selection_cannot_go_deeper_is_said_beside_all(open_page: OpenPage, scene: Scene) -> None:
    page = selected(open_page, scene, [7])
    take(page, "price")
    page.evaluate("message => kernel.refuse(taken, message)", f"every row of {HOSTILE} is of all cells")
    expect(part(page, "more-reason")).to_have_text(
        f"The selection alone cannot go deeper: every row of {HOSTILE} is of all cells"
    )
    expect(part(page, "more-selected")).to_be_hidden()
    expect(part(page, "more")).to_be_visible()
    assert page.locator(".wcam img").count() == 0
