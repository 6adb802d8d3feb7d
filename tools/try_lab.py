"""Start a command that serves JupyterLab, wait until it answers with the quickstart, and stop it.

Usage: python tools/try_lab.py COMMAND... Prints the address that answered; exits with 1 and a sentence where
none did.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

PATIENCE = 300  # seconds; a guard against hanging, never a measurement
NOTEBOOK = "quickstart.ipynb"


def answering(runtime: Path) -> str | None:
    """The address of the quickstart in JupyterLab, once a server of this runtime folder answers with it."""
    browser = build_opener(ProxyHandler({}))  # the server is on this machine, whatever proxy leads elsewhere
    for path in runtime.glob("jpserver-*.json"):
        # The file may be half written, and the server not listening yet.
        with contextlib.suppress(json.JSONDecodeError, URLError, ConnectionError):
            server = json.loads(path.read_text("utf-8"))
            entry = f"{server['url']}api/contents/{NOTEBOOK}?content=0&token={server['token']}"
            if json.load(browser.open(entry, timeout=30))["type"] != "notebook":
                continue
            address = f"{server['url']}lab/tree/{NOTEBOOK}"
            page = browser.open(f"{address}?token={server['token']}", timeout=30).read()
            if b"jupyter-config-data" in page:
                return address
    return None


def wait(server: subprocess.Popen[bytes], runtime: Path) -> str:
    """The address that answers; `RuntimeError` where the command ended, or nothing answered, before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if address := answering(runtime):
            return address
        if server.poll() is not None:
            raise RuntimeError(f"the command ended with {server.returncode} before JupyterLab answered")
        time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not answer with {NOTEBOOK} within {PATIENCE} seconds")


def main(command: list[str]) -> str:
    """Start, wait, stop."""
    with tempfile.TemporaryDirectory() as runtime:
        # It would open a browser; where it listens is told by a file in its runtime folder.
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": runtime, "BROWSER": "true"}
        server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return wait(server, Path(runtime))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


if __name__ == "__main__":
    try:
        print(f"JupyterLab answered at {main(sys.argv[1:])}")
    except RuntimeError as error:
        sys.exit(str(error))
