"""The whole way once, in a real JupyterLab: a cell, a map, a click, an answer, a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page

from tests.browser.gestures import WORST
from tests.browser.lab import (
    ROOT,
    Lab,
    errors,
    finish,
    open_notebook,
    run_again,
    start,
    wait_for_kernel,
    window,
)
from wcam_widget.demo import load_photos
from wcam_widget.explain import Wcam
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.frames import photograph
from wcam_widget.show.selection import Question
from wcam_widget.zoo import load_model

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

NOTEBOOK = "quickstart.ipynb"
ASKED = """\
mode, layer, kept = explorer.mode, explorer.layer, int(explorer.mask.sum())
print(f"selection={explorer.selection} {mode=!s} {kept=} {layer=!s}")
"""
TARGET, BAND, OTHER = "Egyptian cat", "HL2", "LH2"  # the quickstart's class; the bands that are clicked

COLOURS = """canvas => {
  if (!canvas?.width) return 0;
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.fixture
def quickstart(lab: Lab) -> None:
    """A copy of the quickstart with one cell more, which tells the selection."""
    notebook = nbformat.read(ROOT / "notebooks" / NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASKED))
    nbformat.write(notebook, lab.folder / NOTEBOOK)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with window(browser, 1500, 1200) as opened:
        yield opened


class Expected:
    """What torch says of the quickstart's image when some cells are kept."""

    def __init__(self) -> None:
        model = load_model("efficientnet-lite0")
        self.image = model.fit(load_photos()["cat"])
        self.probe = Wcam().probe(model, self.image, TARGET)
        self.inquiry = Inquiry(self.probe)
        self.band = self.probe.cells.in_band(BAND).tolist()
        self.cell = int(self.probe.cells.in_band(OTHER)[27])

    def pixels(self, cells: list[int]) -> NDArray[np.uint8]:
        return photograph(self.inquiry.rebuild(Question(tuple(sorted(cells)), "keep")))

    def answer(self, cells: list[int]) -> dict[str, Any]:
        (answer,) = self.inquiry.answer([Question(tuple(sorted(cells)), "keep")])
        return answer

    def middle(self, cells: list[int]) -> tuple[float, float]:
        """The middle of some cells in the packed picture, as fractions (y, x)."""
        corners = self.probe.cells.rectangles[cells]
        rows, columns = self.probe.basis.picture_size
        middles = corners[:, 1:3] + corners[:, 3:5] / 2
        y, x = middles.mean(0)
        return float(y / rows), float(x / columns)


def part(page: Page, name: str) -> Locator:
    return page.locator(f".wcam [data-wcam={name}]")


def wait_for_pixels(page: Page, name: str, expected: NDArray[np.uint8]) -> None:
    argument = [f".wcam [data-wcam={name}]", expected.ravel().tolist()]
    page.wait_for_function(
        f"([selector, wanted]) => ({WORST})(document.querySelector(selector), wanted) <= 1", arg=argument
    )


def wait_for_scores(page: Page, answer: dict[str, Any]) -> None:
    """Wait until the table shows this answer, in both columns: probabilities have two decimals there."""
    rows = [[one["label"], one["original"], one["reconstruction"]] for one in answer["classes"]]
    page.wait_for_function(
        """wanted => {
          const table = document.querySelector(".wcam [data-wcam=scores][data-state=known]");
          if (!table) return false;
          const shown = [...table.querySelectorAll("[data-wcam=score-row]")].map(row =>
            [row.dataset.label, ...[...row.querySelectorAll("td")].slice(0, 2).map(td => td.textContent)]);
          const near = (a, b) => Math.abs(Number(a.replace("\\u2212", "-")) - b) < 0.0061;
          return wanted.every(([label, before, after]) =>
            shown.some(([name, a, b]) => name === label && near(a, before) && near(b, after)));
        }""",
        arg=rows,
    )


def wait_until_live(page: Page) -> None:
    """Wait until no question is open: while a cell runs on a slow machine the kernel may well seem busy."""
    page.wait_for_function(
        "() => document.querySelector('.wcam [data-wcam=connection]').dataset.state === 'live'"
    )


def click_dyadic(page: Page, at: tuple[float, float], *, shift: bool = False) -> None:
    canvas = part(page, "dyadic")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    # A little off the middle: there a band's four inner cells meet.
    position = {"x": at[1] * box["width"] + 2, "y": at[0] * box["height"] + 2}
    canvas.click(position=position, modifiers=["Shift"] if shift else [])


@pytest.mark.usefixtures("quickstart")
def test_the_quickstart_in_jupyterlab(lab: Lab, page: Page, tmp_path: Path) -> None:
    expected = Expected()
    open_notebook(page, lab, NOTEBOOK)
    start(page, "notebook:run-all-cells")

    # The map streams in while the notebook goes on.
    page.wait_for_function(f"() => ({COLOURS})(document.querySelector('.wcam [data-wcam=dyadic]')) > 50")
    part(page, "dyadic").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "streaming.png")
    finish(page)
    assert errors(page) == []
    wait_until_live(page)

    # Shift-click a band: the image of what was clicked, and what the model says of it.
    part(page, "clear").dispatch_event("click")  # nothing happens where nothing is selected
    part(page, "mode-keep").click()
    wait_for_pixels(page, "reconstruction", photograph(expected.image))
    part(page, "packed").click()  # where cells stand as the transform packs them
    click_dyadic(page, expected.middle(expected.band), shift=True)
    wait_for_pixels(page, "reconstruction", expected.pixels(expected.band))
    wait_for_scores(page, expected.answer(expected.band))

    # Click one cell more: nobody has asked this before, so the kernel is asked.
    chosen = sorted([*expected.band, expected.cell])
    click_dyadic(page, expected.middle([expected.cell]))
    wait_for_pixels(page, "reconstruction", expected.pixels(chosen))
    wait_for_scores(page, expected.answer(chosen))
    part(page, "dyadic").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "clicked.png")

    # The reader's selection, in Python.
    # The layer that the notebook added, put over the image: chosen here, known there.
    part(page, "layer").select_option("GradCam")
    words = page.locator(".wcam .wcam-pane-image .wcam-colour-bar p")
    words.filter(has_text="GradCam: weighted activation").wait_for()
    page.screenshot(path=tmp_path / "layer.png")
    told = re.fullmatch(r"selection=\[(.*)\] mode=(\w+) kept=(\d+) layer=(\w+)\s*", run_again(page, -1))
    assert told is not None
    assert told[4] == "GradCam"
    assert [int(cell) for cell in told[1].split(", ")] == chosen
    assert (told[2], int(told[3])) == ("keep", len(chosen))

    # Another window on the same kernel: the same state.
    start(page, "docmanager:save")
    finish(page)
    page.reload()
    wait_for_kernel(page)
    part(page, "reconstruction").wait_for(state="attached")
    wait_for_pixels(page, "reconstruction", expected.pixels(chosen))
    wait_for_scores(page, expected.answer(chosen))
    wait_until_live(page)
    assert part(page, "layer").input_value() == "GradCam"
    part(page, "dyadic").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "reloaded.png")
    assert run_again(page, -1) == told[0]
