"""A cell with an explorer, run again and again in a real JupyterLab: how soon, how many bytes, what stays."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from playwright.sync_api import Page, WebSocket

from tests.benchmarks.explorer_gestures import Times
from tests.browser.lab import MODELS, Lab, errors, finish, open_notebook, start

SETUP = """\
import torch
import wcam_widget as wcam
from tests.benchmarks.stand_in import classifier, photograph
"""
# From the command to run the cell to the frame in which the photograph stands there, and the first map.
FIRSTS = """async number => {
  const notebook = globalThis.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = number;
  const old = new Set(document.querySelectorAll(".wcam[data-wcam=root]"));
  const began = performance.now();
  globalThis.underWay = globalThis.jupyterapp.commands.execute("notebook:run-cell");
  const firsts = {};
  while (firsts.map === undefined) {
    await new Promise(requestAnimationFrame);
    const root = [...document.querySelectorAll(".wcam[data-wcam=root]")].find(one => !old.has(one));
    if (root === undefined) continue;
    const part = name => root.querySelector(`[data-wcam=${name}]`);
    if (part("image").width > 0) firsts.picture ??= performance.now() - began;
    if (part("method").textContent !== "") firsts.map = performance.now() - began;
  }
  return firsts;
}"""
ENDED = """() => {
  const root = document.querySelector(".wcam[data-wcam=root]");
  return root?.querySelector("[data-wcam=progress]").hidden;
}"""


@dataclass
class Wire:
    """Sizes of the messages that bring frames of a map, and of those that open a widget."""

    frames: list[int] = field(default_factory=list)
    openings: list[int] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note what comes over the sockets of a page."""
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._note)

    def _note(self, payload: str | bytes) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        if b"comm_open" in data and b"_picture" in data:
            self.openings.append(len(data))
        elif b"comm_msg" in data and b'"_frame"' in data:
            self.frames.append(len(data))


@dataclass(frozen=True)
class Runs:
    """What runs of one cell took: milliseconds, and bytes of messages."""

    picture: Times
    map: Times
    opening: float
    frame: float


def write_notebook(folder: Path, cells: list[str]) -> str:
    """A notebook of a cell with what all need, and one for each explorer; returns its name."""
    made = [nbformat.v4.new_code_cell(source) for source in (SETUP, *cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(
        nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), folder / "runs.ipynb"
    )
    return "runs.ipynb"


def open_and_prepare(page: Page, lab: Lab, notebook: str) -> None:
    """Open the notebook and run what all cells need."""
    open_notebook(page, lab, notebook)
    start(page, "notebook:run-cell")
    finish(page)


def run_often(page: Page, cell: int, times: int, wire: Wire) -> Runs:
    """Run one cell ``times`` times, each to the end of its explorer's run."""
    firsts = []
    wire.frames, wire.openings = [], []
    for _ in range(times):
        firsts.append(page.evaluate(FIRSTS, cell))
        finish(page)
        page.wait_for_function(ENDED)
        if errors(page):
            raise RuntimeError(f"cell {cell}: {errors(page)}")
    return Runs(
        Times.of([one["picture"] for one in firsts]),
        Times.of([one["map"] for one in firsts]),
        statistics.median(wire.openings),
        statistics.median(wire.frames),
    )


def left(page: Page) -> dict[str, float]:
    """What a notebook's page and its kernel hold once all garbage is gone."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    counts = session.send("Memory.getDOMCounters")
    heap = session.send("Runtime.getHeapUsage")
    session.detach()
    return {
        "heap": heap["usedSize"] / 1e6,
        "canvases": page.locator("canvas").count(),
        "nodes": counts["nodes"],
        "listeners": counts["jsEventListeners"],
        "models": page.evaluate(MODELS),
    }
