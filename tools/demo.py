"""Run the quickstart start to end, write it as a page that opens from a file, and a picture of that page.

Usage: python tools/demo.py FOLDER [NOTEBOOK]. Prints the paths of the page and the picture. Without a browser
there is no picture, and that is no error: the page is the demo.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

# Run as a script, this folder is on the path, and the checkout's root is not.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import chromium
from wcam_widget.show.pages import notebook_report

QUICKSTART = Path(__file__).resolve().parents[1] / "notebooks" / "quickstart.ipynb"
WIDTH, HEIGHT = 1280, 900

# Two frames after the widgets stand, so that what they draw has reached the screen.
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def execute(notebook: Path, folder: Path) -> nbformat.NotebookNode:
    """Run a notebook with `folder` as its working directory; an error in a cell is raised here."""
    node = nbformat.read(notebook, as_version=4)
    cells = sum(cell.cell_type == "code" for cell in node.cells)
    print(f"running the {cells} cells of {notebook.name}: about a minute", file=sys.stderr, flush=True)
    client = NotebookClient(
        node, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute()
    return node


def count_explorers(page: Page) -> int:
    """The explorers on the page, each waited for until it has drawn its maps."""
    places = page.locator("[data-wcam-saved]")
    for number in range(places.count()):
        places.nth(number).locator(".wcam canvas").first.wait_for(state="visible")
    page.evaluate(DRAWN)
    return places.count()


def photograph(page_path: Path, picture: Path, browser_path: str) -> None:
    """Open the page from its file, without a network, and save how it looks.

    Raises `NoBrowserError` where the browser does not open, and `RuntimeError` where the page reports an
    error, asks for anything else, or shows no explorer.
    """
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright, browser_path)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, offline=True)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(f"asked for {request.url[:200]}"))
        page.goto(page_path.resolve().as_uri())
        explorers = count_explorers(page)
        page.screenshot(path=picture, full_page=True)
        browser.close()
    if not explorers:
        troubles.append("it shows no explorer")
    if troubles:
        raise RuntimeError(f"{page_path}: " + "; ".join(troubles))


def launch(playwright: Playwright, browser_path: str) -> Browser:
    """A running browser; `NoBrowserError` with the way out where it tells its version and does no more."""
    try:
        return playwright.chromium.launch(executable_path=browser_path, args=list(chromium.FLAGS))
    except Error as error:
        raise chromium.NoBrowserError(
            f"{browser_path} does not open ({str(error).splitlines()[0]}): {chromium.WAYS_OUT}"
        ) from error


def main(folder: Path, notebook: Path) -> None:
    """Run, write, look, and print where everything is."""
    folder.mkdir(parents=True, exist_ok=True)
    node = execute(notebook, folder)
    nbformat.write(node, folder / notebook.name)
    report = notebook_report(node, folder / f"{notebook.stem}.html")
    print(f"report   {report}", flush=True)
    picture = report.with_suffix(".png")
    picture.unlink(missing_ok=True)  # one of an earlier run would not show this page
    try:
        photograph(report, picture, chromium.ensure())
    except chromium.NoBrowserError as error:
        print(f"picture  none: {error}")
    else:
        print(f"picture  {picture}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else QUICKSTART)
