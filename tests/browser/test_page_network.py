"""A page that carries the network: every selection is scored offline, by the page itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from wcam_widget.demo import load_demo
from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.explorer import Explorer

pytestmark = pytest.mark.browser

BANDS = ("A2", "HL1")
NO_WORKERS = "Object.defineProperty(globalThis, 'Worker', {value: undefined})"
# The page's own thread, started once more, with an image of ours.
IN_A_THREAD = """async ([image, network]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const code = document.getElementById("wcam-network").textContent;
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  const ask = (content) => new Promise((resolve) => {
    worker.onmessage = ({data}) => resolve(data);
    worker.postMessage(content);
  });
  const packed = new Blob([bytes(document.getElementById(network).textContent)]).stream();
  const frame = await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  await ask({id: 1, network: frame});
  const {scores, error} = await ask({id: 2, image: new Float32Array(bytes(image).buffer)});
  return error ?? [...scores];
}"""


@pytest.fixture(scope="module")
def explorer() -> Iterator[Explorer]:
    demo = load_demo()
    with explore(demo.model, demo.images[0], method=Wcam(Sobol(rows=2), levels=2, grid=4)) as one:
        one.wait()
        yield one


@pytest.fixture(scope="module")
def path(explorer: Explorer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return explorer.to_html(tmp_path_factory.mktemp("page") / "explorer.html", model=True)


def select(page: Page, explorer: Explorer) -> None:
    """Two bands, of which a saved page has no score; the same in the explorer."""
    cells: list[int] = []
    for band in BANDS:
        page.locator(f"[data-wcam=profile-bar][data-band={band}]").click()
        explorer.select_band(band)
        cells += explorer.selection
    explorer.selection = sorted(cells)


def shown(page: Page) -> dict[str, Any]:
    rows: dict[str, Any] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-wcam=score-row]")].map(row =>
          [row.dataset.label, [...row.querySelectorAll("td")].map(td => td.textContent)]))"""
    )
    return rows


def test_a_selection_without_a_kept_score_is_scored_as_torch_does(explorer, path, look):
    page = look(path)
    assert page.locator("[data-wcam=connection]").inner_text() == "Saved page, with the network"
    select(page, explorer)
    note = page.locator("[data-wcam=scores-state]")
    note.filter(has_text="computed in this page").wait_for()
    page.locator("[data-wcam=scores][data-state=known]").wait_for()
    rows = shown(page)
    assert explorer.scores.keys() <= rows.keys()
    for name, scores in explorer.scores.items():
        for text, score in zip(rows[name], scores, strict=False):
            assert abs(float(text) - score) <= 0.005 + 1e-3
    answer = explorer._scores
    assert page.locator("[data-wcam=verdict]").inner_text() == answer["verdict"]
    bar = page.locator(f"[data-wcam=profile-bar][data-band={BANDS[0]}]")
    bar.click()  # one band is left, of which the page has the kernel's score
    page.locator("[data-wcam=scores][data-state=known]").wait_for()
    assert note.inner_text() == ""


def test_the_thread_of_a_page_gives_torchs_numbers(explorer, path, look):
    page = look(path)
    select(page, explorer)
    image = explorer.reconstruction
    probe = explorer._session.probe
    logits = probe.model.logits(image[None])
    expected = torch.cat([probe.model.probabilities(logits), probe.target(logits)[:, None]], 1)[0]
    text = base64.b64encode(image.numpy().astype("<f4").tobytes()).decode("ascii")
    numbers = page.evaluate(IN_A_THREAD, [text, "wcam-network-0"])
    np.testing.assert_allclose(numbers, expected.numpy(), atol=1e-3)


def test_where_no_thread_may_run_the_page_says_so_and_keeps_its_scores(explorer, path, look):
    page = look(path, NO_WORKERS)
    select(page, explorer)
    note = page.locator("[data-wcam=scores-state]")
    note.filter(has_text="this browser does not run the page's network").wait_for()
    assert "single bands have scores" in note.inner_text()
    page.locator(f"[data-wcam=profile-bar][data-band={BANDS[0]}]").click()
    page.locator("[data-wcam=scores][data-state=known]").wait_for()


def test_a_page_without_the_network_allows_no_thread(explorer, path, tmp_path):
    plain = explorer.to_html(tmp_path / "plain.html").read_text("utf-8")
    assert "worker-src" not in plain
    assert "wcam-network" not in plain.split("<script>", 1)[0]
    assert "worker-src blob:" in path.read_text("utf-8")
