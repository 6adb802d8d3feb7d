"""Notebooks as pages: the outputs of their explorers are rewritten, so that these work there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from wcam_widget.show.pages.exporter import write_page
from wcam_widget.show.pages.page import State, code_html, page_scripts, place_html
from wcam_widget.show.traits import saved_names

EXPLORERS = (
    "wcam_widget.show.explorer.explorer.Explorer",
    "wcam_widget.show.explorer.comparison.ComparisonExplorer",
)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILL = "wcam_still"  # in the metadata of an output that is a still picture: the run it is of
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"

# JupyterLab's page without the scripts that it would load from elsewhere.
TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def notebook_report(notebook: Any, path: str | Path) -> Path:
    """Write an executed notebook as a page in which its explorers work.

    Its explorers come with their code once; other widgets show their text. Nothing is loaded from a network,
    so formulas stay as they are written.

    Args:
        notebook: a path or a notebook node, executed by nbclient (``jupyter execute``) or saved with its
            widgets' state.
        path: the page, in a folder that exists; it is written completely or not at all.

    Returns:
        The path.

    Raises:
        ImportError: where nbconvert is missing.
        ValueError: for a notebook without the state of one of its explorers.
    """
    try:
        import nbformat  # noqa: PLC0415 an extra
        from nbconvert import HTMLExporter  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("notebook_report needs nbconvert: pip install 'wcam_widget[report]'") from error

    if isinstance(notebook, str | os.PathLike):
        notebook = nbformat.read(Path(notebook), as_version=4)  # type: ignore[no-untyped-call]
    copy = deepcopy(notebook)
    states = _place_explorers(copy)
    exporter = HTMLExporter(raw_template=TEMPLATE, embed_images=True)  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(copy)
    head, end, rest = body.rpartition("</body>")
    return write_page(Path(path), head + code_html(states, page_scripts()) + end + rest)


def _place_explorers(notebook: Any) -> dict[str, State]:
    """Replace every explorer among the outputs by a place on the page; the states, by model id."""
    saved = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    numbers: dict[str, str] = {}  # ids come from the notebook; the page counts its explorers itself
    states: dict[str, State] = {}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        view = output.get("data", {}).pop(WIDGET_VIEW, None)
        name = str(view.get("model_id")) if isinstance(view, dict) else ""
        model = saved.get(name)
        if model is None or model.get("state", {}).get("_anywidget_id") not in EXPLORERS:
            continue
        number = numbers.setdefault(name, str(len(numbers)))
        states[number] = saved_state(model)
        output["data"] = {"text/html": place_html(number)}
    # Their pictures are for pages that cannot draw them.
    drawn = {state["_status"].get("run") for state in states.values()}
    for cell in notebook.cells:
        if "outputs" in cell:
            cell["outputs"] = [one for one in cell["outputs"] if _still_of(one) not in drawn]
    return states


def _still_of(output: Mapping[str, Any]) -> str | None:
    """The run that an output is a still picture of."""
    run = output.get("metadata", {}).get(STILL)
    return run if isinstance(run, str) else None


def saved_state(model: Mapping[str, Any]) -> State:
    """The state of an explorer from a notebook's metadata; ValueError, naming what it lacks."""
    names = saved_names(model["state"])
    state = {name: model["state"][name] for name in names if name in model["state"]}
    for buffer in model.get("buffers", []):
        if buffer.get("encoding") == "base64" and len(buffer["path"]) == 1 and buffer["path"][0] in names:
            state[buffer["path"][0]] = buffer["data"]
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(f"notebook: the state of an explorer lacks {', '.join(missing)}; execute it again")
    return state
