"""One page with explorers that works from a file: no kernel, no network, the code in it once."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from wcam_widget.show.traits import saved_names
from wcam_widget.text import printable

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


def built(name: str) -> str:
    """The text of a built file of the front end; FileNotFoundError that says how to build it."""
    file = files("wcam_widget.show").joinpath("static", name)
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"wcam_widget/show/static/{name} is missing: the front end of this checkout is not built; "
            "run `npm ci && npm run build` in js/, or `pip install .`"
        ) from None


def page_scripts() -> list[str]:
    """What draws the explorers of a page."""
    return [built("standalone.js"), BOOT]


def page(states: Sequence[State], title: str) -> str:
    """One HTML page with an explorer for each state, self-contained.

    The page allows itself nothing but its own two scripts, so text from a model or a file is text, and
    nothing is loaded from anywhere.

    Args:
        states: each maps the names of all traits to values, Bytes traits as bytes or base64 text; a ``title``
            in it is the explorer's heading, ``notes`` are sentences below it.
        title: the page's heading.

    Returns:
        The page.

    Raises:
        ValueError: for a state that lacks a trait.
    """
    scripts = page_scripts()
    sources = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data: blob:"
    sections = [
        f"<section>{_heading(state, title)}{place_html(str(number))}</section>"
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
            code_html({str(number): state for number, state in enumerate(states)}, scripts),
            "</body></html>",
            "",
        ]
    )


def _heading(state: State, of_page: str) -> str:
    """The heading of one explorer, unless the page says the same above it, and its notes."""
    title = str(state.get("title", of_page))
    heading = "" if title == of_page else f"<h2>{_text(title)}</h2>"
    return heading + "".join(f"<p>{_text(note)}</p>" for note in state.get("notes", ()))


def _text(text: str) -> str:
    """Text as HTML, in characters that UTF-8 has."""
    return html.escape(printable(str(text)))


def place_html(name: str) -> str:
    """Where on a page the explorer of a state is drawn; a name may stand in several places."""
    return f'<div data-wcam-saved="{html.escape(name)}"></div>'


def code_html(states: Mapping[str, State], scripts: Sequence[str]) -> str:
    """States as data, the style, and the scripts that bring them together.

    Args:
        states: the traits of each explorer, by the name of its place.
        scripts: what runs on the page.

    Returns:
        Elements for the end of the page's body.

    Raises:
        ValueError: where a state lacks a trait.
    """
    data = [
        f'<script type="application/json" id="wcam-saved-{html.escape(name)}">{_json(state)}</script>'
        for name, state in states.items()
    ]
    style = f"<style>{_inline(built('widget.css'), '</style')}</style>"
    running = [f"<script>{_inline(script, '</script')}</script>" for script in scripts]
    return "\n".join([*data, style, *running])


def _json(state: State) -> str:
    """A state as JSON that no HTML parser can leave: none of the characters that end or open markup."""
    names = saved_names(state)
    plain = {name: _plain(state[name]) for name in names if name in state}
    missing = [name for name in names if name not in plain]
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
