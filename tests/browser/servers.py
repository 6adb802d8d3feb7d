"""Notebook servers of one's own: their folders, their port, their kernel from a given environment."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300  # seconds; a guard against hanging on a slow machine, never a measurement


@dataclass(frozen=True)
class Server:
    """A running server: where it is, what it asks for, and the folder it shows."""

    address: str
    token: str
    folder: Path


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def own_environment(home: Path, prefix: Path, **further: str) -> dict[str, str]:
    """Nothing of the user's own Jupyter: no settings, no kernels, no extensions but those of ``prefix``."""
    theirs = ("JUPYTER", "PYTHONPATH")
    own = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    return own | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
        **further,
    }


@contextmanager
def running(
    command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str], answers: str
) -> Iterator[Server]:
    """A server that shows ``folder``; it ends, with its kernels, with the block.

    Args:
        command: how it is started; "{port}" and "{token}" stand for what they are called.
        folder: where it is started.
        log: takes what it prints.
        environment: its variables.
        answers: the path of a page that it answers when it is ready.
    """
    port, token = free_port(), secrets.token_hex(16)
    filled = [word.format(port=port, token=token) for word in command]
    with log.open("w") as output:
        started = subprocess.Popen(
            filled, stdout=output, stderr=subprocess.STDOUT, env=dict(environment), cwd=folder
        )
    try:
        server = Server(f"http://127.0.0.1:{port}", token, folder)
        _wait_until_it_answers(server, answers, started, log)
        yield server
    finally:
        # Asked to end, a server ends its kernels too.
        started.terminate()
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _wait_until_it_answers(server: Server, path: str, started: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    request = urllib.request.Request(
        f"{server.address}{path}", headers={"Authorization": f"token {server.token}"}
    )
    while time.monotonic() < end and started.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
