"""An explorer among the other cells of a real JupyterLab: keys, restarts, re-runs, and notebooks reopened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browser.lab import (
    MODELS,
    PATIENCE,
    Lab,
    errors,
    finish,
    open_notebook,
    run_again,
    start,
    wait_for_kernel,
    window,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

CELLS = [
    """\
import torch
import wcam_widget as wcam

image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
""",
    """\
method = wcam.Wcam(levels=2, grid=2)
explorer = wcam.explore(lambda images: images.mean((2, 3)), image, method=method)
explorer.wait()
explorer
""",
    "first = 1",
    "second = 2",
]
EXPLORER = 1  # the cell that shows it

# How the notebook stands: its cells' text, which of them are selected, and its mode.
NOTEBOOK = """() => {
  const notebook = globalThis.jupyterapp.shell.currentWidget.content;
  return [
    notebook.widgets.map(cell => cell.model.sharedModel.getSource()),
    notebook.widgets.filter(cell => notebook.isSelectedOrActive(cell)).length,
    notebook.mode,
  ];
}"""


@pytest.fixture
def notebook(lab: Lab, request: pytest.FixtureRequest) -> str:
    """A small notebook of a test's own."""
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python})
    name = f"{request.node.name}.ipynb"
    nbformat.write(made, lab.folder / name)
    return name


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE * 1000)
    with window(browser, 1400, 1000) as opened:
        yield opened
    expect.set_options(timeout=5000)


def part(page: Page, name: str) -> Locator:
    return page.locator(f".wcam [data-wcam={name}]")


def chip(page: Page) -> Locator:
    return part(page, "connection")


def run_all(page: Page, lab: Lab, notebook: str) -> None:
    """Open the notebook, run it, and wait until its explorer is live."""
    open_notebook(page, lab, notebook)
    start(page, "notebook:run-all-cells")
    finish(page)
    assert errors(page) == []
    expect(chip(page)).to_have_attribute("data-state", "live")


def test_gestures_and_keys_leave_the_notebook_alone(lab: Lab, notebook: str, page: Page) -> None:
    run_all(page, lab, notebook)
    # Something the notebook could undo, and another cell that is active.
    page.evaluate(
        """() => {
          const notebook = globalThis.jupyterapp.shell.currentWidget.content;
          notebook.activeCellIndex = notebook.widgets.length - 1;
        }"""
    )
    start(page, "notebook:move-cell-up")
    finish(page)
    before, _, _ = page.evaluate(NOTEBOOK)
    dyadic = part(page, "dyadic")
    dyadic.scroll_into_view_if_needed()
    dyadic.click(position={"x": 20, "y": 20}, modifiers=["Shift"])
    expect(part(page, "selection")).to_contain_text("Selected")
    assert page.evaluate(NOTEBOOK) == [before, 1, "command"]
    for place in ["dyadic", "clear", "mode-keep"]:
        if place != "dyadic":
            part(page, place).click(modifiers=["Shift"])
        for key in ["z", "d", "d", "a", "b", "x", "v", "y", "m", "Escape", "ArrowDown", "Control+z", "Enter"]:
            page.keyboard.press(key)
    assert page.evaluate(NOTEBOOK) == [before, 1, "command"]
    focused = "() => document.activeElement.closest('.wcam') !== null"
    assert page.evaluate(focused)


def test_a_restarted_kernel_is_gone(lab: Lab, notebook: str, page: Page) -> None:
    run_all(page, lab, notebook)
    page.evaluate(
        "() => { globalThis.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )
    expect(chip(page)).to_have_text("The kernel is gone: run the cell again")
    expect(part(page, "cancel")).to_be_hidden()
    # What needs no kernel goes on, and nothing waits for an answer.
    part(page, "dyadic").click(position={"x": 20, "y": 20}, modifiers=["Shift"])
    expect(part(page, "selection")).to_contain_text("Selected")
    expect(part(page, "scores")).not_to_have_attribute("data-state", "asking")
    page.screenshot(path=lab.folder.parent / "gone.png")
    start(page, "notebook:run-all-cells")
    finish(page)
    expect(chip(page)).to_have_attribute("data-state", "live")


def test_a_kernel_that_works_is_busy_and_not_gone(lab: Lab, notebook: str, page: Page) -> None:
    run_all(page, lab, notebook)
    assert run_again(page, -1) == ""
    page.evaluate(
        """() => {
          const kernel = globalThis.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          kernel.requestExecute({code: "import time\\nend = time.monotonic() + 8\\n"
            + "while time.monotonic() < end: sum(range(1000))"});
          globalThis.states = new Set();
          globalThis.watch = new MutationObserver(() =>
            states.add(document.querySelector(".wcam [data-wcam=connection]").dataset.state));
          watch.observe(document.querySelector(".wcam [data-wcam=connection]"), {attributes: true});
        }"""
    )
    page.wait_for_function(
        "() => globalThis.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    )
    page.wait_for_function(
        "() => globalThis.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    assert "lost" not in page.evaluate("() => [...states]")
    expect(chip(page)).to_have_attribute("data-state", "live")


def test_a_notebook_reopened_without_its_kernel_shows_the_picture(
    lab: Lab, notebook: str, page: Page
) -> None:
    run_all(page, lab, notebook)
    words, picture = page.locator(".wcam-still"), page.locator(".jp-RenderedImage img")
    expect(part(page, "dyadic")).to_be_visible()
    expect(words).to_be_hidden()
    expect(picture).to_be_hidden()
    page.screenshot(path=lab.folder.parent / "live.png")
    # Another target, from another cell: the picture follows, and the view stays the one it is.
    page.locator(".wcam[data-wcam=root]").evaluate("root => { root.mine = true; }")
    old = picture.get_attribute("src")
    page.evaluate(
        """() => {
          const kernel = globalThis.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const code = "explorer.target = (explorer.target + 1) % 3";
          return kernel.requestExecute({code}).done.then(() => true);
        }"""
    )
    expect(picture).not_to_have_attribute("src", old or "")
    root = page.locator(".wcam[data-wcam=root]")
    expect(root).to_have_count(1)
    assert root.evaluate("root => root.mine")
    expect(words).to_be_hidden()
    expect(picture).to_be_hidden()
    start(page, "docmanager:save")
    finish(page)
    page.evaluate("() => globalThis.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.reload()
    expect(words).to_be_visible()
    expect(picture).to_be_visible()
    assert picture.get_attribute("src") != old
    error = page.get_by_text("Error displaying widget")
    error.wait_for(state="attached")
    expect(error).to_be_hidden()
    page.screenshot(path=lab.folder.parent / "reopened.png")


def test_a_cell_run_again_leaves_one_view(lab: Lab, notebook: str, page: Page) -> None:
    run_all(page, lab, notebook)
    for _ in range(3):
        assert run_again(page, EXPLORER) == ""
    expect(page.locator(".wcam[data-wcam=root]")).to_have_count(1)
    page.wait_for_function(f"async () => (await ({MODELS})()) === 2")  # the explorer and its layout


def test_a_page_that_is_reloaded_and_a_second_tab_show_the_same_explorer(
    lab: Lab, notebook: str, page: Page, browser: Browser
) -> None:
    run_all(page, lab, notebook)
    before = page.evaluate(MODELS)
    start(page, "docmanager:save")
    finish(page)
    show_again(page, page.url)
    expect(chip(page)).to_have_attribute("data-state", "live")
    with window(browser, 1400, 1000) as second:
        show_again(second, lab.url(notebook))
        expect(chip(second)).to_have_attribute("data-state", "live")
        part(second, "dyadic").click(position={"x": 20, "y": 20}, modifiers=["Shift"])
        expect(part(page, "selection")).to_contain_text("Selected")
        expect(part(page, "scores")).to_have_attribute("data-state", "known")
    part(page, "clear").click()
    expect(part(page, "scores")).to_have_attribute("data-state", "known")
    expect(chip(page)).to_have_attribute("data-state", "live")
    expect(page.locator(".wcam[data-wcam=root]")).to_have_count(1)
    assert page.evaluate(MODELS) == before


def test_a_view_beside_the_notebook_is_one_more_of_the_same_explorer(
    lab: Lab, notebook: str, page: Page
) -> None:
    run_all(page, lab, notebook)
    page.evaluate(
        f"() => {{ globalThis.jupyterapp.shell.currentWidget.content.activeCellIndex = {EXPLORER}; }}"
    )
    start(page, "notebook:create-output-view")
    finish(page)
    roots = page.locator(".wcam[data-wcam=root]")
    expect(roots).to_have_count(2)
    dyadic = roots.last.locator("[data-wcam=dyadic]")
    dyadic.click(position={"x": 20, "y": 20}, modifiers=["Shift"])
    for at in range(2):
        expect(roots.nth(at).locator("[data-wcam=selection]")).to_contain_text("Selected")
        expect(roots.nth(at).locator("[data-wcam=scores]")).to_have_attribute("data-state", "known")
    start(page, "application:close")
    finish(page)
    expect(roots).to_have_count(1)
    part(page, "clear").click()
    expect(part(page, "scores")).to_have_attribute("data-state", "known")
    expect(chip(page)).to_have_attribute("data-state", "live")


def show_again(page: Page, address: str) -> None:
    """Open the notebook of a kernel that goes on; the lab gives it four seconds to name its widgets."""
    for _ in range(3):  # on a machine with other work they may not do
        page.goto(address)
        wait_for_kernel(page)
        with suppress(PlaywrightTimeoutError):
            chip(page).wait_for(timeout=30_000)
            return
