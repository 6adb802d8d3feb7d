"""The command `wcam export`: an executed notebook as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from wcam_widget.cli.terminal import INPUT_ERRORS, AsJson, exit_for, say
from wcam_widget.show.pages.export import export_notebook


def export(
    notebook: Annotated[Path, typer.Argument(help="An executed notebook (`jupyter execute --inplace`).")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The page, or its folder.", show_default="beside the notebook"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write an executed notebook as one page, in which its explorers work without kernel or network."""
    page = notebook.with_suffix(".html") if out is None else out
    if page.is_dir():
        page /= notebook.with_suffix(".html").name
    try:
        if page.exists() and not force:
            raise FileExistsError(f"--out: {str(page)!r} exists; --force replaces it")
        written = export_notebook(notebook, page, overwrite=force)
    except (*INPUT_ERRORS, KeyboardInterrupt) as error:
        raise exit_for(error) from error
    if as_json:
        said = {"file": str(written.path), "explorers": written.explorers, "summary": written.summary}
        say(json.dumps(said, indent=2))
    else:
        say(f"{written.path}: {written.summary}")
