"""The same reader in the front ends of others, each with a kernel of its own: `make hosts`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.lab import ROOT, errors, lab_environment, start, wait_for_kernel, window
from tests.browser.lab import finish as end_of
from tests.browser.servers import PATIENCE, Server, running
from tests.browser.use import Row, drive, listen, part

pytestmark = [pytest.mark.hosts, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

SMALL = """\
import torch
import wcam_widget as wcam

image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
explorer = wcam.explore(lambda x: x.mean((2, 3)), image, method=wcam.Wcam(levels=2, grid=2))
explorer"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with window(browser, 1400, 1000) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A notebook that waits for its map."""
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(text) for text in (SMALL, "attribution = explorer.wait()")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python})
    nbformat.write(notebook, tmp_path / "small.ipynb")
    return tmp_path


def serve(folder: Path, *command: str, answers: str) -> Iterator[Server]:
    started = [sys.executable, "-m", *command]
    with running(started, folder, folder / "server.log", lab_environment(folder), answers) as server:
        yield server


@pytest.fixture
def voila(folder: Path) -> Iterator[Server]:
    words = ["--no-browser", "--port={port}", "--show_tracebacks=True", "small.ipynb"]
    yield from serve(folder, "voila", *words, answers="/voila/static/favicon.ico")


@pytest.fixture
def notebook(folder: Path) -> Iterator[Server]:
    words = ["--no-browser", "--allow-root", "--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    words += ["--IdentityProvider.token={token}", "--JupyterNotebookApp.expose_app_in_browser=True"]
    yield from serve(folder, "notebook", *words, answers="/api/status")


@pytest.fixture
def marimo(folder: Path) -> Iterator[Server]:
    words = ["--headless", "--port", "{port}", "--no-token", str(ROOT / "notebooks/marimo_app.py")]
    yield from serve(folder, "marimo", "run", *words, answers="/health")


def finish(page: Page, row: Row, folder: Path) -> None:
    """The view is there once and alone; nothing complained."""
    expect(page.locator(".wcam[data-wcam=root]")).to_have_count(1)
    for still in page.locator(".wcam-still").all():
        expect(still).to_be_hidden()
    row.alone = True
    page.screenshot(path=folder / f"{row.host}.png")
    row.write()
    assert row.complaints == []


def test_voila(voila: Server, page: Page, folder: Path) -> None:
    row = Row("Voila")
    listen(page, row)
    page.goto(voila.address)
    drive(page, row)
    finish(page, row, folder)


def test_notebook_7(notebook: Server, page: Page, folder: Path) -> None:
    row = Row("Notebook 7")
    listen(page, row)
    page.goto(f"{notebook.address}/notebooks/small.ipynb?token={notebook.token}")
    wait_for_kernel(page)
    start(page, "notebook:run-all-cells")
    drive(page, row)
    end_of(page)
    assert errors(page) == []
    finish(page, row, folder)


def test_marimo(marimo: Server, page: Page, folder: Path) -> None:
    row = Row("marimo")
    listen(page, row)
    page.goto(marimo.address)
    part(page, "dyadic").wait_for()
    drive(page, row)
    expect(page.get_by_text("what is kept")).to_be_visible(timeout=PATIENCE * 1000)
    finish(page, row, folder)
