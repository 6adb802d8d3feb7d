"""A selection of cells, and what is done with it: they are kept alone, or removed."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool

from wcam_widget.basis import Cells

Mode = Literal["keep", "remove"]
MODES: tuple[Mode, ...] = ("keep", "remove")


class Question(NamedTuple):
    """Cells, sorted, and what to do with them. No cells: everything is kept, in both modes."""

    selection: tuple[int, ...]
    mode: Mode

    @property
    def key(self) -> str:
        """The question in one word, equal for equal questions.

        >>> Question((0, 1, 2, 7), "keep").key, Question((), "remove").key
        ('keep:0-2,7-7', 'all')
        """
        if not self.selection:
            return "all"
        runs: list[list[int]] = []
        for cell in self.selection:
            if runs and cell == runs[-1][1] + 1:
                runs[-1][1] = cell
            else:
                runs.append([cell, cell])
        return f"{self.mode}:" + ",".join(f"{first}-{last}" for first, last in runs)

    def mask(self, count: int) -> Bool[np.ndarray, " d"]:
        """For each of ``count`` cells, whether it is kept.

        >>> Question((1,), "remove").mask(3)
        array([ True, False,  True])
        """
        kept = np.full(count, not self.selection or self.mode == "remove")
        kept[list(self.selection)] = self.mode == "keep"
        return kept


def ensure_question(selection: Any, mode: Any, cells: Cells) -> Question:
    """A question from what a caller or a front end wrote.

    ``selection``: cell ids in any order, or one truth value per cell. Raises ValueError naming ``selection``
    or ``mode`` for anything else.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be 'keep' or 'remove'; found {mode!r}")
    return Question(tuple(ensure_selection(selection, cells)), mode)


def ensure_selection(selection: Any, cells: Cells) -> list[int]:
    """Sorted, unique cell ids from ids in any order or one truth value per cell.

    Raises ValueError naming ``selection`` for anything else.
    """
    count = len(cells)
    accepted = f"accepted are cell ids, 0 to {count - 1}, or {count} truth values, one per cell"
    try:
        chosen = np.asarray(list(selection) if isinstance(selection, AbstractSet) else selection)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"selection: {error}; {accepted}") from error
    if chosen.dtype == bool and chosen.shape == (count,):
        return [int(cell) for cell in np.flatnonzero(chosen)]
    if chosen.size == 0 and chosen.ndim == 1:
        return []
    if chosen.dtype.kind not in "iu" or chosen.ndim != 1:
        raise ValueError(f"selection: found {chosen.dtype} of shape {chosen.shape}; {accepted}")
    outside = chosen[(chosen < 0) | (chosen >= count)]
    if outside.size:
        raise ValueError(f"selection: there is no cell {outside[0]}; {accepted}")
    return [int(cell) for cell in np.unique(chosen)]
