"""Record the explorer in JupyterLab: a moving picture, and a still whose parts are numbered.

Usage: python tools/record_explorer.py [FOLDER]. EfficientNet-Lite0 looks at the cat; the map streams in, the
mouse points at an eye and at a cell, keeps the eye alone, then the coarse image alone, then everything else.
Every score comes from the kernel. Writes `explorer.webp` and `legend.webp`, by default into docs/pictures.
WCAM_FRAMES names a folder for the single frames.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import nbformat
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, sync_playwright

# Run as a script, this folder is on the path, and the checkout's root is not.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.lab import errors, finish, open_notebook, run_again, running_lab, start, window
from tools import chromium

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LARGEST = 1_000_000  # bytes of the moving picture

CELLS = (
    """
    import wcam_widget as wcam

    model = wcam.load_model("efficientnet-lite0")
    image = model.fit(wcam.load_photos()["cat"])
    """,
    """
    explorer = wcam.explore(model, image, "Egyptian cat", wcam.Wcam(wcam.Derivative(rows=32)))
    explorer
    """,
    "_ = explorer.wait()",
)

# Where things are on the photograph and in the dyadic view, as fractions (x, y).
EYE = (0.31, 0.37)
AROUND_THE_EYE = ((0.08, 0.08), (0.59, 0.55))
CELL = (0.15, 0.11)  # in the coarse image A3, above the others
HALF = (0.1, 0.07)  # elsewhere in it

POINTER = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))
PARTS = ("target", "pane-image", "pane-dyadic", "pane-profile", "pane-reconstruction", "pane-scores")


@dataclass
class Recording:
    """Frames of one element of a page, with a pointer drawn where the mouse is."""

    page: Page
    at: tuple[float, float] = (-30.0, -30.0)
    frames: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)

    def shoot(self, milliseconds: int, *, pressed: bool = False) -> None:
        """Add one frame; one that repeats the last makes that one longer."""
        frame = photograph(self.page)
        x, y = (place - corner for place, corner in zip(self.at, corner_of(self.page), strict=True))
        pen = ImageDraw.Draw(frame)
        if pressed:
            pen.ellipse((x - 12, y - 12, x + 12, y + 12), outline="#e8590c", width=3)
        pen.polygon([(x + dx, y + dy) for dx, dy in POINTER], fill="white", outline="black")
        if self.frames and frame.tobytes() == self.frames[-1].tobytes():
            self.milliseconds[-1] += milliseconds
        else:
            self.frames.append(frame)
            self.milliseconds.append(milliseconds)

    def move(self, to: tuple[float, float], steps: int = 5) -> None:
        """Lead the mouse to a place of the page."""
        start_x, start_y = self.at
        for step in range(1, steps + 1):
            share = step / steps
            self.at = (start_x + share * (to[0] - start_x), start_y + share * (to[1] - start_y))
            self.page.mouse.move(*self.at)
            self.settle(60)
            self.shoot(70)

    def settle(self, milliseconds: int = 400) -> None:
        """Let the page draw."""
        self.page.wait_for_timeout(milliseconds)

    def hold(self, milliseconds: int) -> None:
        """Show what is there for a while."""
        self.settle()
        self.shoot(milliseconds)

    def click(self, to: tuple[float, float], *, shift: bool = False) -> None:
        """Go to a place and click it, with the scores that follow from it."""
        self.move(to)
        self.shoot(250, pressed=True)
        self.page.mouse.click(*to) if not shift else shift_click(self.page, to)
        self.wait_for_scores()

    def wait_for_scores(self) -> None:
        """Wait until the kernel has answered."""
        self.settle(300)
        self.page.locator("[data-wcam=scores][data-state=known]").first.wait_for()

    def save(self, path: Path) -> None:
        """Write an animated WebP that runs for ever; ValueError where it is too large."""
        width, height = (max(sides) for sides in zip(*(frame.size for frame in self.frames), strict=True))
        first, *others = (padded(frame, width, height) for frame in self.frames)
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self.milliseconds,
            loop=0,
            quality=60,
            method=4,
        )
        if (size := path.stat().st_size) > LARGEST:
            raise ValueError(f"{path.name} has {size} bytes; {LARGEST} are accepted")


def padded(frame: Image.Image, width: int, height: int) -> Image.Image:
    """The frame on white, as wide and high as the largest: the explorer grows while it streams."""
    sheet = Image.new("RGB", (width, height), "white")
    sheet.paste(frame)
    return sheet


def shift_click(page: Page, to: tuple[float, float]) -> None:
    """Click with the Shift key held down."""
    page.keyboard.down("Shift")
    page.mouse.click(*to)
    page.keyboard.up("Shift")


def box_of(page: Page, name: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of a part of the explorer."""
    box = page.locator(f"[data-wcam={name}]").first.bounding_box()
    if box is None:
        raise RuntimeError(f"the explorer shows no {name}")
    return box["x"], box["y"], box["width"], box["height"]


def corner_of(page: Page) -> tuple[float, float]:
    """The upper left corner of the explorer on the page."""
    return box_of(page, "root")[:2]


def place(page: Page, name: str, fractions: tuple[float, float]) -> tuple[float, float]:
    """A place on the page, given as fractions of a part of the explorer."""
    left, top, width, height = box_of(page, name)
    return left + fractions[0] * width, top + fractions[1] * height


def photograph(page: Page) -> Image.Image:
    """The explorer as it looks now."""
    left, top, width, height = box_of(page, "root")
    shot = page.screenshot(clip={"x": left, "y": top, "width": width, "height": height})
    return Image.open(BytesIO(shot)).convert("RGB")


def numbered(page: Page) -> Image.Image:
    """The explorer with a number on each of its parts."""
    picture = photograph(page)
    corner = corner_of(page)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(11)
    for number, name in enumerate(PARTS, 1):
        left, top, _, _ = box_of(page, name)
        x, y = left - corner[0] - 9, top - corner[1] + 10
        pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill="#c92a2a")
        pen.text((x, y), str(number), fill="white", font=font, anchor="mm")
    return picture


@contextmanager
def notebook_in_lab() -> Iterator[Page]:
    """A window of JupyterLab on the notebook, its sidebar closed, nothing run yet."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home) / "notebooks"
        folder.mkdir()
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(dedent(source).strip()) for source in CELLS],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, folder / "cat.ipynb")
        browser = playwright.chromium.launch(executable_path=chromium.ensure(), args=list(chromium.FLAGS))
        with running_lab(Path(home), folder) as lab, window(browser, 1180, 1300) as page:
            open_notebook(page, lab, "cat.ipynb")
            page.evaluate("() => globalThis.jupyterapp.shell.collapseLeft()")
            yield page
        browser.close()


def stream(page: Page, recording: Recording) -> None:
    """Run the notebook; the frames of its map as it grows."""
    run_again(page, 0)
    run_again(page, 1)
    page.locator("[data-wcam=dyadic]").first.wait_for()
    page.evaluate("() => { globalThis.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
    start(page, "notebook:run-cell")
    page.evaluate("() => { globalThis.underWay.then(() => { globalThis.over = true; }); }")
    while not page.evaluate("() => globalThis.over === true"):
        recording.settle(2000)
        recording.shoot(400)
    finish(page)
    if failures := errors(page):
        raise RuntimeError("; ".join(failures))


def gestures(page: Page, recording: Recording) -> None:
    """Point, keep the eye, keep the coarse image, take it away."""
    recording.hold(1200)
    recording.move(place(page, "image", EYE))
    recording.hold(1600)
    recording.move(place(page, "dyadic", CELL))
    recording.hold(1600)
    first, last = (place(page, "image", corner) for corner in AROUND_THE_EYE)
    recording.move(first)
    page.mouse.down()
    recording.move(last, 4)
    page.mouse.up()
    recording.wait_for_scores()
    recording.hold(2600)
    page.keyboard.press("Escape")
    recording.settle(800)
    recording.click(place(page, "dyadic", HALF), shift=True)
    recording.hold(2600)
    recording.click(place(page, "mode-remove", (0.5, 0.5)))
    recording.hold(3000)


def main(folder: Path) -> None:
    """Record and write; where the files are is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    with notebook_in_lab() as page:
        recording = Recording(page)
        stream(page, recording)
        numbered(page).save(folder / "legend.webp", quality=80, method=4)
        gestures(page, recording)
    if kept := os.environ.get("WCAM_FRAMES"):
        for number, frame in enumerate(recording.frames):
            frame.save(Path(kept) / f"{number:03}.png")
    recording.save(folder / "explorer.webp")
    for name in ("explorer.webp", "legend.webp"):
        print(f"{folder / name}  {(folder / name).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
