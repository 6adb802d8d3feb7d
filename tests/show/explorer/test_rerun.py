"""Cells that run again, in a shell that says which cell runs."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets.widgets.widget import _instances

from wcam_widget.show.explorer import rerun
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.heartbeat import HEART

PATIENCE = 60


class Notebook:
    """A shell whose cells have ids, as JupyterLab gives them."""

    def __init__(self, shell: InteractiveShell, **names: object) -> None:
        self.shell, self.runs, self.cell = shell, 0, ""
        shell.user_ns.update(names, explore=explore)

    def parent(self):
        return {"metadata": {"cellId": self.cell}, "header": {"msg_id": str(self.runs)}}

    def run(self, cell: str, code: str) -> None:
        self.cell, self.runs = cell, self.runs + 1
        self.shell.run_cell(code, store_history=True).raise_error()


@pytest.fixture
def notebook(monkeypatch, image, method, without_front_end_code):
    shell = InteractiveShell()
    made = Notebook(shell, image=image, method=method, net=lambda x: x.mean((2, 3)), refs=[])
    shell.get_parent = made.parent
    shell.user_ns["weakref"] = weakref
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(shell.display_formatter, "format", lambda *arguments, **options: ({}, {}))
    monkeypatch.setattr(rerun, "_made", {})
    yield made
    for widget in list(_instances.values()):
        widget.close()
    shell.reset()


CELL = """
explorer = explore(net, image, method=method)
refs.append(weakref.ref(explorer))
explorer
"""


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("wcam explorer")]


def test_fifty_runs_of_a_cell_leave_one_of_everything(notebook):
    """Every other explorer is replaced in the middle of its run, with a front end that listens."""
    notebook.run("cell", CELL)
    widgets = len(_instances)
    for number in range(49):
        explorer = notebook.shell.user_ns["explorer"]
        explorer._handle_custom_msg({"t": "hello", "client": "tab", "have": {}}, [])
        if number % 2:
            explorer.wait(PATIENCE)
        notebook.run("cell", CELL)
        del explorer
    last = notebook.shell.user_ns["explorer"]
    last.wait(PATIENCE)
    for thread in threads():
        thread.join(PATIENCE)
    gc.collect()
    explorers = [ref() for ref in notebook.shell.user_ns["refs"]]
    assert explorers == [None] * 49 + [last]
    assert last._session is not None
    assert len(_instances) == widgets
    assert threads() == []
    assert HEART._listeners == {}
    del explorers
    last.close()
    assert len(_instances) == widgets - 2  # the explorer and its layout


def test_what_one_run_of_a_cell_makes_stays(notebook):
    notebook.run("cell", "several = [explore(net, image, method=method) for _ in range(3)]")
    assert all(explorer._session is not None for explorer in notebook.shell.user_ns["several"])


def test_other_cells_keep_theirs(notebook):
    notebook.run("one", CELL)
    first = notebook.shell.user_ns["explorer"]
    notebook.run("two", CELL)
    assert first._session is not None
    first.close()


def test_a_closed_one_keeps_its_attribution(notebook):
    notebook.run("cell", CELL)
    kept = notebook.shell.user_ns["explorer"]
    kept.wait(PATIENCE)
    notebook.run("cell", CELL)
    assert kept.attribution.complete
    with pytest.raises(RuntimeError, match="closed"):
        kept.wait()


def test_a_run_that_fails_closes_nothing(notebook):
    notebook.run("cell", CELL)
    first = notebook.shell.user_ns["explorer"]
    with pytest.raises(TypeError, match="method"):
        notebook.run("cell", "explore(net, image, method=3)")
    assert first._session is not None


def test_other_results_of_the_history_stay(notebook):
    notebook.run("other", "'a result'")
    notebook.run("cell", CELL)
    notebook.run("cell", CELL)
    assert "a result" in notebook.shell.user_ns["_oh"].values()


@pytest.mark.parametrize("parent", [{}, {"metadata": {}}, {"metadata": {"cellId": ""}, "header": {}}, None])
def test_a_host_whose_cells_have_no_ids_closes_nothing(notebook, parent):
    notebook.shell.get_parent = lambda: parent
    assert rerun.running_cell() is None
    notebook.run("cell", CELL)
    first = notebook.shell.user_ns["explorer"]
    notebook.run("cell", CELL)
    assert first._session is not None
    first.close()


def test_outside_a_notebook_nothing_is_remembered(monkeypatch, image, method, without_front_end_code):
    monkeypatch.setattr(rerun, "_made", {})
    with explore(lambda x: x.mean((2, 3)), image, method=method):
        assert rerun._made == {}


def test_a_closed_explorer_leaves_no_layout(image, method, without_front_end_code):
    before = set(_instances)
    for _ in range(3):
        explore(lambda x: x.mean((2, 3)), image, method=method).close()
    assert set(_instances) == before
