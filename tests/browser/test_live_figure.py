"""The explorer as a figure under ipympl, once in a real JupyterLab: it grows, and a click asks the model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.lab import PATIENCE, Lab, errors, open_notebook, run_again, window

pytest.importorskip("ipympl")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

CELLS = [
    """\
%matplotlib widget
import wcam_widget as wcam

model, images, labels, names = wcam.load_demo()
shown = wcam.live(model, images[0], method=wcam.Wcam(wcam.Sobol(rows=4)))
""",
    "print(shown._drawn.get('map', 0))",
    """\
import json
place = shown._board.scale.transData.transform((8.0, 8.0)) / shown.figure.bbox.size
print(json.dumps([shown.interactive, *place]))
""",
    "print(json.dumps([shown.selection, shown._board.rebuilt.get_xlabel()]))",
    "shown.close()",
]
CANVAS = ".jupyter-matplotlib-canvas-container canvas"


def until(page: Page, cell: int, done: Callable[[str], bool]) -> str:
    """What a cell prints, once it is what is waited for."""
    for _ in range(2 * PATIENCE):
        if done(text := run_again(page, cell)):
            return text
        page.wait_for_timeout(500)
    raise TimeoutError(text)


def test_the_figure_grows_and_answers_clicks(lab: Lab, browser: Browser) -> None:
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python}), lab.folder / "live.ipynb"
    )
    with window(browser, 1400, 1000) as page:
        open_notebook(page, lab, "live.ipynb")
        run_again(page, 0)
        canvas = page.locator(CANVAS).last
        canvas.wait_for()
        until(page, 1, lambda text: int(text) > 0)  # drawn by the figure's own timer, while no cell runs
        interactive, across, up = json.loads(run_again(page, 2))
        assert interactive
        box = canvas.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"])
        text = until(page, 3, lambda text: " to " in text)
        selection, words = json.loads(text)
        assert len(selection) == 1
        assert "asking" not in words
        if folder := os.environ.get("WCAM_SCREENSHOTS"):
            page.wait_for_timeout(5000)
            page.screenshot(path=Path(folder) / "live_figure.png")
        run_again(page, 4)
        assert errors(page) == []
