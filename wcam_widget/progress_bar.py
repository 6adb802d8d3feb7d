"""A bar that shows the rate and the time left of what takes minutes, to whoever sits before it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from tqdm.auto import tqdm

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
    hidden = not shown if shown is not None else "ipykernel" not in sys.modules and not sys.stderr.isatty()
    return tqdm(total=total, unit=f" {unit}", disable=hidden)
