"""One Chromium for all pages; every page comes from a file, with the network off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from tests.browser.lab import Lab, running_lab
from tests.browser.managers import MANAGERS, manager_html
from tests.browser.page import html
from tests.browser.scene import Scene, make_scene

OpenPage = Callable[..., Page]
PATIENCE = 120_000  # milliseconds; a guard against hanging


@pytest.fixture(scope="session")
def browser(chromium_path: str, chromium_flags: list[str]) -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=chromium_flags)
        yield running
        running.close()


@pytest.fixture(scope="session")
def scene() -> Scene:
    """A photograph of 64 x 64 pixels with its map."""
    return make_scene(64)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab for all tests that need one; each puts notebooks of its own into its folder."""
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    with running_lab(home, folder) as running:
        yield running


def _page(state: dict[str, Any], *, profile: str = "static", **options: Any) -> str:
    """A page that hosts a state as ``profile`` does: a host of our own, or a manager of ipywidgets."""
    if profile in MANAGERS:
        return manager_html(state, profile, **options)
    return html(state, profile=profile, **options)


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens a page that hosts a state; afterwards, no page may have reached out or reported an error."""
    complaints: list[str] = []
    # Reading pixels back is what tests do, and no widget does; the other is of ipywidgets' own schemas.
    forgiven = ["willReadFrequently", "strict mode: "]
    contexts = []

    def refuse(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            complaints.append(f"asked for {route.request.url}")
            route.abort()

    def note(message: ConsoleMessage) -> None:
        known = any(words in message.text for words in forgiven)
        if message.type in ("error", "warning") and not known:
            complaints.append(message.text)

    def open_(
        state: dict[str, Any],
        *,
        context: dict[str, Any] | None = None,
        forgive: str | None = None,
        **page_options: Any,
    ) -> Page:
        if forgive is not None:
            forgiven.append(forgive)
        settings = {
            "viewport": {"width": 1200, "height": 1000},
            "reduced_motion": "reduce",
            **(context or {}),
        }
        opened = browser.new_context(offline=True, **settings)
        contexts.append(opened)
        opened.route("**/*", refuse)
        page = opened.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(_page(state, **page_options), encoding="utf-8")
        page.goto(path.as_uri())
        page.locator("[data-wcam=dyadic]").first.wait_for()
        return page

    yield open_
    for opened in contexts:
        opened.close()
    assert complaints == []


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file where nothing else can be reached, after a script if need be.

    No page may complain, ask for more, or run what a label holds.
    """
    complaints: list[str] = []
    context = browser.new_context(
        offline=True, viewport={"width": 1200, "height": 1000}, reduced_motion="reduce"
    )

    def open_(path: Path, script: str = "") -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(script)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("requestfailed", lambda request: complaints.append(f"asked for {request.url[:200]}"))
        page.goto(path.as_uri())
        page.locator(".wcam [data-wcam=reconstruction]").first.wait_for()
        return page

    yield open_
    stolen = [page.evaluate("'stolen' in globalThis") for page in context.pages]
    context.close()
    assert complaints == []
    assert not any(stolen)
