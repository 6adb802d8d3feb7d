"""Files from the view: pictures, the selection, and the map where there is a kernel."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.scene import Scene, state_of

pytestmark = pytest.mark.browser


def saved(page: Page, name: str) -> tuple[str, bytes]:
    """What the menu's item gives: the name of a file and its bytes."""
    page.locator("[data-wcam=save] summary").click()
    with page.expect_download() as download:
        page.locator(f"[data-wcam=save-{name}]").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_a_picture_has_the_scale_that_was_chosen_and_what_the_view_shows(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page(state_of(scene))
    name, once = saved(page, "png-1")
    twice = Image.open(io.BytesIO(saved(page, "png-2")[1])).convert("RGB")
    small = Image.open(io.BytesIO(once)).convert("RGB")
    assert name == "wcam.png"
    assert abs(twice.width - 2 * small.width) <= 1
    assert len(twice.getcolors(twice.width * twice.height) or ()) > 100  # pictures, not a blank sheet
    assert small.getpixel((2, 2)) == (255, 255, 255)


def test_an_svg_holds_words_as_words(open_page: OpenPage, scene: Scene) -> None:
    label = "<script>alert(1)</script>"
    page = open_page(state_of(scene, label))
    tree = ET.fromstring(saved(page, "svg")[1].decode())
    space = "{http://www.w3.org/2000/svg}"
    assert len(tree.findall(f"{space}image")) == 3
    assert any(label in (text.text or "") for text in tree.findall(f"{space}text"))
    assert tree.findall(f".//{space}script") == []


def test_the_selection_is_saved_and_a_saved_page_has_no_map_to_send(
    open_page: OpenPage, scene: Scene
) -> None:
    page = open_page(state_of(scene, selection=[3, 4], mode="remove"))
    name, text = saved(page, "json")
    told = json.loads(text)
    assert name == "wcam.json"
    assert (told["selection"], told["mode"], told["target"]) == ([3, 4], "remove", "astronaut")
    page.locator("[data-wcam=save] summary").click()
    expect(page.locator("[data-wcam=save-npz]")).to_be_hidden()


def test_the_map_comes_from_the_kernel_as_bytes(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene), profile="backbone")
    page.locator("[data-wcam=save] summary").click()
    with page.expect_download() as download:
        page.locator("[data-wcam=save-npz]").click()
        page.wait_for_function("() => kernel.questions[0]?.method === 'file'")
        page.evaluate(
            """() => { const {id, client} = kernel.questions.shift();
              kernel.page.message({t: "res", id, client}, [kernel.bytes(btoa("bytes"))]); }"""
        )
    assert download.value.path().read_bytes() == b"bytes"
