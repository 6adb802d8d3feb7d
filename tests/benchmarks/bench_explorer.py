"""How quickly the explorer answers in Chromium, how many bytes it sends and saves, and what it leaves behind.

Gestures are made on the tests' own page over a real explorer's state; first pictures, messages and re-runs
are those of a real JupyterLab. The machine should do nothing else; its load is printed. In a minute or two:

    python tests/benchmarks/bench_explorer.py --sides 224 1024 --fine 224 --runs 5 --times 20
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, beside the package and the tests

from tests.benchmarks import stand_in
from tests.benchmarks.explorer_gestures import MEASURE, Times, live_state, measured
from tests.benchmarks.explorer_notebook import (
    Runs,
    Wire,
    left,
    open_and_prepare,
    run_often,
    write_notebook,
)
from tests.browser.lab import running_lab, window
from tests.browser.lifecycles import COUNTING, WIDGET, counted
from tests.browser.page import html
from tests.browser.scene import RUNNING, frame_bytes, make_scene, state_of
from tools import chromium
from wcam_widget import Derivative, WaveletGradient, Wcam, explore
from wcam_widget.explain import AbstractMethod
from wcam_widget.show.explorer.explorer import STATIC

FINE = 50_176  # cells: those of 224x224 with one for each coefficient
BANDS = 10  # of three levels
ROWS = 8
WARM_UP = 4  # runs before anything is counted


@dataclass(frozen=True)
class Case:
    """An image of ``side`` pixels, ``grid`` cells along a side of each band, or one for each coefficient."""

    side: int
    grid: int | None = 8

    @classmethod
    def fine(cls, side: int) -> Case:
        """At least ``FINE`` cells: the coarsest grid, or all coefficients where these are no more."""
        return cls(side, None if side**2 <= FINE else math.ceil(math.sqrt(FINE / BANDS)))

    @property
    def name(self) -> str:
        cells = self.side**2 if self.grid is None else BANDS * self.grid**2
        return f"{self.side}x{self.side}, {cells:,} cells"

    @property
    def source(self) -> str:
        """The method, as a program has it."""
        of_coefficients = "wcam.WaveletGradient()"
        return (
            of_coefficients if self.grid is None else f"wcam.Wcam(wcam.Derivative({ROWS}), grid={self.grid})"
        )

    @property
    def method(self) -> AbstractMethod:
        return WaveletGradient() if self.grid is None else Wcam(Derivative(ROWS), grid=self.grid)


@dataclass(frozen=True)
class PageFigures:
    """Gestures on one case, and what it weighs."""

    clicks: dict[str, Times]
    hovers: dict[str, Times]
    drag: dict[str, Times]
    state: int
    """bytes of all traits, as a notebook saves them"""
    report: int
    """bytes of a saved page, the code in it"""
    memory: float
    """megabytes of numbers and objects in a page with this explorer"""


def on_page(browser: Browser, case: Case, folder: Path, times: int) -> PageFigures:
    """Explain by the stand-in, show it on the tests' own page whose kernel never answers, and measure."""
    with explore(stand_in.classifier(), stand_in.photograph(case.side), method=case.method) as explorer:
        explorer.wait()
        state = live_state(explorer)
        report = explorer.to_html(folder / "saved.html").stat().st_size
    path = folder / "live.html"
    path.write_text(html(state, profile="backbone"), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(path.as_uri())
    page.locator("[data-wcam=retention-chart] path").first.wait_for()
    page.evaluate(MEASURE)
    memory = weight(page)
    figures = [measured(page, gesture, times) for gesture in ("clicks", "hovers", "drag")]
    page.close()
    return PageFigures(*figures, len(json.dumps(state)), report, memory)


def weight(page: Page) -> float:
    """Megabytes of objects and of arrays' numbers once all garbage is gone; canvases are not among them."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    session.detach()
    return (usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6


def cycles(browser: Browser, folder: Path, times: int) -> list[dict[str, float]]:
    """Counts before and after explorers were made and closed, on the tests' own page."""
    scene = make_scene()
    path = folder / "cycles.html"
    path.write_text(html(state_of(scene), profile="backbone"), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.evaluate(COUNTING)
    frame = base64.b64encode(frame_bytes(scene, rev=2)).decode()
    counts = []
    for rounds in (WARM_UP, times):
        page.evaluate(WIDGET, [rounds, RUNNING, frame])
        now = counted(page)
        counts.append(
            {"heap": weight(page), **{n: now[n] for n in ("canvases", "nodes", "jsEventListeners")}}
        )
    page.close()
    return counts


def cell_of(case: Case) -> str:
    """A notebook's cell that shows it."""
    return f"wcam.explore(classifier(), photograph({case.side}), method={case.source})"


def in_notebook(
    browser: Browser, cases: list[Case], folder: Path, runs: int, reruns: int
) -> tuple[dict[Case, Runs], list[dict[str, float]]]:
    """The first pictures of each case, and what re-runs of the first one leave."""
    (home := folder / "home").mkdir()
    (notebooks := folder / "notebooks").mkdir()
    name, wire = write_notebook(notebooks, [cell_of(case) for case in cases]), Wire()
    with running_lab(home, notebooks) as lab, window(browser, 1440, 900) as page:
        wire.listen(page)
        open_and_prepare(page, lab, name)
        counts = []
        for times in (WARM_UP, reruns):
            run_often(page, 1, times, wire)
            counts.append(left(page))
        figures = {case: run_often(page, at, runs, wire) for at, case in enumerate(cases, 1)}
    return figures, counts


def print_pages(browser: Browser, cases: list[Case], folder: Path, times: int) -> None:
    """Tables of gestures, a row as soon as it is known, and of sizes."""
    print(
        "\n| | click, reconstruction complete | click, work to its frame | hover, work to its frame "
        "| slider, work of a frame | slider, from frame to frame | click to frame, with the wait |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    figures = {}
    for case in cases:
        figures[case] = one = on_page(browser, case, folder, times)
        columns = [one.clicks["complete"], one.clicks["work"], one.hovers["work"]]
        columns += [one.drag["work"], one.drag["frame"], one.clicks["shown"]]
        print(f"| {case.name} | {' | '.join(map(str, columns))} |", flush=True)
    print("\n| | state saved | saved page | page's memory |\n|---|---|---|---|")
    for case, one in figures.items():
        sizes = f"{one.state / 1e3:,.0f} kB | {one.report / 1e3:,.0f} kB | {one.memory:.0f} MB"
        print(f"| {case.name} | {sizes} |", flush=True)


def print_runs(figures: dict[Case, Runs]) -> None:
    """Table of what a cell takes in JupyterLab."""
    print("\n| | cell to photograph | cell to first map | opening message | message of a frame |")
    print("|---|---|---|---|---|")
    for case, one in figures.items():
        sizes = f"{one.opening / 1e3:,.0f} kB | {one.frame / 1e3:,.0f} kB"
        print(f"| {case.name} | {one.picture} | {one.map} | {sizes} |")


def print_left(title: str, counts: list[dict[str, float]]) -> None:
    """Counts before and after, as a table of two rows."""
    names = list(counts[0])
    print(f"\n| {title} | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for when, one in zip(("before", "after"), counts, strict=True):
        values = [f"{one[name]:.1f} MB" if name == "heap" else f"{one[name]:.0f}" for name in names]
        print(f"| {when} | {' | '.join(values)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="*", default=[128, 224, 512, 1024], help="with 640 cells")
    parser.add_argument("--fine", type=int, nargs="*", default=[224, 1024], help=f"with {FINE} cells")
    parser.add_argument("--times", type=int, default=40, help="gestures of each kind")
    parser.add_argument("--runs", type=int, default=10, help="runs of each cell in JupyterLab; 0: none")
    parser.add_argument("--cycles", type=int, default=50, help="explorers made and closed, and re-runs")
    chosen = parser.parse_args()
    cases = [Case(side) for side in chosen.sides] + [Case.fine(side) for side in chosen.fine]
    print(f"Load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"Network: {stand_in.NAME}; {ROWS} rows. Milliseconds: median / 95th percentile")
    for name in ("widget.js", "standalone.js", "widget.css"):
        print(f"{name}: {(STATIC / name).stat().st_size / 1000:.1f} kB minified", flush=True)
    with sync_playwright() as player, tempfile.TemporaryDirectory() as place:
        browser = player.chromium.launch(executable_path=chromium.ensure(), args=list(chromium.FLAGS))
        folder = Path(place)
        print_pages(browser, cases, folder, chosen.times)
        print_left(f"{chosen.cycles} made and closed", cycles(browser, folder, chosen.cycles))
        if chosen.runs:
            runs, counts = in_notebook(browser, cases, folder, chosen.runs, chosen.cycles)
            print_runs(runs)
            print_left(f"{chosen.cycles} re-runs in JupyterLab", counts)
        browser.close()
    print(f"\nLoad of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
