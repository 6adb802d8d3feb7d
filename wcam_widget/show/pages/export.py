"""The door to pages of notebooks: one call from a file to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from wcam_widget.show.pages.exporter import write_page


class ExportedPage(NamedTuple):
    """A page that was written.

    Args:
        path: where it is.
        explorers: how many explorers work on it.
        summary: what else of the notebook's widgets is there, in words.
    """

    path: Path
    explorers: int
    summary: str


def export_notebook(
    notebook: Any, path: str | os.PathLike[str] | None = None, overwrite: bool = False
) -> ExportedPage:
    """Write an executed notebook as one page in which its explorers work, without kernel or network.

    The code of the explorers stands in it once. Widgets of other packages work where a module draws them
    alone (anywidget); the rest show their picture or text. Formulas are drawn, pictures from files embedded.
    On paper, and where scripts may not run, each explorer is a picture.

    Args:
        notebook: a path or a notebook node, executed by nbclient (``jupyter execute``) or saved with the
            state of its widgets.
        path: the page, in a folder that exists; it is written completely or not at all. None puts it beside
            the notebook, with the ending ``.html``.
        overwrite: whether a file at ``path`` is replaced.

    Returns:
        The path, the number of explorers, and in words what was placed.

    Raises:
        ImportError: where nbconvert is missing.
        ValueError: naming ``notebook``, where it has no explorer to place: not executed, none among its
            outputs, or their state not saved.
        FileExistsError: where there is a file already; OSError where none can be written.

    >>> import tempfile
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> try:
    ...     export_notebook(new_notebook(cells=[new_code_cell("1")]), tempfile.mkdtemp() + "/page.html")
    ... except ValueError as error:
    ...     print(error)
    notebook: none of its 1 code cells has been executed; `jupyter execute --inplace` does it
    """
    try:
        from wcam_widget.show.pages.nbconvert_exporter import (  # noqa: PLC0415 an extra
            WIDGETS,
            WcamHtmlExporter,
        )
    except ImportError as error:
        raise ImportError("export_notebook needs nbconvert: pip install 'wcam_widget[report]'") from error

    target = _target(notebook, path, overwrite=overwrite)
    node, resources = _read(notebook)
    body, resources = WcamHtmlExporter().from_notebook_node(node, resources)
    placed = resources[WIDGETS]
    return ExportedPage(write_page(target, body), len(placed.explorers), str(placed))


def notebook_report(notebook: Any, path: str | os.PathLike[str]) -> Path:
    """``export_notebook``, replacing an earlier page; returns the path."""
    return export_notebook(notebook, path, overwrite=True).path


def _target(notebook: Any, path: str | os.PathLike[str] | None, *, overwrite: bool) -> Path:
    if path is None and not isinstance(notebook, str | os.PathLike):
        raise ValueError("path: it must be given for a notebook that is not a file")
    target = Path(notebook).with_suffix(".html") if path is None else Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(f"path: {str(target)!r} exists; overwrite=True replaces it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"path: the folder {str(target.parent)!r} does not exist")
    return target


def _read(notebook: Any) -> tuple[Any, dict[str, Any]]:
    """A notebook node, and what nbconvert has to know of its file."""
    import nbformat  # noqa: PLC0415 an extra

    if not isinstance(notebook, str | os.PathLike):
        return notebook, {}
    path = Path(notebook)
    try:
        node = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except OSError:
        raise
    except Exception as error:  # a file may hold anything
        raise ValueError(f"notebook: {str(path)!r} is not a notebook, or not a complete one") from error
    return node, {"metadata": {"name": path.stem, "path": str(path.parent)}}
