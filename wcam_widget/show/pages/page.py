"""One page with explorers that works from a file: no kernel, no network, the code in it once."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from wcam_widget.show.frame import encode
from wcam_widget.show.traits import FRAMES, saved_names
from wcam_widget.text import printable

State = Mapping[str, Any]

PIXEL = 3  # bytes
LEVEL = 9  # of zlib: a page is written once and read often

BOOT = "wcamStandalone.showSavedPage();\n"

STYLE = """\
:root { color-scheme: light dark }
body { margin: 16px; font-family: system-ui, sans-serif }
h1 { font-size: 16px }
h2 { font-size: 14px }
section { margin: 0 0 32px }
"""

# A picture stands where an explorer is not drawn, and on paper.
PLACES_STYLE = """\
.wcam-picture { margin: 0 }
.wcam-picture img { max-width: 100% }
[data-wcam-drawn] > .wcam-picture { display: none }
@media print {
  [data-wcam-drawn] > .wcam-picture { display: block; break-inside: avoid }
  [data-wcam-drawn]:has(> .wcam-picture) > :not(.wcam-picture) { display: none }
}
"""


class SavedModule(NamedTuple):
    """A widget of another package that a page can run.

    Args:
        code: its module and its style, which widgets of one kind share.
        state: its traits, without the code.
        buffers: what of it is binary, each with its ``path`` in the state and its ``data`` as base64 text.
    """

    code: tuple[str, str]
    state: State
    buffers: Sequence[Mapping[str, Any]]


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

    The page allows itself nothing but its own two scripts, and a thread of its own where a state has a
    network, so text from a model or a file is text, and nothing is loaded from anywhere.

    Args:
        states: each maps the names of all traits to values, Bytes traits as bytes or base64 text; a ``title``
            in it is the explorer's heading, ``notes`` are sentences below it, ``network`` is what scores its
            images in the page, as base64 text.
        title: the page's heading.

    Returns:
        The page.

    Raises:
        ValueError: for a state that lacks a trait.
    """
    scripts = page_scripts()
    sources = " ".join(f"'{script_hash(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data: blob:"
    if any(state.get("network") for state in states):
        policy += "; worker-src blob:"
    places = [explorer_html(str(number), state, state.get("picture")) for number, state in enumerate(states)]
    sections = [
        f"<section>{_heading(state, title)}{place}</section>"
        for state, place in zip(states, places, strict=True)
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


def explorer_html(name: str, state: State, picture: str | None) -> str:
    """Where on a page the explorer of a state is drawn; a name may stand in several places.

    Args:
        name: that of the state.
        state: what is drawn.
        picture: a PNG of it as base64 text, for paper and for pages whose scripts may not run.
    """
    inside = "" if picture is None else picture_html(picture, _answer(state))
    return f'<div data-wcam-saved="{html.escape(name)}">{inside}</div>'


def module_html(name: str, data: Mapping[str, Any]) -> str:
    """Where on a page a widget of another package is drawn; what an output has beside it stands in for it."""
    if "text/html" in data:
        inside = f'<div class="wcam-picture">{data["text/html"]}</div>'
    elif "image/png" in data:
        inside = picture_html(data["image/png"], "")
    else:
        inside = f'<pre class="wcam-picture">{_text(data.get("text/plain", ""))}</pre>'
    return f'<div data-wcam-module="{html.escape(name)}">{inside}</div>'


def picture_html(png: str, words: str) -> str:
    """A picture, PNG as base64 text, with words below it."""
    source = f"data:image/png;base64,{html.escape(png)}"
    return (
        f'<figure class="wcam-picture"><img alt="{_text(words)}" src="{source}">'
        f"<figcaption>{_text(words)}</figcaption></figure>"
    )


def _answer(state: State) -> str:
    """What an explorer found, in words; of several sides one after another."""
    statuses = [state[name] for name in saved_names(state) if name.startswith("_status")]
    return " ".join(str(status.get("answer", "")) for status in statuses if isinstance(status, Mapping))


def code_html(
    states: Mapping[str, State], scripts: Sequence[str], modules: Mapping[str, SavedModule] | None = None
) -> str:
    """States as data, the style, and the scripts that bring them together.

    Args:
        states: the traits of each explorer, by the name of its place.
        scripts: what runs on the page.
        modules: other widgets, by the names of their places.

    Returns:
        Elements for the end of the page's body.

    Raises:
        ValueError: where a state lacks a trait.
    """
    data = [_plain_text(f"wcam-saved-{name}", packed(state)) for name, state in states.items()]
    networks = {name: state["network"] for name, state in states.items() if state.get("network")}
    data += [_plain_text(f"wcam-network-{name}", network) for name, network in networks.items()]
    if networks:  # no script of the page: a thread is started from it
        data.append(_plain_text("wcam-network", built("network.js")))
    modules = modules or {}
    codes = list(dict.fromkeys(module.code for module in modules.values()))
    for name, (code, state, buffers) in modules.items():
        one = {"code": codes.index(code), "state": state, "buffers": buffers}
        data.append(_data(f"wcam-module-{name}", one))
    if codes:
        data.append(_data("wcam-modules", [{"esm": esm, "css": css} for esm, css in codes]))
    style = f"<style>{_inline(built('widget.css') + PLACES_STYLE, '</style')}</style>"
    running = [f"<script>{_inline(script, '</script')}</script>" for script in scripts]
    return "\n".join([*data, style, *running])


def _plain_text(name: str, text: str) -> str:
    return f'<script type="text/plain" id="{html.escape(name)}">{_inline(text, "</script")}</script>'


def _data(name: str, value: Any) -> str:
    return f'<script type="application/json" id="{html.escape(name)}">{_json(value)}</script>'


def packed(state: State) -> str:
    """A state as base64 text: one frame, with what is binary as it is and the rest as JSON, deflated.

    Neighbouring pixels are alike, so of some traits the differences deflate better than the bytes; which
    these are, and how far apart what is subtracted lies, stands in the header.

    Raises:
        ValueError: where the state lacks a trait.
    """
    names = saved_names(state)
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(f"states: one lacks {', '.join(missing)}")
    binary = [name for name in names if re.sub(r"_\d+$", "", name) in FRAMES]
    sections = {name: _bytes_of(state[name]) for name in binary}
    apart = {name: PIXEL for name in binary if _is_smoother(sections[name])}
    for name in apart:
        sections[name][PIXEL:] -= sections[name][:-PIXEL].copy()
    rest = {name: state[name] for name in names if name not in binary}
    text = json.dumps(rest, allow_nan=False, separators=(",", ":"))
    sections["rest"] = np.frombuffer(text.encode("ascii"), np.uint8)
    frame = encode({"kind": "state", "version": 1, "apart": apart}, sections)
    return base64.b64encode(zlib.compress(frame, LEVEL)).decode("ascii")


def _bytes_of(value: Any) -> UInt8[np.ndarray, " n"]:
    """The bytes of a trait, which may be base64 text."""
    data = base64.b64decode(value, validate=True) if isinstance(value, str) else bytes(value)
    return np.frombuffer(data, np.uint8).copy()


def _is_smoother(data: UInt8[np.ndarray, " n"]) -> bool:
    """Whether differences of neighbouring pixels deflate better than the bytes themselves."""
    differences = data[PIXEL:] - data[:-PIXEL]
    return len(zlib.compress(differences.tobytes(), LEVEL)) < len(zlib.compress(data.tobytes(), LEVEL))


def _json(value: Any) -> str:
    """A value as JSON that no HTML parser can leave: none of the characters that end or open markup."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _inline(code: str, end: str) -> str:
    if end in code.lower() or "<!--" in code:
        raise ValueError(f"the built front end holds {end!r} or a comment, and cannot be put into a page")
    return code


def script_hash(script: str) -> str:
    """How a policy names a script that may run.

    >>> script_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}"
