"""A JupyterLab of one's own: its folders, its port, its kernel from this virtual environment."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds; a guard against hanging on a slow machine, never a measurement

SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


@dataclass(frozen=True)
class Lab:
    """A running server: where it is, and the folder it shows."""

    address: str
    token: str
    folder: Path

    def url(self, notebook: str) -> str:
        return f"{self.address}/lab/tree/{notebook}?token={self.token}&reset"


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's own Jupyter: no settings, no kernels, no extensions but this environment's."""
    for name, settings in SETTINGS.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    own = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return own | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        # The checkout, where it is not installed. Warnings go to the notebook, where readers see them.
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def running_lab(home: Path, folder: Path) -> Iterator[Lab]:
    """A JupyterLab that shows ``folder`` and keeps everything else under ``home``; ends with the block."""
    port, token = _free_port(), secrets.token_hex(16)
    log = home / "lab.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": None,
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = _environment(home)
    with log.open("w") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder
        )
    try:
        lab = Lab(f"http://127.0.0.1:{port}", token, folder)
        _wait_until_it_answers(lab, server, log)
        yield lab
    finally:
        # Asked to end, a server ends its kernels too.
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_it_answers(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    request = urllib.request.Request(
        f"{lab.address}/api/status", headers={"Authorization": f"token {lab.token}"}
    )
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


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
