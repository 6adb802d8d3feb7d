"""Notebooks run by nbclient, and what is made of them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter, LatexExporter, MarkdownExporter
from PIL import Image

from tests.show.pages.conftest import HOSTILE, Elements, saved, saved_states
from wcam_widget.show.pages.export import export_notebook, notebook_report
from wcam_widget.show.pages.notebook import STILL, WIDGET_VIEW
from wcam_widget.show.pages.page import script_hash
from wcam_widget.show.pages.saved_models import WIDGET_STATE
from wcam_widget.show.traits import NAMES

CELLS = [
    """\
import torch
import wcam_widget as wcam

image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
explorer = wcam.explore(lambda x: x.mean((2, 3)), image, method=wcam.Wcam(levels=2, grid=2))
explorer""",
    "attribution = explorer.wait()",
    """\
sides = {"one": image, "other": image.flip(2)}
pair = wcam.explore(lambda x: x.mean((2, 3)), sides, method=wcam.Wcam(levels=2, grid=2))
pair""",
    "attribution = pair.wait()",
]


@pytest.fixture(scope="module")
def executed():
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": python})
    NotebookClient(notebook, timeout=600).execute()
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("cell", [0, 2])
def test_an_executed_notebook_holds_the_final_picture(executed, cell):
    view, words, picture = executed.cells[cell].outputs
    assert set(view.data) == {WIDGET_VIEW, "text/plain"}
    assert view.data["text/plain"].startswith("Explorer of ")
    assert "no map yet" not in words.data["text/html"]
    png = base64.b64decode(picture.data["image/png"])
    assert Image.open(io.BytesIO(png)).width == 1000
    assert len(png) <= 60_000
    assert executed.cells[cell + 1].outputs == []


@pytest.mark.slow
def test_plain_nbconvert_shows_the_picture_without_a_network(executed):
    body, _ = HTMLExporter().from_notebook_node(executed)
    assert body.count('src="data:image/png') == 2
    assert body.count('class="wcam-still"') == 2


@pytest.mark.slow
def test_pages_without_html_show_the_picture(executed):
    body, resources = MarkdownExporter().from_notebook_node(executed)
    pictures = [name for name in resources["outputs"] if name.endswith(".png")]
    assert len(pictures) == 2
    assert all(f"![png]({name})" in body for name in pictures)
    assert "0 of 0" not in body
    assert "error" not in body.lower()
    # What a page is printed from.
    printed, resources = LatexExporter().from_notebook_node(executed)
    assert printed.count(r"\adjustimage") == len(resources["outputs"]) == 2


@pytest.mark.slow
def test_a_page_of_a_notebook_has_every_explorer_and_its_picture_once(executed, tmp_path: Path):
    page = export_notebook(executed, tmp_path / "report.html")
    assert (page.explorers, page.summary) == (2, "2 explorers (1 of them compared)")
    text = page.path.read_text(encoding="utf-8")
    assert text.count("data-wcam-saved=") == 2
    assert 'class="wcam-still"' not in text
    assert text.count('src="data:image/png') == text.count('class="wcam-picture"><img') == 2


@pytest.mark.slow
@pytest.mark.parametrize("widgets", [{}, {WIDGET_STATE: {}}, {WIDGET_STATE: {"state": {}}}])
def test_a_notebook_whose_state_is_stripped_is_refused(executed, tmp_path: Path, widgets):
    stripped = nbformat.from_dict({**executed, "metadata": {"widgets": widgets}})
    with pytest.raises(ValueError, match="notebook: the state of its 2 widgets was not saved; `jupyter exec"):
        export_notebook(stripped, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
    assert all(STILL in output.metadata for output in executed.cells[0].outputs[1:])


def test_a_notebook_s_explorers_are_placed_where_they_stood(state, tmp_path):
    notebook = saved(state, "one", "two", "one", "slider", "nobody")
    before = nbformat.writes(notebook)
    page = export_notebook(notebook, tmp_path / "notebook.html")
    assert (page.explorers, page.summary) == (2, "2 explorers, 2 other widgets as picture or text")
    text = page.path.read_text(encoding="utf-8")
    places = [a["data-wcam-saved"] for a, _ in Elements(text).named("div") if "data-wcam-saved" in a]
    assert places == ["0", "1", "0"]
    first, second = saved_states(text)
    assert first["_frame"] == state["_frame"]
    assert set(first) == set(second) == set(NAMES)
    assert text.count("/* standalone.js */") == 1
    assert "Explorer(slider)" in text
    assert "Explorer(nobody)" in text
    assert nbformat.writes(notebook) == before


def test_a_notebook_s_page_loads_nothing(state, tmp_path):
    path = tmp_path / "notebook.ipynb"
    nbformat.write(saved(state, "one"), path)
    page = export_notebook(path)
    assert page.path == tmp_path / "notebook.html"
    elements = Elements(page.path.read_text(encoding="utf-8"))
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
    assert [one["mode"] for one in saved_states(path.read_text(encoding="utf-8"))] == [HOSTILE]


def test_a_page_allows_its_own_scripts_and_those_of_outputs(state, tmp_path):
    notebook = saved(state, "one")
    data = {
        "text/html": "<script>globalThis.drawn = 1</script><script src='https://x.invalid/a.js'></script>"
    }
    notebook.cells.append(
        nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data)])
    )
    elements = Elements(notebook_report(notebook, tmp_path / "a.html").read_text(encoding="utf-8"))
    (policy,) = [a["content"] for a, _ in elements.named("meta") if a.get("http-equiv")]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert script_hash("globalThis.drawn = 1") in policy
    assert policy.count("'sha256-") == 3
    assert "unsafe-inline'; img" in policy
    assert "blob:;" not in policy.split("script-src")[1].split("style-src")[0]


def test_formulas_are_drawn_without_a_script(state, tmp_path):
    notebook = saved(state, "one")
    outputs = [nbformat.v4.new_output("display_data", {"text/latex": "$\\displaystyle \\frac{1}{2}$"})]
    notebook.cells += [
        nbformat.v4.new_markdown_cell("$$a < b$$\n\n\\begin{align}c &= d\\end{align}\n\n$\\frac{$"),
        nbformat.v4.new_code_cell("", outputs=outputs),
    ]
    text = notebook_report(notebook, tmp_path / "a.html").read_text(encoding="utf-8")
    elements = Elements(text)
    assert [a["display"] for a, _ in elements.named("math")] == ["inline", "block", "block", "inline"]
    assert len(elements.named("mfrac")) == 1
    assert "<code>\\frac{</code>" in text
    assert "MathJax" not in text


def test_figures_and_tracebacks_stay(state, tmp_path):
    notebook = saved(state, "one")
    view = {WIDGET_VIEW: {"model_id": "canvas"}, "image/png": "iVBORw0KGgo=", "text/plain": "Canvas()"}
    outputs = [
        nbformat.v4.new_output("display_data", view),
        nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["a line of a traceback"]),
    ]
    notebook.cells.append(nbformat.v4.new_code_cell("", outputs=outputs))
    page = export_notebook(notebook, tmp_path / "a.html")
    text = page.path.read_text(encoding="utf-8")
    assert page.summary == "1 explorer, 1 other widget as picture or text"
    assert "a line of a traceback" in text
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in text


def with_module(notebook, name, **state):
    """One more output: a widget of another package."""
    buffers = [{"encoding": "base64", "path": ["deep", 0], "data": "AQI="}]
    model = {
        "model_name": "AnyModel",
        "state": {"_esm": "export default {}", "_css": "p {}", "layout": "IPY_MODEL_layout", **state},
        "buffers": buffers,
    }
    notebook.metadata.widgets[WIDGET_STATE].state[name] = model
    view = {WIDGET_VIEW: {"model_id": name}, "text/plain": f"Other({name})"}
    notebook.cells[1].outputs.append(nbformat.v4.new_output("display_data", view))
    return notebook


def test_other_widgets_of_one_module_work_and_share_their_code(state, tmp_path):
    notebook = saved(state, "one")
    for name in ("a", "b"):
        with_module(notebook, name, deep=[None], label=HOSTILE)
    with_module(notebook, "parent", deep=[None], children=["IPY_MODEL_a"])
    page = export_notebook(notebook, tmp_path / "a.html")
    assert page.summary == "1 explorer, 2 other widgets, 1 other widget as picture or text"
    text = page.path.read_text(encoding="utf-8")
    elements = Elements(text)
    data = {
        a["id"]: json.loads(text)
        for a, text in elements.named("script")
        if a.get("type") == "application/json"
    }
    assert data["wcam-modules"] == [{"esm": "export default {}", "css": "p {}"}]
    assert data["wcam-module-1"]["state"]["label"] == HOSTILE
    assert data["wcam-module-1"]["buffers"] == [{"path": ["deep", 0], "data": "AQI="}]
    assert {data[f"wcam-module-{number}"]["code"] for number in (1, 2)} == {0}
    assert "Other(parent)" in text
    assert "script-src" in text
    assert " blob:; style-src" in text
