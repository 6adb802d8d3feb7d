"""Many explorers, or their states, as one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from wcam_widget.files import atomic_write
from wcam_widget.show.pages.page import State, page


@runtime_checkable
class HasPageState(Protocol):
    """An explorer, seen from here, where widgets are not known."""

    def page_state(self) -> State:
        """Its traits, as ``page`` takes them."""


def write_report(
    path: str | Path, explorers: Sequence[HasPageState | State], title: str = "Wavelet attribution"
) -> Path:
    """Write one page in which several explorers work without kernel or network.

    Args:
        path: the file, in a folder that exists; it is written completely or not at all.
        explorers: explorers, or the states of ``Explorer.page_state``.
        title: the page's heading.

    Returns:
        The path.

    Raises:
        ValueError: for a state that lacks something.
        OSError: where the file cannot be written.
    """
    states = [one if isinstance(one, Mapping) else one.page_state() for one in explorers]
    return write_page(Path(path), page(states, title))


def write_page(path: Path, text: str) -> Path:
    """Write a page completely or not at all; returns its path."""
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return path
