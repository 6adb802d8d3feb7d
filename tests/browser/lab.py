"""A JupyterLab of one's own, with its kernel from this virtual environment."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.servers import PATIENCE, Server, own_environment, running

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


class Lab(Server):
    """A running JupyterLab."""

    def url(self, notebook: str) -> str:
        return f"{self.address}/lab/tree/{notebook}?token={self.token}&reset"


def lab_environment(home: Path) -> dict[str, str]:
    """The variables of a JupyterLab that keeps everything under ``home``."""
    for name, settings in SETTINGS.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    return own_environment(
        home,
        Path(sys.prefix),
        JUPYTERLAB_SETTINGS_DIR=str(home / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
        # The checkout, where it is not installed. Warnings go to the notebook, where readers see them.
        PYTHONPATH=str(ROOT),
    )


@contextmanager
def running_lab(home: Path, folder: Path) -> Iterator[Lab]:
    """A JupyterLab that shows ``folder`` and keeps everything else under ``home``; ends with the block."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": "{port}",
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "IdentityProvider.token": "{token}",
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": None,
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    with running(command, folder, home / "lab.log", lab_environment(home), "/api/status") as server:
        yield Lab(server.address, server.token, server.folder)


# What the lab says of itself in the page; it puts itself there for tests.

READY = """() => {
  const panel = globalThis.jupyterapp?.shell?.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""

OUTPUT = """number => {
  const cells = globalThis.jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
  return (cells.at(number).toJSON().outputs ?? []).map(output =>
    output.output_type === "error" ? output.ename + ": " + output.evalue : [output.text ?? ""].flat().join("")
  ).join("");
}"""

# How many models the kernel has.
MODELS = """async () => {
  const kernel = globalThis.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const reply = await kernel.requestCommInfo({target_name: "jupyter.widget"});
  return Object.keys(reply.content.comms).length;
}"""


@contextmanager
def window(browser: Browser, width: int, height: int) -> Iterator[Page]:
    """A window of its own, in which animations are over at once."""
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    context.close()


def open_notebook(page: Page, lab: Lab, notebook: str) -> None:
    """Open a notebook and wait for its kernel."""
    page.goto(lab.url(notebook))
    wait_for_kernel(page)


def wait_for_kernel(page: Page) -> None:
    """Wait until the notebook in front has a kernel with nothing to do."""
    page.wait_for_function(READY, timeout=PATIENCE * 1000)


def start(page: Page, name: str) -> None:
    """Begin one of the lab's commands."""
    page.evaluate("name => { globalThis.underWay = globalThis.jupyterapp.commands.execute(name); }", name)


def finish(page: Page) -> None:
    """Wait for the end of the command begun last."""
    page.evaluate("() => globalThis.underWay.then(() => true)")


def run_again(page: Page, cell: int) -> str:
    """Run one cell, counted from the end where negative, and return what it prints."""
    page.evaluate(
        """number => {
          const notebook = globalThis.jupyterapp.shell.currentWidget.content;
          notebook.activeCellIndex = number < 0 ? notebook.widgets.length + number : number;
        }""",
        cell,
    )
    start(page, "notebook:run-cell")
    finish(page)
    text: str = page.evaluate(OUTPUT, cell)
    return text


def errors(page: Page) -> list[str]:
    """The errors of all cells."""
    found: list[str] = page.evaluate(
        """() => globalThis.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
          .flatMap(cell => cell.toJSON().outputs ?? [])
          .filter(output => output.output_type === "error")
          .map(output => output.ename + ": " + output.evalue)"""
    )
    return found
