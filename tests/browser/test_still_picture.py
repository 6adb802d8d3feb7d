"""One of two is seen, in every host: the view where it is drawn, else the sentence and the picture."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from wcam_widget.show.pages.still import sentence_html

pytestmark = pytest.mark.browser

# What each host puts around an output, outermost first: there the outputs of a cell are neighbours.
HOSTS = {
    "JupyterLab": ["jp-OutputArea-child", "jp-OutputArea-output"],
    "Notebook 6": ["output_area", "output_subarea"],
    "Colab": ["display_data", "output_subarea"],
    "VS Code": ["output_container", "output"],
}
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
DRAWN = '<div class="jupyter-widgets"><div class="wcam" id="view">view</div></div>'
MISSING = '<div class="jupyter-widgets" id="missing">Error displaying widget: model not found</div>'


def cell(host: str, view: str) -> str:
    """The outputs of a cell whose explorer is drawn as ``view``."""
    contents = [view, sentence_html("The model looks here."), f'<img src="{PIXEL}">']
    outer, inner = HOSTS[host]
    outputs = [f'<div class="{outer}"><div class="{inner}">{one}</div></div>' for one in contents]
    return f"<section>{''.join(outputs)}</section>"


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page()


@pytest.mark.parametrize("host", HOSTS)
def test_a_view_that_is_drawn_is_seen_alone(page: Page, host: str) -> None:
    page.set_content(cell(host, DRAWN))
    expect(page.locator("#view")).to_be_visible()
    expect(page.locator(".wcam-still")).to_be_hidden()
    expect(page.locator("img")).to_be_hidden()
    page.close()


@pytest.mark.parametrize("host", HOSTS)
def test_where_nothing_draws_the_view_the_picture_is_seen_and_no_error(page: Page, host: str) -> None:
    page.set_content(cell(host, MISSING) + cell(host, DRAWN))
    expect(page.locator("#missing")).to_be_hidden()
    expect(page.locator(".wcam-still").first).to_have_text("The model looks here.")
    expect(page.locator(".wcam-still").first).to_be_visible()
    expect(page.locator("img").first).to_be_visible()
    expect(page.locator("img").nth(1)).to_be_hidden()
    page.close()
