"""The images of folders: which files they are, and an index page with a page for each of them."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from pathlib import Path

from wcam_widget.cli.report import Batch, Result
from wcam_widget.show.pages.exporter import write_page, write_report
from wcam_widget.text import printable

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""What is taken for an image in a folder, whatever the case of its letters."""

_STYLE = """\
:root { color-scheme: light dark }
body { margin: 16px; font: 13px system-ui, sans-serif }
h1 { font-size: 16px }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 24px; padding: 0 }
li { list-style: none }
img { display: block; width: 160px; height: 160px; object-fit: contain; object-position: left }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files as they are, and the images of folders in the order of their names.

    Raises ValueError for a folder without images.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
        if not inside:
            raise ValueError(f"images: {path} has no image; accepted are files of {', '.join(SUFFIXES)}")
        found += inside
    return found


def write_gallery(batch: Batch, folder: Path) -> list[Path]:
    """Write a page for each image and ``index.html``, which leads to them and needs no script; their paths.

    Pages are numbered: a file's name is text in the index, and part of no address.
    """
    pages = [folder / f"{number:03d}.html" for number in range(1, len(batch.results) + 1)]
    for page, one in zip(pages, batch.results, strict=True):
        write_report(page, [one.state], one.name)
    index = write_page(folder / "index.html", index_page(batch, [page.name for page in pages]))
    return [index, *pages]


def index_page(batch: Batch, addresses: Iterable[str]) -> str:
    """The index: a small image and the answer in a sentence for each page, then what failed and why."""
    entries = [_entry(one, address) for one, address in zip(batch.results, addresses, strict=True)]
    failed = [
        f"<li>{html.escape(name)}: {html.escape(printable(str(each.reason)))}</li>"
        for name, each in batch.failures
    ]
    rest = ["<h1>Not explained</h1>", "<ul>", *failed, "</ul>"] if failed else []
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Wavelet attribution</title><style>{_STYLE}</style></head>",
            "<body><h1>Where, and at which scale, the model looks</h1>",
            "<ul>",
            *entries,
            "</ul>",
            *rest,
            "</body></html>\n",
        ]
    )


def _entry(one: Result, address: str) -> str:
    name, answer = html.escape(one.name), html.escape(printable(str(one.state["_status"]["answer"])))
    source = f"data:image/png;base64,{base64.b64encode(one.thumbnail).decode('ascii')}"
    return f'<li><a href="{address}"><img src="{source}" alt="">{name}</a><p>{answer}</p></li>'
