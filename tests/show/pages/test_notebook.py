"""Notebooks run by nbclient, and what is made of them."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from wcam_widget.show.pages.page import STILL, notebook_report

CELLS = [
    """\
import torch
import wcam_widget as wcam

image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
explorer = wcam.explore(lambda x: x.mean((2, 3)), image, method=wcam.Wcam(levels=2, grid=2))
explorer""",
    "attribution = explorer.wait()",
]


@pytest.fixture(scope="module")
def executed():
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python})
    NotebookClient(notebook, timeout=600).execute()
    return notebook


@pytest.mark.slow
def test_an_executed_notebook_holds_the_final_picture(executed):
    view, words, picture = executed.cells[0].outputs
    assert "application/vnd.jupyter.widget-view+json" in view.data
    assert "no map yet" not in words.data["text/html"]
    png = base64.b64decode(picture.data["image/png"])
    assert Image.open(io.BytesIO(png)).width == 1000
    assert len(png) <= 60_000
    assert executed.cells[1].outputs == []


@pytest.mark.slow
def test_plain_nbconvert_shows_the_picture_without_a_network(executed):
    body, _ = HTMLExporter().from_notebook_node(executed)
    assert body.count('src="data:image/png') == 1
    assert body.count('class="wcam-still"') == 1


@pytest.mark.slow
def test_a_report_of_a_notebook_shows_the_explorer_and_no_picture(executed, tmp_path: Path):
    page = notebook_report(executed, tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data-wcam-saved=") == 1
    assert 'class="wcam-still"' not in page
    assert 'src="data:image/png' not in page


@pytest.mark.slow
def test_a_report_without_the_state_keeps_the_picture(executed, tmp_path: Path):
    stripped = nbformat.from_dict({**executed, "metadata": {}})
    page = notebook_report(stripped, tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('class="wcam-still"') == 1
    assert page.count('src="data:image/png') == 1
    assert all(STILL in output.metadata for output in executed.cells[0].outputs[1:])
