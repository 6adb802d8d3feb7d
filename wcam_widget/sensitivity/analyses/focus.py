"""Which weights own rows are wanted of: those that matter most, or those that somebody has chosen."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from wcam_widget.sensitivity.analyses.knowledge import Knowledge

POWER = 2.0  # rows go to a weight by this power of its expected index, up to those that matter most
FAINT = 1e-4  # of that for the weights that seem to matter least: the calibration is of all
KNOWN = 0.1  # of that for weights that are known well enough
FIRST = 16  # exchanges of a chosen weight, at least: fewer tell little


def ensure_focus(focus: tuple[int, ...], weights: int | None = None) -> None:
    """Raise ValueError unless these are numbers of weights, ascending, and there are so many weights."""
    if any(int(weight) != weight or weight < 0 for weight in focus) or any(
        one >= other for one, other in pairwise(focus)
    ):
        raise ValueError(f"focus={focus!r} must be numbers of weights, from 0 on, ascending")
    if weights is not None and focus and focus[-1] >= weights:
        raise ValueError(f"focus={focus!r}: there is no weight {focus[-1]}; accepted are 0 to {weights - 1}")


def interest(
    expected: Float[np.ndarray, " d"], knowledge: Knowledge | None, top: int
) -> Float[np.ndarray, " d"]:
    """How much own rows of each weight are wanted where the ``top`` ones are to be known.

    By what is ``expected`` of it: going by its own rows would drop those whose first were low by chance.
    ``knowledge`` is None before the first own row.
    """
    highest = np.sort(expected)[-min(top, len(expected))]
    wanted = np.minimum(expected / max(highest, np.finfo(float).tiny), 1.0) ** POWER
    wanted = np.clip(wanted, FAINT, 1.0)
    if knowledge is None:
        return np.asarray(wanted)
    return np.asarray(np.where(knowledge.known, np.maximum(KNOWN * wanted, FAINT), wanted))


def interest_in(focus: tuple[int, ...], knowledge: Knowledge | None) -> Float[np.ndarray, " m"]:
    """How much own rows are wanted of each weight in ``focus``, where they are to be of these alone.

    Hardly any of those that are proven not to matter, and few of those that are known well enough.
    """
    if knowledge is None:
        return np.ones(len(focus))
    chosen = list(focus)
    certified, known = knowledge.certified[chosen], knowledge.known[chosen]
    return np.where(certified, FAINT, np.where(known, KNOWN, 1.0))


def rows_for(focus: int, exchanged: float, cells: int, most: int) -> int:
    """How many rows a reader buys: as many exchanges again as ``focus`` weights had, and a first few of each.

    ``cells`` are exchanged in one row; ``most`` is what the run has cost, which is not more than doubled.

    >>> rows_for(focus=4, exchanged=100.0, cells=4, most=1000), rows_for(64, 0.0, 4, 1000)
    (25, 200)
    """
    wanted = math.ceil(max(exchanged, float(FIRST * focus)) / cells)
    return max(1, min(wanted, most // (1 + cells)))
