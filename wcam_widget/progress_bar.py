"""A bar that shows the rate and the time left of what takes minutes, to whoever sits before it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from tqdm.auto import tqdm

from wcam_widget.ipython import running_shell

if TYPE_CHECKING:
    Bar: TypeAlias = tqdm[Any]
else:
    Bar = tqdm


def progress_bar(total: int | None, unit: str, shown: bool | None = None) -> Bar:
    """A bar of tqdm, to be used in a ``with`` statement.

    Args:
        total: How many units there are; None where nobody knows.
        unit: Their name, in the plural.
        shown: Whether it is shown; None in a notebook and on a terminal.

    >>> with progress_bar(3, "images") as bar:
    ...     bar.update()
    >>> bar.disable
    True
    """
    hidden = not (is_read() if shown is None else shown)
    return tqdm(total=total, unit=f" {unit}", disable=hidden)


def is_read() -> bool:
    """Whether somebody sits before what is printed: this runs in a notebook's kernel, or on a terminal."""
    # Not whether a kernel's package is imported, which a program may do that is none.
    return getattr(running_shell(), "kernel", None) is not None or sys.stderr.isatty()
