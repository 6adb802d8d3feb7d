"""What makes a page of a notebook and what does not, and where pages are written."""

from __future__ import annotations

import logging
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import nbformat
import pytest
from nbconvert.utils.exceptions import ConversionException

from tests.show.pages.conftest import picture_of, saved
from wcam_widget.show.pages.export import export_notebook
from wcam_widget.show.pages.nbconvert_exporter import WcamHtmlExporter
from wcam_widget.show.pages.saved_models import WIDGET_STATE


def test_an_explorer_without_state_among_others_stays_a_picture(state, tmp_path):
    notebook = saved(state, "one", "nobody")
    other = {**state, "_status": {**state["_status"], "run": "another"}}
    notebook.cells[1].outputs.append(picture_of(other))
    notebook.cells[1].outputs.insert(1, picture_of(state))
    page = export_notebook(notebook, tmp_path / "a.html")
    assert page.summary == "1 explorer, 1 explorer as a picture, without state"
    text = page.path.read_text(encoding="utf-8")
    assert text.count("<img") == 2
    assert text.count('<figure class="wcam-picture">') == 1
    assert "Explorer(nobody)" not in text


def test_a_hosted_notebook_s_metadata_is_read_where_it_is_whole(state, tmp_path):
    notebook = saved(state, "one")
    notebook.metadata.widgets[WIDGET_STATE] = notebook.metadata.widgets[WIDGET_STATE].state
    assert export_notebook(notebook, tmp_path / "a.html").explorers == 1
    for model in notebook.metadata.widgets[WIDGET_STATE].values():
        model.pop("buffers", None)
    with pytest.raises(ValueError, match="the state of an explorer lacks _picture"):
        export_notebook(notebook, tmp_path / "b.html")


def test_an_explorer_that_nobody_waited_for_is_said_to_be_empty(state, tmp_path):
    page = export_notebook(saved({**state, "_frame": b""}, "one"), tmp_path / "a.html")
    assert page.summary == "1 explorer, 1 of them without a map, as no cell called wait()"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [nbformat.v4.new_code_cell("1"), nbformat.v4.new_code_cell("2")],
            "none of its 2 code cells has been",
        ),
        ([nbformat.v4.new_code_cell("1", execution_count=1)], "no explorer is among its outputs"),
        ([], "none of its 0 code cells has been executed"),
    ],
)
def test_a_notebook_with_nothing_to_place_is_refused(tmp_path, cells, message):
    with pytest.raises(ValueError, match=f"^notebook: {message}"):
        export_notebook(nbformat.v4.new_notebook(cells=cells), tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", '{"cells": [{"cell_type": "code", "outp', "{}", "[1]", "\xff"])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "cut.ipynb"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"notebook: '.*cut.ipynb' is not a notebook, or not a complete one"):
        export_notebook(path)


def test_a_page_that_exists_is_replaced_only_where_that_is_wanted(state, tmp_path, without_front_end_code):
    path = tmp_path / "a.html"
    path.write_text("an earlier one")
    with pytest.raises(FileExistsError, match=r"path: '.*a.html' exists; overwrite=True replaces it"):
        export_notebook(saved(state, "one"), path)
    assert path.read_text() == "an earlier one"
    assert export_notebook(saved(state, "one"), path, overwrite=True).path == path
    assert path.read_text() != "an earlier one"


def test_a_page_that_cannot_be_written_leaves_nothing(state, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: the folder .*nowhere"):
        export_notebook(saved(state, "one"), tmp_path / "nowhere" / "a.html")
    with pytest.raises(ValueError, match="path: it must be given"):
        export_notebook(saved(state, "one"))
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(FileExistsError, match=r"folder.html' is not a regular file"):
        export_notebook(saved(state, "one"), tmp_path / "folder.html", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_nbconvert_says_what_it_placed(state, caplog):
    exporter = WcamHtmlExporter()
    exporter.log = logging.getLogger("exporter")
    with caplog.at_level(logging.INFO, "exporter"):
        exporter.from_notebook_node(saved(state, "one"))
    assert "1 explorer" in caplog.messages
    with pytest.raises(ConversionException, match="notebook: none of its 0 code cells"):
        exporter.from_notebook_node(nbformat.v4.new_notebook())


def test_nbconvert_knows_the_exporter_by_its_name():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    value = project["entry-points"]["nbconvert.exporters"]["wcam-html"]
    assert EntryPoint("wcam-html", value, "nbconvert.exporters").load() is WcamHtmlExporter
