"""Print the path of a Chromium that runs here, installing one when there is none.

Tried in this order: the `WCAM_CHROMIUM` variable, a browser on PATH, the one Playwright has or can download,
and, as root, Debian's package. Only the path goes to standard output, so a shell can take it; what installers
say goes to standard error.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

STANDARD_ERROR = 2  # the process's own: sys.stderr need not be a file
DEBIANS = "/usr/bin/chromium"
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


WAYS_OUT = "install chromium or google-chrome, or set WCAM_CHROMIUM to the path of one"


class NoBrowserError(Exception):
    """There is no browser that works; the text says how to get one."""


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
    """The path Playwright keeps its Chromium at, if it has one.

    Another process looks it up: Playwright starts only once in a thread, and the caller may be inside of it.
    """
    lookup = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    try:
        answer = subprocess.run(
            [sys.executable, "-c", lookup],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    path = answer.stdout.strip()
    if answer.returncode == 0 and Path(path).exists():
        yield path


def run_installer(command: list[str]) -> None:
    """Run a command of an installer, its progress on standard error; what counts is what it leaves."""
    print("$ " + " ".join(command), file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdout=STANDARD_ERROR,
            stdin=subprocess.DEVNULL,
            check=False,
            env=environment,
            timeout=900,
        )


def install_with_playwright() -> Iterator[str]:
    """Let Playwright download its Chromium; yields where it then is."""
    run_installer([sys.executable, "-m", "playwright", "install", "chromium"])
    yield from of_playwright()


def install_with_apt() -> Iterator[str]:
    """Install Debian's package, which needs root; yields where that puts it, on PATH or not."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        run_installer(["apt-get", "update", "-q"])
        run_installer(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"])
        yield DEBIANS


INSTALLERS: tuple[Callable[[], Iterator[str]], ...] = (install_with_playwright, install_with_apt)


def find() -> str | None:
    """The first browser already here that starts."""
    return next(filter(runs, installed()), None)


def ensure() -> str:
    """A browser that starts, installed if need be. Raises `NoBrowserError` when nothing worked."""
    path = find()
    if path is None:
        print("no Chromium is here: installing one takes a minute or two", file=sys.stderr, flush=True)
    for install in INSTALLERS:
        if path is None:
            path = next(filter(runs, install()), None) or find()
    if path is None:
        raise NoBrowserError(f"no Chromium was found or could be installed: {WAYS_OUT}")
    return path


if __name__ == "__main__":
    try:
        print(ensure())
    except NoBrowserError as error:
        sys.exit(str(error))
