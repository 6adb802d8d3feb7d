"""The whole way once, in a real JupyterLab: a cell, a map, a click, an answer, a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page

from tests.browser.lab import (
    PATIENCE,
    ROOT,
    Lab,
    errors,
    finish,
    open_notebook,
    run_again,
    running_lab,
    start,
    wait_for_kernel,
)
from wcam_widget.demo import load_demo
from wcam_widget.explain import Wcam
from wcam_widget.show.pictures import photograph
from wcam_widget.show.questions import Inquiry, Question

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

NOTEBOOK = "quickstart.ipynb"
ASKED = 'print(f"selection={explorer.selection} mode={explorer.mode} kept={int(explorer.mask.sum())}")'
IMAGE, BAND = 6, "HL2"  # the quickstart's image; the band that is clicked

DIFFERENCE = """([selector, expected]) => {
  const canvas = document.querySelector(selector);
  const {width, height} = canvas;
  if (width * height * 3 !== expected.length) return 255;
  const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
  let worst = 0;
  for (let at = 0; at < width * height; at++)
    for (let c = 0; c < 3; c++)
      worst = Math.max(worst, Math.abs(data[4 * at + c] - expected[3 * at + c]));
  return worst;
}"""

COLOURS = """canvas => {
  if (!canvas?.width) return 0;
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab that shows a copy of the quickstart with one cell more, which tells the selection."""
    folder, home = tmp_path / "notebooks", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    notebook = nbformat.read(ROOT / "notebooks" / NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASKED))
    nbformat.write(notebook, folder / NOTEBOOK)
    with running_lab(home, folder) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own, in which animations are over at once."""
    context = browser.new_context(viewport={"width": 1500, "height": 1200}, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    context.close()


class Expected:
    """What torch says of the quickstart's image when one band is kept."""

    def __init__(self, band: str) -> None:
        model, images, labels, class_names = load_demo()
        probe = Wcam().probe(model, images[IMAGE], class_names[labels[IMAGE]])
        question = Question(tuple(probe.cells.in_band(band).tolist()), "keep")
        inquiry = Inquiry(probe)
        self.cells = list(question.selection)
        self.pixels = photograph(inquiry.rebuild(question))
        (self.answer,) = inquiry.answer([question])
        self.rectangle = next(one.rectangle for one in probe.cells.bands if one.name == band)
        self.picture_size = probe.basis.picture_size


def part(page: Page, name: str) -> Locator:
    return page.locator(f".wcam [data-wcam={name}]")


def wait_for_pixels(page: Page, name: str, expected: NDArray[np.uint8]) -> None:
    argument = [f".wcam [data-wcam={name}]", expected.ravel().tolist()]
    page.wait_for_function(f"a => ({DIFFERENCE})(a) <= 1", arg=argument)


def wait_for_scores(page: Page, answer: dict[str, object]) -> None:
    """Wait until the table shows this answer: three decimals of each probability, in both columns."""
    rows = [
        [one["label"], f"{one['original']:.3f}", f"{one['reconstruction']:.3f}"] for one in answer["classes"]
    ]
    page.wait_for_function(
        """wanted => {
          const table = document.querySelector(".wcam [data-wcam=scores][data-state=known]");
          if (!table) return false;
          const shown = [...table.querySelectorAll("[data-wcam=score-row]")].map(row =>
            [row.dataset.label, ...[...row.querySelectorAll("td")].slice(0, 2).map(td => td.textContent)]);
          const near = (a, b) => Math.abs(Number(a.replace("\\u2212", "-")) - Number(b)) < 0.0021;
          return wanted.every(([label, before, after]) =>
            shown.some(([name, a, b]) => name === label && near(a, before) && near(b, after)));
        }""",
        arg=rows,
    )


def shift_click_band(page: Page, expected: Expected) -> None:
    top, left, height, width = expected.rectangle
    canvas = part(page, "dyadic")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    rows, columns = expected.picture_size
    canvas.click(
        position={
            "x": (left + width / 2) / columns * box["width"],
            "y": (top + height / 2) / rows * box["height"],
        },
        modifiers=["Shift"],
    )


def test_the_quickstart_in_jupyterlab(lab: Lab, page: Page, tmp_path: Path) -> None:
    expected = Expected(BAND)
    open_notebook(page, lab, NOTEBOOK)
    start(page, "notebook:run-all-cells")

    # The map streams in while the notebook goes on.
    page.wait_for_function(f"() => ({COLOURS})(document.querySelector('.wcam [data-wcam=dyadic]')) > 50")
    part(page, "dyadic").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "streaming.png")
    finish(page)
    assert errors(page) == []
    assert part(page, "connection").get_attribute("data-state") == "live"

    # A click on a band: the image of what was clicked at once, what the model says of it a moment later.
    part(page, "clear").dispatch_event("click")  # nothing happens where nothing is selected
    part(page, "mode-keep").click()
    _, images, _, _ = load_demo()
    wait_for_pixels(page, "reconstruction", photograph(images[IMAGE]))
    shift_click_band(page, expected)
    wait_for_pixels(page, "reconstruction", expected.pixels)
    wait_for_scores(page, expected.answer)
    part(page, "dyadic").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "clicked.png")

    # The reader's selection, in Python.
    told = re.fullmatch(r"selection=\[(.*)\] mode=(\w+) kept=(\d+)\s*", run_again(page, -1))
    assert told is not None
    assert [int(cell) for cell in told[1].split(", ")] == expected.cells
    assert (told[2], int(told[3])) == ("keep", len(expected.cells))

    # Another window on the same kernel: the same state.
    start(page, "docmanager:save")
    finish(page)
    page.reload()
    wait_for_kernel(page)
    part(page, "reconstruction").wait_for(state="attached")
    wait_for_pixels(page, "reconstruction", expected.pixels)
    wait_for_scores(page, expected.answer)
    page.wait_for_function(
        "() => document.querySelector('.wcam [data-wcam=connection]').dataset.state === 'live'"
    )
    part(page, "dyadic").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "reloaded.png")
    assert run_again(page, -1) == told[0]
