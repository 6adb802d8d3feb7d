"""A selection of cells, and what is done with it: they are kept alone, or removed."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool

from wcam_widget.basis import Cells

Mode = Literal["keep", "remove"]
CellsLike = Sequence[int] | AbstractSet[int] | np.ndarray | str
"""Ids of cells in any order, one truth value per cell, or the name of a band."""
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

    @classmethod
    def from_key(cls, key: str) -> Question:
        """The question of a key.

        >>> Question.from_key("keep:0-2,7-7"), Question.from_key("all").selection
        (Question(selection=(0, 1, 2, 7), mode='keep'), ())
        """
        mode, _, runs = key.partition(":")
        cells = [
            cell
            for first, last in (run.split("-") for run in runs.split(",") if run)
            for cell in range(int(first), int(last) + 1)
        ]
        return cls(tuple(cells), "remove" if mode == "remove" else "keep")

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


def ensure_selection(selection: Any, cells: Cells, argument: str = "selection") -> list[int]:
    """Sorted, unique cell ids from ids in any order or one truth value per cell.

    Raises ValueError naming the ``argument`` for anything else.
    """
    count = len(cells)
    accepted = f"accepted are cell ids, 0 to {count - 1}, or {count} truth values, one per cell"
    try:
        chosen = np.asarray(list(selection) if isinstance(selection, AbstractSet) else selection)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{argument}: {error}; {accepted}") from error
    if chosen.dtype == bool and chosen.shape == (count,):
        return [int(cell) for cell in np.flatnonzero(chosen)]
    if chosen.size == 0 and chosen.ndim == 1:
        return []
    if chosen.dtype.kind not in "iu" or chosen.ndim != 1:
        raise ValueError(f"{argument}: found {chosen.dtype} of shape {chosen.shape}; {accepted}")
    outside = chosen[(chosen < 0) | (chosen >= count)]
    if outside.size:
        raise ValueError(f"{argument}: there is no cell {outside[0]}; {accepted}")
    return [int(cell) for cell in np.unique(chosen)]


def ensure_cells(chosen: Any, cells: Cells) -> tuple[int, ...]:
    """Ids of at least one cell, from what ``ensure_selection`` takes or the name of a band.

    Raises ValueError naming ``cells`` for anything else.
    """
    if isinstance(chosen, str):
        names = [band.name for band in cells.bands]
        if chosen not in names:
            raise ValueError(f"cells: there is no band {chosen!r}; accepted are cell ids, {', '.join(names)}")
        return tuple(cells.in_band(chosen).tolist())
    ids = ensure_selection(chosen, cells, "cells")
    if not ids:
        raise ValueError("cells: found none; accepted are at least one, or the name of a band")
    return tuple(ids)
