"""Pages written by an explorer, opened from a file with the network off, and used."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Page

from tests.browser.conftest import PATIENCE
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.explorer import Explorer
from wcam_widget.show.frames import photograph
from wcam_widget.show.pages import export_notebook, write_report

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "</script><img src=x onerror=globalThis.stolen=1><!--"
NAMES = (HOSTILE, "green", "blue")

EXECUTED = """
import json, torch
from wcam_widget.explain import Wcam
from wcam_widget.show.explorer.explore import explore
score = lambda images: torch.stack([images.mean((1, 2, 3)), images[:, 0].std((1, 2))], 1)
image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(2))
"""
COMPARED = """
pair = explore(score, [image, image.flip(1)], method=Wcam(levels=2, grid=4))
attributions = pair.wait()
display(pair)
"""
OTHER = """
import anywidget, traitlets
class Other(anywidget.AnyWidget):
    _esm = '''
    export default () => ({
      initialize: ({ model }) => void (globalThis.begun = model.get("count")),
      render({ model, el }) {
        const text = `${model.get("count")} ${model.get("bytes").getUint8(1)} ${model.get("name")}`;
        el.append(Object.assign(document.createElement("b"), { className: "other", textContent: text }));
      },
    });'''
    _css = ".other { color: rgb(1, 2, 3) }"
    count = traitlets.Int(3).tag(sync=True)
    bytes = traitlets.Bytes(b"ab").tag(sync=True)
    name = traitlets.Unicode("</script><b>").tag(sync=True)
Other()
"""

PIXELS = """([number, expected]) => {
  const canvas = document.querySelectorAll(".wcam")[number]?.querySelector("[data-wcam=reconstruction]");
  if (!canvas || canvas.width * canvas.height * 3 !== expected.length) return false;
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return expected.every((value, at) => Math.abs(data[4 * Math.floor(at / 3) + at % 3] - value) <= 1);
}"""


def score(images: torch.Tensor) -> torch.Tensor:
    """A model whose scores rest on different scales for different classes."""
    rough = images.diff(dim=3).abs().mean((1, 2, 3))
    return torch.stack([images.mean((1, 2, 3)) * 3, rough * 9, images[:, 0].std((1, 2)) * 5], 1)


@pytest.fixture(scope="module")
def explorer() -> Iterator[Explorer]:
    """An explorer that has run, with a class name that would be markup."""
    image = torch.rand(3, 48, 40, generator=torch.Generator().manual_seed(1))
    with explore(score, image, HOSTILE, Wcam(levels=2, grid=4), NAMES) as one:
        one.wait()
        yield one


def wait_for_pixels(page: Page, number: int, expected: NDArray[np.uint8]) -> None:
    page.wait_for_function(PIXELS, arg=[number, expected.ravel().tolist()])


def kept(explorer: Explorer, band: str) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The image and the scores of one band; the selection is put back."""
    explorer.select_band(band)
    try:
        return photograph(explorer.reconstruction), explorer.scores
    finally:
        explorer.selection = []


def shown_scores(page: Page, number: int) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = page.evaluate(
        """number => Object.fromEntries([...document.querySelectorAll(".wcam")[number]
          .querySelectorAll("[data-wcam=score-row]")].map(row =>
            [row.dataset.label, [...row.querySelectorAll("td")].map(td => td.textContent)]))""",
        number,
    )
    return rows


def check_band(page: Page, explorer: Explorer, number: int, band: str) -> None:
    """Click a band's bar: the reconstruction is torch's, the scores are the model's."""
    pixels, scores = kept(explorer, band)
    root = page.locator(".wcam").nth(number)
    root.locator(f"[data-wcam=profile-bar][data-band={band}]").click()
    wait_for_pixels(page, number, pixels)
    root.locator("[data-wcam=scores][data-state=known]").wait_for()
    shown = shown_scores(page, number)
    for name, (before, after) in scores.items():
        assert shown[name][:2] == [f"{before:.2f}", f"{after:.2f}"]


def test_a_saved_explorer_answers_for_every_band(explorer, look, tmp_path):
    page = look(explorer.to_html(tmp_path / "explorer.html"))
    wait_for_pixels(page, 0, photograph(explorer.reconstruction))
    assert page.locator(".wcam [data-wcam=connection]").get_attribute("data-state") == "static"
    assert page.title() == f"logit of {HOSTILE}"
    check_band(page, explorer, 0, "HL2")
    page.locator("[data-wcam=mode-remove]").click()
    explorer.mode = "remove"
    wait_for_pixels(page, 0, kept(explorer, "HL2")[0])
    explorer.mode = "keep"
    page.screenshot(path=tmp_path / "explorer.png")


FRAMED = {
    "a sandboxed frame": '<iframe sandbox="allow-scripts" src="{uri}"></iframe>',
    "a srcdoc of a page without charset": '<iframe srcdoc="{text}"></iframe>',
    "a sandboxed srcdoc": '<iframe sandbox="allow-scripts" srcdoc="{text}"></iframe>',
}


@pytest.mark.parametrize("frame", FRAMED.values(), ids=FRAMED)
def test_a_page_works_in_a_frame(explorer, browser, tmp_path, frame):
    path = explorer.to_html(tmp_path / "explorer.html")
    markup = frame.format(uri=path.as_uri(), text=html.escape(path.read_text("utf-8")))
    (tmp_path / "outer.html").write_text(f"<!DOCTYPE html>{markup}", encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "outer.html").as_uri())
    page.frame_locator("iframe").locator(".wcam [data-wcam=reconstruction]").wait_for(timeout=PATIENCE)
    context.close()


@pytest.mark.parametrize("policy", ["script-src 'self'", "sandbox", None])
def test_a_page_whose_scripts_may_not_run_shows_its_picture(explorer, browser, tmp_path, policy):
    text = explorer.to_html(tmp_path / "explorer.html").read_text("utf-8")
    context = browser.new_context(java_script_enabled=policy is not None)
    page = context.new_page()
    headers = {} if policy is None else {"Content-Security-Policy": policy}
    page.route(
        "**/*", lambda route: route.fulfill(body=text, headers={"Content-Type": "text/html", **headers})
    )
    page.goto("http://page.invalid/")
    picture = page.locator(".wcam-picture > img")
    picture.wait_for(timeout=PATIENCE)
    assert picture.bounding_box()["width"] > 500
    assert page.locator(".wcam").count() == 0
    context.close()


def test_several_explorers_on_a_page_do_not_mix(explorer, look, tmp_path):
    explorer.select_band("A2")
    page = look(
        write_report(tmp_path / "report.html", [explorer, {**explorer.page_state(), "selection": []}])
    )
    first = photograph(explorer.reconstruction)
    explorer.selection = []
    wait_for_pixels(page, 0, first)
    wait_for_pixels(page, 1, photograph(explorer.reconstruction))
    check_band(page, explorer, 1, "LH1")
    wait_for_pixels(page, 0, first)


def test_an_executed_notebook_becomes_a_page_that_works(look, tmp_path):
    """The kernel's own messages, as nbclient keeps them: the map must be whole, with the bands' answers."""
    sources = [
        EXECUTED,
        f"explorer = explore(score, image, None, Wcam(levels=2, grid=4), ({HOSTILE!r}, 'b'))\nexplorer",
        "attribution = explorer.wait()",
        "explorer.select_band('HH1')\nexplorer",
        "print(json.dumps([explorer.reconstruction.tolist(), explorer.scores]))",
        COMPARED,
        OTHER,
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.cells.append(nbformat.v4.new_markdown_cell("$x^2$"))
    nbformat.write(notebook, tmp_path / "in.ipynb")
    # In a process of its own: the browser's event loop runs in this one.
    program = (
        "import nbformat, nbclient; node = nbformat.read('in.ipynb', 4); "
        "nbclient.NotebookClient(node, kernel_name='python3').execute(); nbformat.write(node, 'out.ipynb')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_PREFER_ENV_PATH": "1"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, timeout=600)

    node = nbformat.read(tmp_path / "out.ipynb", 4)
    pixels, scores = json.loads(node.cells[4].outputs[0].text)
    written = export_notebook(node, tmp_path / "notebook.html")
    assert written.summary == "2 explorers (1 of them compared), 1 other widget"
    page = look(written.path)
    expected = photograph(torch.tensor(pixels))
    wait_for_pixels(page, 0, expected)
    wait_for_pixels(page, 1, expected)
    assert {name: pair[:2] for name, pair in shown_scores(page, 0).items() if name in scores} == {
        name: [f"{before:.2f}", f"{after:.2f}"] for name, (before, after) in scores.items()
    }
    # Two outputs, one explorer: what is done in one is seen in the other; and the bands' answers are there.
    page.locator("[data-wcam=clear]").first.click()
    wait_for_pixels(page, 1, photograph(torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(2))))
    page.locator("[data-wcam=profile-bar][data-band=LH2]").first.click()
    page.locator("[data-wcam=scores][data-state=known]").nth(1).wait_for()
    page.screenshot(path=tmp_path / "notebook.png", full_page=True)
    assert page.locator("[data-wcam=sides-differ]").count() == 1
    assert page.locator(".other").text_content() == "3 98 </script><b>"
    assert page.locator(".other").evaluate("one => getComputedStyle(one).color") == "rgb(1, 2, 3)"
    assert page.evaluate("begun") == 3
    assert page.locator("math msup").is_visible()
    assert [one.is_visible() for one in page.locator(".wcam-picture").all()] == [False] * 4
    page.emulate_media(media="print")
    assert [one.is_visible() for one in page.locator(".wcam-picture > img").all()] == [True] * 3
    assert not any(one.is_visible() for one in page.locator(".wcam").all())


def test_a_saved_pair_is_linked_and_knows_its_difference(look, tmp_path):
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(3))
    pair = {"clean": image, HOSTILE: image.flip(2)}
    with explore(score, pair, HOSTILE, Wcam(Sobol(rows=8), levels=2, grid=4), NAMES) as one:
        one.wait()
        path = one.to_html(tmp_path / "pair.html")
        one.select_band("HL2")
        expected = photograph(one.sides[1].reconstruction)
    page = look(path)
    assert page.locator(".wcam-side-name").all_text_contents() == ["clean", HOSTILE, f"{HOSTILE} less clean"]
    page.locator("[data-side='0'] [data-wcam=profile-bar][data-band=HL2]").click()
    page.wait_for_function(
        PIXELS.replace('document.querySelectorAll(".wcam")[number]?', "document").replace(
            "[data-wcam=reconstruction]", "[data-side='1'] [data-wcam=reconstruction]"
        ),
        arg=[0, expected.ravel().tolist()],
    )
    page.locator("[data-side='1'] [data-wcam=scores][data-state=known]").wait_for()
    assert "pairs of runs with the same masks" in page.locator("[data-wcam=sides-differ]").text_content()
