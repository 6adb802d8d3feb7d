"""What is shared out to workers together, and what comes first."""

import pytest

from tests.workers import ByFile, early

FIRST = "tests/test_notebooks.py::test_notebooks_run_from_a_fresh_kernel"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tests/browser/test_focus.py::test_a[x]", "tests/browser/test_jupyterlab.py::test_b"),
        ("tests/model/test_layers.py::test_a[x::y]", "tests/model/test_layers.py::test_b"),
        ("wcam_widget/files.py::wcam_widget.files.a", "wcam_widget/files.py::wcam_widget.files.b"),
    ],
)
def test_a_file_and_all_pages_are_one_workers(one, other):
    assert ByFile._split_scope(None, one) == ByFile._split_scope(None, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{FIRST}[methods]", f"{FIRST}[attacks]"),
        (f"{FIRST}[methods]", "tests/test_notebooks.py::test_there_is_a_quickstart"),
        ("tests/model/test_layers.py::test_a", "tests/model/test_head.py::test_a"),
        ("tests/browser/test_focus.py::test_a", "tests/basis/test_cells.py::test_a"),
    ],
)
def test_notebooks_run_apart_and_so_do_files(one, other):
    assert ByFile._split_scope(None, one) != ByFile._split_scope(None, other)


def test_notebooks_are_begun_with(request):
    assert early(f"{FIRST}[methods]")
    assert not early("tests/browser/test_focus.py::test_a")
    order = [early(item.nodeid) for item in request.session.items]
    assert order == sorted(order, reverse=True)
