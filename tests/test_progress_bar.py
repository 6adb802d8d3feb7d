"""Who sees a progress bar."""

import sys
from types import SimpleNamespace

import pytest

from wcam_widget.progress_bar import is_read, progress_bar


@pytest.mark.parametrize(
    ("shell", "expected"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)],
    ids=["no shell", "a shell in a pipe", "a notebook's kernel"],
)
def test_a_bar_is_for_a_notebook_and_not_for_whoever_imports_its_packages(shell, expected, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert is_read() == expected
    with progress_bar(1, "images") as bar:
        assert bar.disable != expected


def test_a_bar_is_for_a_terminal(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True, write=len, flush=lambda: None))
    assert is_read()
