"""Notebooks run by nbclient, and what is made of them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from tests.show.pages.conftest import HOSTILE, Elements, saved_states
from wcam_widget.show.pages.notebook import EXPLORERS, STILL, WIDGET_STATE, WIDGET_VIEW, notebook_report
from wcam_widget.show.traits import FRAMES, NAMES

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


def saved(state, *model_ids):
    """A notebook as nbclient leaves it: widget views as outputs, states in the metadata."""
    plain = {name: value for name, value in state.items() if not isinstance(value, bytes) and name != "title"}
    buffers = [
        {"encoding": "base64", "path": [name], "data": base64.b64encode(state[name]).decode()}
        for name in FRAMES
    ]
    model = {
        "model_name": "AnyModel",
        "state": {**plain, "_anywidget_id": EXPLORERS[0]},
        "buffers": buffers,
    }
    view = nbformat.v4.new_output
    outputs = [
        view("display_data", {WIDGET_VIEW: {"model_id": one}, "text/plain": f"Explorer({one})"})
        for one in model_ids
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A title\n\nwith $x^2$"),
            nbformat.v4.new_code_cell("explorer", outputs=outputs),
        ]
    )
    others = {"slider": {"model_name": "FloatSliderModel", "state": {}}}
    notebook.metadata["widgets"] = {WIDGET_STATE: {"state": {"one": model, "two": model, **others}}}
    return notebook


def test_a_notebook_s_explorers_are_placed_where_they_stood(state, tmp_path):
    notebook = saved(state, "one", "two", "one", "slider", "nobody")
    before = nbformat.writes(notebook)
    text = notebook_report(notebook, tmp_path / "notebook.html").read_text(encoding="utf-8")
    places = [a["data-wcam-saved"] for a, _ in Elements(text).named("div") if "data-wcam-saved" in a]
    assert places == ["0", "1", "0"]
    first, second = saved_states(text)
    assert base64.b64decode(first["_frame"]) == state["_frame"]
    assert set(first) == set(second) == set(NAMES)
    assert text.count("/* standalone.js */") == 1
    assert "Explorer(slider)" in text
    assert "Explorer(nobody)" in text
    assert nbformat.writes(notebook) == before


def test_a_notebook_s_page_loads_nothing(state, tmp_path):
    path = tmp_path / "notebook.ipynb"
    nbformat.write(saved(state, "one"), path)
    elements = Elements(notebook_report(path, tmp_path / "notebook.html").read_text(encoding="utf-8"))
    assert not [a for tag, a, _ in elements.found if tag in ("script", "img", "iframe") and "src" in a]
    assert not [a for a, _ in elements.named("link")]
    assert not [text for _, text in elements.named("script") if "import(" in text or "createElement" in text]


def test_a_notebook_without_the_state_of_its_explorer_is_refused(state, tmp_path):
    notebook = saved(state, "one")
    del notebook.metadata.widgets[WIDGET_STATE].state.one.buffers[0]
    with pytest.raises(ValueError, match="the state of an explorer lacks _picture; execute it again"):
        notebook_report(notebook, tmp_path / "notebook.html")
    assert list(tmp_path.iterdir()) == []


def test_hostile_model_ids_and_labels_in_a_notebook_are_text(state, tmp_path):
    notebook = saved(state, HOSTILE)
    states = notebook.metadata.widgets[WIDGET_STATE].state
    states[HOSTILE] = states["one"]
    states[HOSTILE].state["mode"] = HOSTILE
    path = notebook_report(notebook, tmp_path / "notebook.html")
    elements = Elements(path.read_text(encoding="utf-8"))
    assert "img" not in {tag for tag, _, _ in elements.found}
    data = [text for a, text in elements.named("script") if a.get("type") == "application/json"]
    assert [json.loads(one)["mode"] for one in data] == [HOSTILE]
