"""Explorers as pages that work from a file: no kernel, no network, the code in them once."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from wcam_widget.files import atomic_write
from wcam_widget.show.traits import NAMES
from wcam_widget.text import printable

EXPLORER = "wcam_widget.show.explorer.explorer.Explorer"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILL = "wcam_still"  # in the metadata of an output that is a still picture: the run it is of
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"

State = Mapping[str, Any]

BOOT = """\
(() => {
  const mounted = new Map();
  for (const root of document.querySelectorAll("[data-wcam-saved]")) {
    const name = root.dataset.wcamSaved;
    if (mounted.has(name)) {
      mounted.get(name).addView(root);
      continue;
    }
    const state = JSON.parse(document.getElementById("wcam-saved-" + name).textContent);
    mounted.set(name, wcamStandalone.mount(root, state));
  }
})();
"""

STYLE = """\
:root { color-scheme: light dark }
body { margin: 16px; font-family: system-ui, sans-serif }
h1 { font-size: 16px }
h2 { font-size: 14px }
section { margin: 0 0 32px }
"""


@runtime_checkable
class HasPageState(Protocol):
    """An explorer, seen from here, where widgets are not known."""

    def page_state(self) -> State:
        """Its traits, as `page` takes them."""


def built(name: str) -> str:
    """The text of a built file of the front end; FileNotFoundError that says how to build it."""
    found = files("wcam_widget.show").joinpath("static", name)
    try:
        return found.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"wcam_widget/show/static/{name} is missing: the front end of this checkout is not built; "
            "run `npm ci && npm run build` in js/, or `pip install .`"
        ) from None


def page(states: Sequence[State], title: str) -> str:
    """One HTML page with an explorer for each state, self-contained.

    A state maps the names of all traits to values, Bytes traits as bytes or base64 text; a ``title`` in it is
    the explorer's heading, ``notes`` are sentences below it. The page allows itself nothing but its own two
    scripts, so text from a model or a file is text, and nothing is loaded from anywhere. Raises ValueError
    for a state that is none.
    """
    scripts = [built("standalone.js"), BOOT]
    sources = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data: blob:"
    sections = [
        f"<section>{_heading(state, title)}{_place(str(number))}</section>"
        for number, state in enumerate(states)
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head><body>",
            f"<h1>{_text(title)}</h1>",
            "<noscript>The explorers on this page are drawn by JavaScript, which is switched off.</noscript>",
            *sections,
            _code({str(number): state for number, state in enumerate(states)}, scripts),
            "</body></html>",
            "",
        ]
    )


def write_report(
    path: str | Path, explorers: Sequence[HasPageState | State], title: str = "Wavelet attribution"
) -> Path:
    """Write a page of explorers or of their states, whole or not at all; returns its path."""
    states = [one if isinstance(one, Mapping) else one.page_state() for one in explorers]
    return _write(Path(path), page(states, title))


def notebook_report(notebook: Any, path: str | Path) -> Path:
    """Write an executed notebook as a page in which its explorers work; returns its path.

    ``notebook`` is a path or a notebook node, executed by nbclient (``jupyter execute``) or saved with its
    widgets' state. Its explorers come with their code once; other widgets show their text. Nothing is loaded
    from a network, so formulas stay as they are written. Raises ImportError where nbconvert is missing and
    ValueError for a notebook without the state of one of its explorers.
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
    return _write(Path(path), head + _code(states, [built("standalone.js"), BOOT]) + end + rest)


# JupyterLab's page without the scripts that it would load from elsewhere.
TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def _place_explorers(notebook: Any) -> dict[str, State]:
    """Replace every explorer among the outputs by a place on the page; the states, by model id."""
    saved = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    numbers: dict[str, str] = {}  # ids come from the notebook; the page counts its explorers itself
    states: dict[str, State] = {}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        view = output.get("data", {}).pop(WIDGET_VIEW, None)
        name = str(view.get("model_id")) if isinstance(view, dict) else ""
        model = saved.get(name)
        if model is None or model.get("state", {}).get("_anywidget_id") != EXPLORER:
            continue
        number = numbers.setdefault(name, str(len(numbers)))
        states[number] = saved_state(model)
        output["data"] = {"text/html": _place(number)}
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
    """The state of an explorer from a notebook's metadata, for `page`; ValueError where it is not whole."""
    state = {name: value for name, value in model["state"].items() if name in NAMES}
    for buffer in model.get("buffers", []):
        if buffer.get("encoding") == "base64" and len(buffer["path"]) == 1 and buffer["path"][0] in NAMES:
            state[buffer["path"][0]] = buffer["data"]
    missing = [name for name in NAMES if name not in state]
    if missing:
        raise ValueError(f"notebook: the state of an explorer lacks {', '.join(missing)}; execute it again")
    return state


def _heading(state: State, of_page: str) -> str:
    """The heading of one explorer, unless the page says the same above it, and its notes."""
    title = str(state.get("title", of_page))
    heading = "" if title == of_page else f"<h2>{_text(title)}</h2>"
    return heading + "".join(f"<p>{_text(note)}</p>" for note in state.get("notes", ()))


def _text(text: str) -> str:
    """Text as HTML, in characters that UTF-8 has."""
    return html.escape(printable(str(text)))


def _place(name: str) -> str:
    return f'<div data-wcam-saved="{html.escape(name)}"></div>'


def _code(states: Mapping[str, State], scripts: Sequence[str]) -> str:
    """States as data, the style, and the scripts that bring them together."""
    data = [
        f'<script type="application/json" id="wcam-saved-{html.escape(name)}">{_json(state)}</script>'
        for name, state in states.items()
    ]
    style = f"<style>{_inline(built('widget.css'), '</style')}</style>"
    code = [f"<script>{_inline(script, '</script')}</script>" for script in scripts]
    return "\n".join([*data, style, *code])


def _json(state: State) -> str:
    """A state as JSON that no HTML parser can leave: none of the characters that end or open markup."""
    plain = {name: _plain(value) for name, value in state.items() if name in NAMES}
    missing = [name for name in NAMES if name not in plain]
    if missing:
        raise ValueError(f"states: one lacks {', '.join(missing)}")
    text = json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    return value


def _inline(code: str, end: str) -> str:
    if end in code.lower() or "<!--" in code:
        raise ValueError(f"the built front end holds {end!r} or a comment, and cannot be put into a page")
    return code


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _write(path: Path, text: str) -> Path:
    """Write a file whole or not at all."""
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return path
