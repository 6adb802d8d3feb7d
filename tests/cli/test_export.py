"""`wcam export`: what it writes, prints and refuses."""

import json

import nbformat
import pytest
from typer.testing import CliRunner

from wcam_widget.cli import notebooks
from wcam_widget.cli.app import app
from wcam_widget.show.pages.export import ExportedPage


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a notebook that has not been executed, as the working directory."""
    monkeypatch.chdir(tmp_path)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), tmp_path / "a.ipynb")
    return tmp_path


@pytest.fixture
def exported(monkeypatch):
    """Stands in for the export, which tests/show/pages tests; what it was called with."""
    calls = []

    def export(notebook, page, *, overwrite):
        calls.append((str(notebook), str(page), overwrite))
        return ExportedPage(page, 2, "2 explorers")

    monkeypatch.setattr(notebooks, "export_notebook", export)
    return calls


def wcam(*arguments):
    return CliRunner().invoke(app, ["export", *arguments])


def test_a_page_lies_beside_its_notebook_or_where_it_is_wanted(folder, exported):
    (folder / "pages").mkdir()
    assert wcam("a.ipynb").output == "a.html: 2 explorers\n"
    wcam("a.ipynb", "-o", "b.html")
    wcam("a.ipynb", "--out", "pages", "--force")
    assert [page for _, page, _ in exported] == ["a.html", "b.html", "pages/a.html"]
    assert [overwrite for *_, overwrite in exported] == [False, False, True]


def test_what_was_placed_is_printed_as_json(folder, exported):
    document = json.loads(wcam("a.ipynb", "--json").stdout)
    assert document == {"file": "a.html", "explorers": 2, "summary": "2 explorers"}


def test_a_page_that_exists_is_kept(folder, exported):
    (folder / "a.html").write_text("an earlier one")
    done = wcam("a.ipynb")
    assert done.exit_code == 2
    assert "Error: --out: 'a.html' exists; --force replaces it" in done.output
    assert exported == []


def test_what_makes_no_page_is_refused_in_words(folder):
    (folder / "cut.ipynb").write_text('{"cells": [')
    for name, words in [
        ("a.ipynb", "Error: notebook: none of its 1 code cells has been executed"),
        ("cut.ipynb", "Error: notebook: 'cut.ipynb' is not a notebook, or not a complete one"),
        ("nobody.ipynb", "No such file or directory: 'nobody.ipynb'"),
    ]:
        done = wcam(name)
        assert done.exit_code == 2
        assert words in done.output
    assert sorted(path.name for path in folder.iterdir()) == ["a.ipynb", "cut.ipynb"]
