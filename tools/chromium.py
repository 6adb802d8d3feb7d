"""Print the path of a Chromium that runs here, installing one when there is none.

Tried in this order: the `WCAM_CHROMIUM` variable, a browser on PATH, the one Playwright has or can download,
and, as root, Debian's package. Only the path goes to standard output, so a shell can take it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""How every run starts it: alone, in a container, and talking to nobody."""


def runs(path: str) -> bool:
    """Whether `path` starts: a distribution's stub or a build with missing libraries does not."""
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def installed() -> Iterator[str]:
    """Paths where a browser may already be."""
    if named := os.environ.get("WCAM_CHROMIUM"):
        yield named
    for name in NAMES:
        if path := shutil.which(name):
            yield path
    yield from of_playwright()


def of_playwright() -> Iterator[str]:
    """The path Playwright keeps its Chromium at, if it has one."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  the search works without it
    except ImportError:
        return
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if Path(path).exists():
        yield path


def told(command: list[str]) -> bool:
    """Run an installer with its output on standard error; whether it succeeded."""
    print("$ " + " ".join(command), file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False, env=environment, timeout=900
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def install_with_playwright() -> None:
    """Let Playwright download its Chromium."""
    told([sys.executable, "-m", "playwright", "install", "chromium"])


def install_with_apt() -> None:
    """Install Debian's package, which needs root."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        told(["apt-get", "update", "-q"])
        told(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"])


def find() -> str | None:
    """The first browser already here that starts."""
    return next((path for path in installed() if runs(path)), None)


def ensure() -> str:
    """A browser that starts, installed if need be. Raises `RuntimeError` when nothing worked."""
    attempts: tuple[Callable[[], None], ...] = (install_with_playwright, install_with_apt)
    path = find()
    for attempt in attempts:
        if path is not None:
            break
        attempt()
        path = find()
    if path is None:
        raise RuntimeError(
            "no Chromium was found or could be installed: install chromium or google-chrome, "
            "or set WCAM_CHROMIUM to the path of one"
        )
    return path


if __name__ == "__main__":
    try:
        print(ensure())
    except RuntimeError as error:
        sys.exit(str(error))
